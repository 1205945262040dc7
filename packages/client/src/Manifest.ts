/**
 * Manifests: what an artifact is made of.
 *
 * A registry names a manifest by the digest of its bytes, so the bytes are never written again from the values of this
 * module: these are a view of them.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Annotations from "./Annotations.ts"
import * as Descriptor from "./Descriptor.ts"
import { list, openStruct, optional } from "./internal/schema/json.ts"
import * as MediaType from "./MediaType.ts"

/**
 * An OCI image manifest or a Docker manifest, version 2 schema 2: a configuration and layers.
 *
 * **Details**
 *
 * OCI image specification, manifest.md. The two have one shape; `mediaType` tells them apart. Fields that are unknown
 * today are kept.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ImageManifest = openStruct({
  _tag: Schema.tagDefaultOmit("ImageManifest"),
  schemaVersion: Schema.Literal(2),
  mediaType: optional(MediaType.MediaType),
  artifactType: optional(MediaType.MediaType),
  config: Descriptor.Descriptor,
  layers: list(Descriptor.Descriptor),
  subject: optional(Descriptor.Descriptor),
  annotations: optional(Annotations.Annotations)
})

/**
 * @category models
 * @since 0.1.0
 */
export type ImageManifest = typeof ImageManifest.Type

/**
 * An OCI image index or a Docker manifest list: manifests, usually one for each platform.
 *
 * **Details**
 *
 * OCI image specification, image-index.md. Fields that are unknown today are kept.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ImageIndex = openStruct({
  _tag: Schema.tagDefaultOmit("ImageIndex"),
  schemaVersion: Schema.Literal(2),
  mediaType: optional(MediaType.MediaType),
  artifactType: optional(MediaType.MediaType),
  manifests: list(Descriptor.Descriptor),
  subject: optional(Descriptor.Descriptor),
  annotations: optional(Annotations.Annotations)
})

/**
 * @category models
 * @since 0.1.0
 */
export type ImageIndex = typeof ImageIndex.Type

/**
 * A manifest of a media type that this library has no view of. Its bytes are all there is.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UnknownManifest = Schema.TaggedStruct("UnknownManifest", {
  mediaType: MediaType.MediaType
})

/**
 * @category models
 * @since 0.1.0
 */
export type UnknownManifest = typeof UnknownManifest.Type

/**
 * @category models
 * @since 0.1.0
 */
export type Manifest = ImageManifest | ImageIndex | UnknownManifest

/**
 * A manifest as it came: its bytes, and what they say.
 *
 * @category models
 * @since 0.1.0
 */
export interface Content {
  /** The bytes that the digest is of. */
  readonly bytes: Uint8Array
  /** Media type, digest and size of the bytes. */
  readonly descriptor: Descriptor.Descriptor
  /** What the bytes say. */
  readonly manifest: Manifest
}

/**
 * Makes an OCI image manifest.
 *
 * @category constructors
 * @since 0.1.0
 */
export const image = (parts: {
  readonly config: Descriptor.Descriptor
  readonly layers: ReadonlyArray<Descriptor.Descriptor>
  readonly artifactType?: MediaType.MediaType
  readonly subject?: Descriptor.Descriptor
  readonly annotations?: Annotations.Annotations
}): ImageManifest => ({
  _tag: "ImageManifest",
  schemaVersion: 2,
  mediaType: MediaType.ociImageManifest,
  ...parts
})

/**
 * Makes an OCI image index.
 *
 * @category constructors
 * @since 0.1.0
 */
export const index = (parts: {
  readonly manifests: ReadonlyArray<Descriptor.Descriptor>
  readonly artifactType?: MediaType.MediaType
  readonly subject?: Descriptor.Descriptor
  readonly annotations?: Annotations.Annotations
}): ImageIndex => ({
  _tag: "ImageIndex",
  schemaVersion: 2,
  mediaType: MediaType.ociImageIndex,
  ...parts
})

/**
 * One document must not read as an image under one media type and as an index under another (CVE-2021-41190).
 */
const unambiguous = (absent: "layers" | "manifests") =>
  Schema.makeFilter<{ readonly [key: string]: unknown }>((manifest) => !(absent in manifest), {
    expected: `a manifest without "${absent}", which its media type does not have`
  })

const ofMediaType = (own: ReadonlyArray<MediaType.MediaType>) =>
  Schema.makeFilter<{ readonly mediaType?: MediaType.MediaType }>(
    ({ mediaType }) => mediaType === undefined || own.includes(mediaType),
    { expected: "a manifest whose mediaType field agrees with its content type" }
  )

const imageTypes = [MediaType.ociImageManifest, MediaType.dockerManifest]
const indexTypes = [MediaType.ociImageIndex, MediaType.dockerManifestList]

const decodeImage = Schema.decodeUnknownResult(
  Schema.fromJsonString(ImageManifest.check(unambiguous("manifests"), ofMediaType(imageTypes)))
)
const decodeIndex = Schema.decodeUnknownResult(
  Schema.fromJsonString(ImageIndex.check(unambiguous("layers"), ofMediaType(indexTypes)))
)

/**
 * Reads a manifest's text under the media type that it came with.
 *
 * **Details**
 *
 * The media type decides how the text is read. A text that contradicts it, by its own `mediaType` field of the other
 * kind or by holding both layers and manifests, is refused; a media type other than the four of images and indexes gives an
 * `UnknownManifest`, whatever the text.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (mediaType: MediaType.MediaType, text: string): Result.Result<Manifest, Schema.SchemaError> =>
  imageTypes.includes(mediaType)
    ? decodeImage(text)
    : indexTypes.includes(mediaType)
      ? decodeIndex(text)
      : Result.succeed(UnknownManifest.make({ mediaType }))

const encodeManifest = Schema.encodeSync(Schema.fromJsonString(Schema.Union([ImageManifest, ImageIndex])))

/**
 * Writes a manifest that was made here as compact JSON, ready to be pushed.
 *
 * **Gotchas**
 *
 * Not for a manifest that was pulled: its digest belongs to the bytes that came, and these may be laid out otherwise.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (manifest: ImageManifest | ImageIndex): string => encodeManifest(manifest)
