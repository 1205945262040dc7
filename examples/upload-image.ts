/**
 * Uploads an image: its configuration, its layers, then the manifest that makes an image of them, under a tag.
 */
import {
  BlobSource,
  ContainerRegistry,
  Digest,
  ImageConfig,
  Manifest,
  MediaType,
  RegistryContent
} from "@effect-acr/client"
import { Config, Console, Effect } from "effect"
import { RegistryLive, run } from "./support/registry.ts"

const files = ["A first layer: not a real archive, as no registry looks inside.\n", "A second one.\n"]

export const uploadImage = Effect.gen(function* () {
  const { loginServer } = yield* ContainerRegistry.ContainerRegistry
  const content = yield* RegistryContent.RegistryContent
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("samples/uploaded"))
  const tag = yield* Config.String("TAG").pipe(Config.withDefault("demo"))

  const layers = yield* Effect.forEach(
    files,
    (text) => content.uploadBlob(repository, BlobSource.fromString(text), { mediaType: MediaType.ociImageLayer }),
    { concurrency: 4 }
  )
  const config = yield* content.uploadBlob(
    repository,
    BlobSource.fromString(
      ImageConfig.format({
        architecture: "amd64",
        os: "linux",
        rootfs: { type: "layers", diff_ids: layers.map(({ digest }) => digest) },
        history: []
      })
    ),
    { mediaType: MediaType.ociImageConfig }
  )
  const pushed = yield* content.putManifest(repository, Manifest.image({ config, layers }), { tag })

  yield* Console.log(`pushed ${loginServer}/${repository}:${tag}`)
  for (const { digest, mediaType, size } of [pushed.descriptor, config, ...layers]) {
    yield* Console.log(`  ${Digest.hex(digest).slice(0, 12)}  ${String(size).padStart(5)} bytes  ${mediaType}`)
  }
})

if (import.meta.main) run(uploadImage, RegistryLive)
