/**
 * An image with a referrer is pushed, and copied to another repository and into memory. Prints how each manifest and each
 * blob came to be at the target, one line for each copy.
 */
import { Copy, MemoryStore, Repository } from "@effect-acr/artifacts"
import { BlobSource, Manifest, MediaType, Reference, RegistryContent } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"

const TestRegistry = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))

const print = ({ nodes }: Copy.Report) =>
  Console.log(JSON.stringify(nodes.map(({ kind, outcome }) => `${kind} ${outcome}`).toSorted()))

Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  const repositoryOf = (name: string) =>
    Effect.map(Schema.decodeEffect(Reference.ReferenceFromString)(`${content.loginServer}/${name}`), (reference) =>
      Repository.make(content, reference)
    )
  const config = yield* content.uploadBlob("samples/image", BlobSource.fromString("{}"))
  const layer = yield* content.uploadBlob("samples/image", BlobSource.fromString("layer"))
  const image = yield* content.putManifest("samples/image", Manifest.image({ config, layers: [layer] }), {
    tag: "demo"
  })
  const artifactType = MediaType.MediaType.make("application/spdx+json")
  const sbom = Manifest.image({ config, layers: [], artifactType, subject: image.descriptor })
  yield* content.putManifest("samples/image", sbom)

  const source = yield* repositoryOf("samples/image")
  yield* Effect.flatMap(Copy.run(source, yield* repositoryOf("samples/copy"), "demo"), print)
  yield* Effect.flatMap(Copy.run(source, MemoryStore.make(), "demo"), print)
}).pipe(Effect.provide(TestRegistry), NodeRuntime.runMain)
