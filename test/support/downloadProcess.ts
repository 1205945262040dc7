/**
 * A process that downloads a blob to a file, resumable. When half of it is written it prints `half`, and continues once
 * it gets a line; at the end it prints `done`.
 *
 * Arguments: endpoint, repository, digest, path, size in bytes. The Entra token comes by the environment.
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
import * as Layer from "effect/Layer"

const [, , endpoint = "", repository = "", digest = "", path = "", size = ""] = process.argv

let atHalf = false

const pause = Effect.gen(function* () {
  atHalf = true
  yield* Console.log("half")
  yield* Effect.promise(() => once(process.stdin, "data"))
})

const program = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  yield* content.downloadBlob(repository, digest, path, {
    resumable: true,
    onProgress: ({ doneBytes }) => (doneBytes > Number(size) / 2 && !atHalf ? pause : Effect.void)
  })
  yield* Console.log("done")
  process.stdin.destroy()
})

program.pipe(
  Effect.provide(
    RegistryContent.layer({ endpoint, idleTimeout: "10 minutes" }).pipe(
      Layer.provide(Credentials.layerEntra(Config.Redacted("ENTRA_TOKEN"))),
      Layer.provide(NodeRegistryHttpClient.layer),
      Layer.merge(NodeFileSystem.layer)
    )
  ),
  NodeRuntime.runMain
)
