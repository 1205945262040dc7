/**
 * An artifact with everything that a copy has to take along: an index of two platforms that share a layer, an SBOM of one of
 * them, and a signature of the index.
 */
import * as Graph from "@effect-acr/artifacts/Graph"
import type { ContentStore, Reader } from "@effect-acr/artifacts/ContentStore"
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Platform from "@effect-acr/client/Platform"

const encoder = new TextEncoder()

const pointer = (mediaType: MediaType.MediaType, bytes: Uint8Array) =>
  Effect.map(Hasher.Hasher, (start): Descriptor => ({
    mediaType,
    digest: Hasher.digest(start, "sha256", bytes),
    size: bytes.length
  }))

/** Puts a blob, and returns its descriptor. */
const putBlob = <E>(store: ContentStore<E>, mediaType: MediaType.MediaType, bytes: Uint8Array) =>
  Effect.tap(pointer(mediaType, bytes), (blob) => store.putBlob(blob, BlobSource.fromBytes(bytes)))

const putManifest = <E>(
  store: ContentStore<E>,
  manifest: Manifest.ImageManifest | Manifest.ImageIndex,
  tags: ReadonlyArray<string> = []
) =>
  Effect.gen(function* () {
    const mediaType = manifest._tag === "ImageIndex" ? MediaType.ociImageIndex : MediaType.ociImageManifest
    const bytes = encoder.encode(Manifest.format(manifest))
    const descriptor = yield* pointer(mediaType, bytes)
    yield* store.putManifest({ bytes, descriptor }, { tags })
    return descriptor
  })

const contents = (text: string, bytes: number): Uint8Array =>
  encoder.encode(text.repeat(Math.ceil(bytes / text.length)).slice(0, bytes))

const platform = (architecture: string): Platform.Platform => ({ os: "linux", architecture })

const sbomType = MediaType.MediaType.make("application/spdx+json")
const signatureType = MediaType.MediaType.make("application/vnd.example.signature.v1+json")

/** Attaches a small artifact to a manifest. */
export const attach = <E>(
  store: ContentStore<E>,
  subject: Descriptor,
  artifactType: MediaType.MediaType,
  text: string
) =>
  Effect.gen(function* () {
    const config = yield* putBlob(store, MediaType.ociEmpty, encoder.encode("{}"))
    const file = yield* putBlob(store, artifactType, encoder.encode(text))
    return yield* putManifest(
      store,
      Manifest.image({ config, layers: [file], artifactType, subject, annotations: { text } })
    )
  })

/** Puts the artifact under a tag. Its layers have so many bytes each. */
export const putArtifact = <E>(store: ContentStore<E>, tag: string, layerBytes = 1000) =>
  Effect.gen(function* () {
    const base = yield* putBlob(store, MediaType.ociImageLayer, contents("base ", layerBytes))
    const images = yield* Effect.forEach(["amd64", "arm64"], (architecture) =>
      Effect.gen(function* () {
        const text = JSON.stringify({ os: "linux", architecture, rootfs: { type: "layers", diff_ids: [] } })
        const config = yield* putBlob(store, MediaType.ociImageConfig, encoder.encode(text))
        const own = yield* putBlob(store, MediaType.ociImageLayer, contents(`${architecture} `, layerBytes))
        const image = yield* putManifest(store, Manifest.image({ config, layers: [base, own] }))
        return { ...image, platform: platform(architecture) }
      })
    )
    const [amd64 = base] = images
    const index = yield* putManifest(store, Manifest.index({ manifests: images }), [tag])
    const { platform: _, ...subject } = amd64
    const sbom = yield* attach(store, subject, sbomType, "an SBOM")
    const signature = yield* attach(store, index, signatureType, "a signature")
    return { index, images, sbom, signature }
  })

/** The graph that a tag names, of which nothing is missing; none if there is no such tag. Fails if something is missing. */
export const completeAt = <E>(store: Reader<E>, tag: string) =>
  Effect.gen(function* () {
    const root = yield* store.resolve(tag)
    if (Option.isNone(root)) return Option.none()
    const graph = yield* Graph.read(store, root.value, { referrers: {} })
    for (const blob of Graph.blobs(graph)) {
      if (!(yield* store.has(blob))) return yield* Effect.die(`${blob.digest} is missing`)
    }
    return Option.some(graph)
  })
