/**
 * Shared parts of layouts and archives: content that is verified while it is read, and manifests whose media type only their text
 * shows.
 */
import type * as BlobSource from "@effect-acr/client/BlobSource"
import * as Content from "@effect-acr/client/Content"
import * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import * as MediaType from "@effect-acr/client/MediaType"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Pointer } from "../ContentStore.ts"
import { isManifest } from "./references.ts"
import { ofSource, OfSource } from "./sides.ts"

/** Larger files are not manifests: registries refuse manifests of more than 4 MiB. */
export const mostManifestBytes = 4 * 1024 * 1024

/** The fields that show the media type of a manifest that does not state it. OCI image specification, manifest.md and image-index.md. */
const decodeFields = Schema.decodeUnknownOption(
  Schema.fromJsonString(
    Schema.Struct({
      mediaType: Schema.optionalKey(Schema.Unknown),
      schemaVersion: Schema.optionalKey(Schema.Unknown),
      manifests: Schema.optionalKey(Schema.Unknown),
      config: Schema.optionalKey(Schema.Unknown),
      layers: Schema.optionalKey(Schema.Unknown)
    })
  )
)

const decoder = new TextDecoder()
const isMediaType = Schema.is(MediaType.MediaType)

/** The media type of a manifest; none if the content is not a manifest. */
const mediaTypeOf = (bytes: Uint8Array): Option.Option<MediaType.MediaType> =>
  Option.flatMap(decodeFields(decoder.decode(bytes)), ({ config, layers, manifests, mediaType, schemaVersion }) => {
    if (isMediaType(mediaType) && (schemaVersion !== undefined || manifests !== undefined || config !== undefined)) {
      return Option.some(mediaType)
    }
    if (schemaVersion !== 2) return Option.none()
    if (Array.isArray(manifests)) return Option.some(MediaType.ociImageIndex)
    return config !== undefined && layers !== undefined ? Option.some(MediaType.ociImageManifest) : Option.none()
  })

/**
 * The media type of a manifest whose descriptor may state one. If the descriptor states none, or one that no manifest has, the
 * content shows it.
 */
export const manifestType = (
  stated: Option.Option<MediaType.MediaType>,
  bytes: Uint8Array
): Option.Option<MediaType.MediaType> =>
  Option.exists(stated, (mediaType) => isManifest({ mediaType }))
    ? stated
    : Option.orElse(mediaTypeOf(bytes), () => stated)

/** The file `oci-layout`. OCI image specification, image-layout.md. */
export const decodeVersion = Schema.decodeUnknownOption(
  Schema.fromJsonString(Schema.Struct({ imageLayoutVersion: Schema.String }))
)

/** The only version that exists. */
export const layoutVersion = "1.0.0"

/** The file of a blob or a manifest in a layout, be it a folder or an archive. OCI image specification, image-layout.md, "Blobs". */
export const blobName = (digest: Digest.Digest): string => `blobs/${Digest.algorithm(digest)}/${Digest.hex(digest)}`

/** Content that is hashed and counted while it is read. */
export const measured = <E, R>(content: Stream.Stream<Uint8Array, E, R>, hash: Hasher.Hash) => {
  let size = 0
  const stream = Stream.mapArray(content, (pieces) => {
    for (const piece of pieces) {
      hash.update(piece)
      size += piece.length
    }
    return pieces
  })
  return { stream, size: () => size, digest: () => Digest.Digest.make(`sha256:${hash.hex()}`) }
}

/** The layers of images by their compression. OCI image specification, layer.md. */
export const layerTypes = {
  none: MediaType.ociImageLayer,
  gzip: MediaType.ociImageLayerGzip,
  zstd: MediaType.ociImageLayerZstd
}

/** Content that is verified against the digest while it is read. `differs` makes the error of a mismatch. */
export const verified = <E, R, E2>(
  blob: Pick<Pointer, "digest" | "size">,
  content: Stream.Stream<Uint8Array, E, R>,
  startHash: Hasher.Start,
  differs: (error: RegistryError) => E2
): Stream.Stream<Uint8Array, E | E2, R> =>
  content.pipe(
    Stream.mapError(ofSource),
    Content.verify(blob),
    Stream.mapError((error) => (error instanceof OfSource ? error.cause : differs(error))),
    Stream.provideService(Hasher.Hasher, startHash)
  )

/** A blob that is verified if it is read from its beginning. */
export const blobSource = <E>(
  blob: Pointer,
  read: BlobSource.BlobSource<E>["read"],
  repeatable: boolean,
  startHash: Hasher.Start,
  differs: (error: RegistryError) => E
): BlobSource.BlobSource<E> => ({
  sizeBytes: Effect.succeed(blob.size),
  read: (offset, heldBytes) =>
    offset === 0 ? verified(blob, read(0, heldBytes), startHash, differs) : read(offset, heldBytes),
  repeatable,
  unverified: { read }
})
