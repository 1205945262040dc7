/**
 * A process that uploads a file, or downloads a blob to a file, and tells the most memory that it held.
 *
 * Arguments: endpoint, `upload` or `download`, path, digest. The Entra token comes by the environment.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { peakMemoryBytes } from "./peakMemory.ts"

const [, , endpoint = "", direction = "", path = "", digest = ""] = process.argv

const repository = "memory"

const program = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  if (direction === "download") yield* content.downloadBlob(repository, digest, path)
  const done =
    direction === "download" ? digest : (yield* content.uploadBlob(repository, BlobSource.fromFile(path))).digest
  yield* Console.log(JSON.stringify({ digest: done, peakBytes: peakMemoryBytes() }))
})

program.pipe(
  Effect.provide(
    RegistryContent.layer({ endpoint }).pipe(
      Layer.provide(Credentials.layerEntra(Config.Redacted("ENTRA_TOKEN"), { loginServers: ["127.0.0.1"] })),
      Layer.provide(NodeRegistryHttpClient.layer),
      Layer.merge(NodeFileSystem.layer)
    )
  ),
  NodeRuntime.runMain
)
