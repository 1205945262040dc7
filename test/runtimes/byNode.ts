/**
 * The transfer by `@effect-acr/node`: with a certificate of the user's own, the login of a credential helper, and a file
 * there and back. Arguments: the certificate, in PEM, and a proxy, if there is one.
 */
import { BlobSource, RegistryContent } from "@effect-acr/client"
import { DockerConfig, NodeRegistryHttpClient } from "@effect-acr/node"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { file, sha256, transfer } from "./transfer.ts"

const [, , ca = "", proxy] = process.argv

const transferFile = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  const files = yield* FileSystem.FileSystem
  const folder = yield* files.makeTempDirectoryScoped()
  yield* files.writeFile(`${folder}/up`, file)
  const blob = yield* content.uploadBlob("samples/file", BlobSource.fromFile(`${folder}/up`))
  yield* content.downloadBlob("samples/file", blob, `${folder}/down`)
  yield* Console.log(yield* sha256(yield* files.readFile(`${folder}/down`)))
})

const RegistryLive = RegistryContent.layerConfig().pipe(
  Layer.provide([
    DockerConfig.layer,
    NodeRegistryHttpClient.layerOptions({ ca, proxy: proxy === undefined ? "none" : { url: proxy } })
  ])
)

Effect.andThen(transfer, transferFile).pipe(
  Effect.scoped,
  Effect.provide([RegistryLive, NodeServices.layer]),
  NodeRuntime.runMain
)
