/**
 * A process that writes images into a layout, each under a tag of its own, and prints a tag when the image is there.
 *
 * Arguments: folder, the beginning of the tags, and how many images.
 */
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as NodeHasher from "@effect-acr/node/NodeHasher"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const [, , folder = "", prefix = "", count = ""] = process.argv

const encoder = new TextEncoder()

const program = Effect.gen(function* () {
  const layout = yield* ImageLayout.open(folder)
  const start = yield* Hasher.Hasher
  const put = (mediaType: MediaType.MediaType, text: string) => {
    const bytes = encoder.encode(text)
    const blob = { mediaType, digest: Hasher.digest(start, "sha256", bytes), size: bytes.length }
    return Effect.as(layout.putBlob(blob, BlobSource.fromBytes(bytes)), blob)
  }
  for (let number = 0; number < Number(count); number++) {
    const config = yield* put(MediaType.ociImageConfig, "{}")
    const shared = yield* put(MediaType.ociImageLayer, "shared ".repeat(50_000))
    const own = yield* put(MediaType.ociImageLayer, `${prefix} ${number} `.repeat(20_000))
    const bytes = encoder.encode(Manifest.format(Manifest.image({ config, layers: [shared, own] })))
    const digest = Hasher.digest(start, "sha256", bytes)
    const tag = `${prefix}-${number}`
    yield* layout.putManifest(
      { bytes, descriptor: { mediaType: MediaType.ociImageManifest, digest, size: bytes.length } },
      { tags: [tag] }
    )
    yield* Console.log(tag)
  }
})

program.pipe(Effect.provide(Layer.merge(NodeServices.layer, NodeHasher.layer)), NodeRuntime.runMain)
