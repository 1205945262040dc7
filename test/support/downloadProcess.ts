/**
 * A process that downloads a blob to a file, resumable. When half of it is written it prints `half`, and continues once
 * it gets a line; at the end it prints `done`. With `renamed` as the last argument it also prints `renamed` right after
 * it has renamed its file to the path, and waits for another line.
 *
 * Arguments: endpoint, repository, digest, path, size in bytes, and possibly `renamed`. The Entra token comes by the
 * environment.
 */
import { once } from "node:events"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Credentials from "@effect-acr/client/Credentials"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"

const [, , endpoint = "", repository = "", digest = "", path = "", size = "", stop = ""] = process.argv

let atHalf = false

const pause = (at: string) =>
  Effect.andThen(
    Console.log(at),
    Effect.promise(() => once(process.stdin, "data"))
  )

const pauseAtHalf = Effect.suspend(() => {
  atHalf = true
  return pause("half")
})

/** The real disk, on which the process may stop after the renaming to its target. */
const disk = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (files) => ({
    ...files,
    rename: (from: string, to: string) => {
      const rename = files.rename(from, to)
      return stop === "renamed" && to === path ? Effect.andThen(rename, pause("renamed")) : rename
    }
  }))
).pipe(Layer.provide(NodeFileSystem.layer))

const program = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  yield* content.downloadBlob(repository, digest, path, {
    resumable: true,
    onProgress: ({ doneBytes }) => (doneBytes > Number(size) / 2 && !atHalf ? pauseAtHalf : Effect.void)
  })
  yield* Console.log("done")
  process.stdin.destroy()
})

program.pipe(
  Effect.provide(
    RegistryContent.layer({ endpoint, idleTimeout: "10 minutes" }).pipe(
      Layer.provide(Credentials.layerEntra(Config.Redacted("ENTRA_TOKEN"), { loginServers: ["127.0.0.1"] })),
      Layer.provide(NodeRegistryHttpClient.layer),
      Layer.merge(disk)
    )
  ),
  NodeRuntime.runMain
)
