/**
 * An image whose layers come from everywhere that content can come from, pushed by the client.
 */
import { createHash, randomBytes } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as ImageConfig from "@effect-acr/client/ImageConfig"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { temporaryFolder } from "./command.ts"

export const mebibyte = 1024 * 1024

export const digestOf = (content: string | Uint8Array): string =>
  `sha256:${createHash("sha256").update(content).digest("hex")}`

/** Pieces of a size that no chunk is a multiple of. A generator gives them once. */
function* inPieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += 100_003) yield bytes.subarray(offset, offset + 100_003)
}

/** A source that can be read once, and does not know how much it has. */
export const oneShot = (bytes: Uint8Array): BlobSource.BlobSource =>
  BlobSource.fromStream(Stream.fromIterable(inPieces(bytes)))

interface Part {
  readonly bytes: Uint8Array
  readonly source: BlobSource.BlobSource<PlatformError.PlatformError, FileSystem.FileSystem>
}

interface Pushed {
  readonly manifest: Manifest.ImageManifest
  /** The descriptor and the bytes of the manifest. */
  readonly descriptor: Descriptor
  readonly bytes: Uint8Array
  /** Config and layers. */
  readonly blobs: ReadonlyArray<{ readonly descriptor: Descriptor; readonly bytes: Uint8Array }>
}

/** Pushes an image of random layers, each other than any before it but the empty one. */
export const pushImage = Effect.fnUntraced(function* (
  repository: string,
  options: { readonly tags?: ReadonlyArray<string>; readonly architecture?: string } = {}
) {
  const content = yield* RegistryContent
  const folder = yield* temporaryFolder

  const fromFile = randomBytes(2 * mebibyte + 17)
  const path = join(folder, "layer.tar")
  yield* Effect.promise(() => writeFile(path, fromFile))
  const large = randomBytes(3 * mebibyte + 1)
  const small = randomBytes(1000)
  const streamed = randomBytes(3 * mebibyte + 500)
  const parts: ReadonlyArray<Part> = [
    { bytes: large, source: BlobSource.fromBytes(large) },
    { bytes: small, source: BlobSource.fromBytes(small) },
    { bytes: fromFile, source: BlobSource.fromFile(path) },
    { bytes: streamed, source: oneShot(streamed) },
    { bytes: new Uint8Array(), source: BlobSource.fromBytes(new Uint8Array()) }
  ]
  const layers = yield* Effect.forEach(parts, ({ bytes, source }) =>
    Effect.map(
      content.uploadBlob(repository, source, { mediaType: MediaType.ociImageLayer, chunkSize: mebibyte }),
      (descriptor) => ({ bytes, descriptor })
    )
  )

  const text = ImageConfig.format({
    architecture: options.architecture ?? "amd64",
    os: "linux",
    rootfs: { type: "layers", diff_ids: layers.map(({ descriptor }) => descriptor.digest) },
    history: []
  })
  const config = yield* content.uploadBlob(repository, BlobSource.fromString(text), {
    mediaType: MediaType.ociImageConfig
  })

  const manifest = Manifest.image({
    config,
    layers: layers.map(({ descriptor }) => descriptor),
    annotations: { "org.example.odd": "spaces   and ünïcode" }
  })
  const { descriptor } = yield* content.putManifest(repository, manifest, { tags: options.tags ?? [] })
  const pushed: Pushed = {
    manifest,
    descriptor,
    bytes: new TextEncoder().encode(Manifest.format(manifest)),
    blobs: [{ descriptor: config, bytes: new TextEncoder().encode(text) }, ...layers]
  }
  return pushed
})
