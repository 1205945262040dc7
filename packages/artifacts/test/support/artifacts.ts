/**
 * Small artifacts, and stores that hold them.
 */
import { createHash } from "node:crypto"
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Effect from "effect/Effect"
import { MissingContent } from "../../src/ContentStore.ts"
import * as MemoryStore from "../../src/MemoryStore.ts"

const digestOf = (bytes: Uint8Array): Digest.Digest =>
  Digest.Digest.make(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)

export const blobOf = (mediaType: MediaType.MediaType, text: string): Descriptor => {
  const bytes = new TextEncoder().encode(text)
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}

export const rawOf = (mediaType: MediaType.MediaType, document: object | string): Manifest.Raw => {
  const bytes = new TextEncoder().encode(typeof document === "string" ? document : JSON.stringify(document))
  return { bytes, descriptor: { mediaType, digest: digestOf(bytes), size: bytes.length } }
}

export const config = blobOf(MediaType.ociImageConfig, "{}")
export const layer = (text: string) => blobOf(MediaType.ociImageLayer, text)

export const image = (...texts: ReadonlyArray<string>) =>
  rawOf(MediaType.ociImageManifest, Manifest.format(Manifest.image({ config, layers: texts.map(layer) })))

export const attachment = (name: string, subject: Descriptor, artifactType = "application/spdx+json") =>
  rawOf(
    MediaType.ociImageManifest,
    Manifest.format(
      Manifest.image({
        config,
        layers: [],
        artifactType: MediaType.MediaType.make(artifactType),
        subject,
        annotations: { name }
      })
    )
  )

export const index = (...children: ReadonlyArray<Descriptor>) =>
  rawOf(MediaType.ociImageIndex, Manifest.format(Manifest.index({ manifests: children })))

/** An entry of an index with a platform. */
export const forPlatform = ({ descriptor }: Manifest.Raw, architecture: string): Descriptor => ({
  ...descriptor,
  platform: { os: "linux", architecture }
})

export const amd64 = image("base", "amd64")
export const arm64 = image("base", "arm64")
export const both = index(amd64.descriptor, arm64.descriptor)

/** A store with blobs, and manifests in an order in which it takes them. */
export const holding = (blobs: ReadonlyArray<string>, manifests: ReadonlyArray<Manifest.Raw>) =>
  Effect.gen(function* () {
    const store = MemoryStore.make()
    for (const text of ["{}", ...blobs]) {
      yield* store.putBlob(layer(text), BlobSource.fromString(text))
    }
    for (const manifest of manifests) yield* store.putManifest(manifest)
    return store
  })

/**
 * A store that claims to have each blob until it is put a second time, and reports one missing blob at a time, as a registry may
 * whose proxy caches the responses to HEAD requests.
 */
export const reportingOne = (store: MemoryStore.MemoryStore): MemoryStore.MemoryStore => {
  const claimed = new Set<string>()
  return {
    ...store,
    putBlob: (blob, source, options) => {
      if (claimed.has(blob.digest)) return store.putBlob(blob, source, options)
      claimed.add(blob.digest)
      return Effect.succeed("present")
    },
    putManifest: (manifest, options) =>
      Effect.mapError(store.putManifest(manifest, options), (error) =>
        error instanceof MissingContent
          ? new MissingContent({ manifest: error.manifest, digests: error.digests.slice(0, 1) })
          : error
      )
  }
}
