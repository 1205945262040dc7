/**
 * Manifests: the descriptions of images, indexes and other artifacts.
 *
 * A registry identifies a manifest by the digest of its bytes. The values of this module are a view of those bytes,
 * which are never serialized again from the view.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Annotations from "./Annotations.ts"
import type * as Descriptor from "./Descriptor.ts"
import * as Digest from "./Digest.ts"
import { descriptorFields } from "./internal/schema/descriptor.ts"
import {
  list,
  openStruct,
  optional,
  optionalNumber,
  optionalStruct,
  texts,
  withFallback
} from "./internal/schema/fields.ts"
import { fromJson } from "./internal/schema/json.ts"
import { parser } from "./internal/schema/parser.ts"
import { problemOf } from "./internal/schema/problem.ts"
import { StatedType } from "./internal/schema/statedType.ts"
import * as MediaType from "./MediaType.ts"

/**
 * The descriptor of the manifest that a referrer, such as a signature, refers to.
 *
 * **Details**
 *
 * OCI image specification, manifest.md, "subject". Some tools leave the size out, as the example of a bundle in
 * cosign's specification does, and an unset media type is read as `MediaType.octetStream`. `image` and `index` take a complete
 * descriptor.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Subject = openStruct({
  /** The media type of the subject, which is a manifest. */
  mediaType: withFallback(StatedType, MediaType.octetStream),
  /** The digest of the subject. */
  digest: Digest.Digest,
  /** The size of the subject, in bytes, if it is stated. */
  size: optionalNumber(Schema.Natural),
  /** Labels. */
  annotations: optional(texts),
  /** The artifact type of the subject. */
  artifactType: optional(StatedType)
})

export type Subject = typeof Subject.Type

/** A descriptor of a manifest. Its media type may be unset: other clients write and copy such content. */
const Entry: Schema.Codec<
  Descriptor.Descriptor,
  Omit<(typeof Descriptor.Descriptor)["Encoded"], "mediaType"> & { readonly mediaType?: string | null }
> = openStruct({ ...descriptorFields, mediaType: withFallback(StatedType, MediaType.octetStream) })

/**
 * An OCI image manifest or a Docker manifest, version 2 schema 2: a configuration and layers.
 *
 * **Details**
 *
 * OCI image specification, manifest.md. Both have the same fields and differ in `mediaType`. Unknown fields are kept.
 * An optional field that is `null`, an empty text or an object without values is read as absent, because programs in Go
 * write unset fields so. A missing version and version 0 are read as 2, and an unset media type of a descriptor as
 * `MediaType.octetStream`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ImageManifest = openStruct({
  _tag: Schema.tagDefaultOmit("ImageManifest"),
  /** The version of the format, which never changed. */
  schemaVersion: withFallback(Schema.Literal(2), 2),
  /** The media type that the manifest states. OCI recommends the field and does not require it. */
  mediaType: optional(MediaType.MediaType),
  /** The artifact type, if it is not an image. */
  artifactType: optional(StatedType),
  /** The configuration: an `ImageConfig` for an image, `MediaType.ociEmpty` for an artifact without one. */
  config: Entry,
  /** The layers, the lowest first; of an artifact, its files. */
  layers: list(Entry),
  /** The manifest that this one refers to: the image of a signature or of a bill of materials. */
  subject: optionalStruct(Subject),
  /** Labels. */
  annotations: optional(texts)
})

export type ImageManifest = typeof ImageManifest.Type

/**
 * An OCI image index or a Docker manifest list: manifests, usually one for each platform.
 *
 * **Details**
 *
 * OCI image specification, image-index.md. Unknown fields are kept. Unset fields are read as in an `ImageManifest`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ImageIndex = openStruct({
  _tag: Schema.tagDefaultOmit("ImageIndex"),
  /** The version of the format, which never changed. */
  schemaVersion: withFallback(Schema.Literal(2), 2),
  /** The media type that the index states. OCI recommends the field and does not require it. */
  mediaType: optional(MediaType.MediaType),
  /** The artifact type, if it is not an image. */
  artifactType: optional(StatedType),
  /** The manifests; `platform` of each says what it runs on. */
  manifests: list(Entry),
  /** The manifest that this index is about. */
  subject: optionalStruct(Subject),
  /** Labels. */
  annotations: optional(texts)
})

export type ImageIndex = typeof ImageIndex.Type

/**
 * A manifest that this library cannot read: it does not know the media type, or the text does not match it. The bytes
 * of the manifest are complete.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UnknownManifest = Schema.TaggedStruct("UnknownManifest", {
  /** The media type of the manifest. */
  mediaType: StatedType,
  /**
   * Why this library cannot read it, in one line: which field is wrong and what is expected, or that the media type is
   * not supported. The line quotes no content of the manifest.
   */
  problem: Schema.String
})

export type UnknownManifest = typeof UnknownManifest.Type

/**
 * Any manifest; `_tag` distinguishes the three kinds.
 *
 * @category models
 * @since 0.1.0
 */
export type Manifest = ImageManifest | ImageIndex | UnknownManifest

/**
 * The verified bytes of a manifest, as the registry sent them.
 *
 * **Details**
 *
 * To push the manifest elsewhere with the same digest, pass this value to `putManifest`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Raw {
  /**
   * The bytes of which the digest is the hash. A signed Docker manifest of schema 1 is the exception: its digest is
   * that of the signed content, and the bytes also contain the signatures, which are not verified.
   */
  readonly bytes: Uint8Array
  /** The media type, the digest and the size of the bytes. */
  readonly descriptor: Descriptor.Descriptor
}

/**
 * The verified bytes of a manifest, and the manifest that was read from them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Content extends Raw {
  /** The manifest that was read from the bytes. */
  readonly manifest: Manifest
}

/**
 * Makes an OCI image manifest.
 *
 * **Example** (An image, and an artifact without a configuration)
 *
 * ```ts
 * import { type Descriptor, Manifest, MediaType } from "@effect-acr/client"
 *
 * export const image = (config: Descriptor.Descriptor, layer: Descriptor.Descriptor) =>
 *   Manifest.image({ config, layers: [layer] })
 *
 * export const report = (empty: Descriptor.Descriptor, file: Descriptor.Descriptor) =>
 *   Manifest.image({
 *     artifactType: MediaType.MediaType.make("application/vnd.contoso.report.v1"),
 *     config: empty,
 *     layers: [file]
 *   })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const image = (parts: {
  /** The configuration; of an artifact without one, `{}` of type `MediaType.ociEmpty`. */
  readonly config: Descriptor.Descriptor
  /** The layers, the lowest first; of an artifact, its files. */
  readonly layers: ReadonlyArray<Descriptor.Descriptor>
  /** The artifact type, if it is not an image. */
  readonly artifactType?: MediaType.MediaType
  /** The manifest that this one is about. */
  readonly subject?: Descriptor.Descriptor
  /** Labels. */
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
 * **Example** (One tag for two platforms)
 *
 * ```ts
 * import { type Descriptor, Manifest, RegistryContent } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const putIndex = (amd64: Descriptor.Descriptor, arm64: Descriptor.Descriptor) =>
 *   Effect.flatMap(RegistryContent.RegistryContent, (content) =>
 *     content.putManifest(
 *       "samples/hello",
 *       Manifest.index({
 *         manifests: [
 *           { ...amd64, platform: { os: "linux", architecture: "amd64" } },
 *           { ...arm64, platform: { os: "linux", architecture: "arm64" } }
 *         ]
 *       }),
 *       { tag: "latest" }
 *     )
 *   )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const index = (parts: {
  /** The manifests; `platform` of each says what it runs on. */
  readonly manifests: ReadonlyArray<Descriptor.Descriptor>
  /** The artifact type, if it is not an image. */
  readonly artifactType?: MediaType.MediaType
  /** The manifest that this index is about. */
  readonly subject?: Descriptor.Descriptor
  /** Labels. */
  readonly annotations?: Annotations.Annotations
}): ImageIndex => ({
  _tag: "ImageIndex",
  schemaVersion: 2,
  mediaType: MediaType.ociImageIndex,
  ...parts
})

/**
 * The content that a manifest needs. To copy an image, copy these first and then the manifest itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface References {
  /** Other manifests in the same repository: the entries of an index. */
  readonly manifests: ReadonlyArray<Descriptor.Descriptor>
  /**
   * The configuration of an image, then its layers; of an index, the entries that are blobs. A blob may be listed
   * twice.
   */
  readonly blobs: ReadonlyArray<Descriptor.Descriptor>
}

/** Layers and configurations of images and of BuildKit's caches. */
const blobTypes =
  /^application\/vnd\.(?:oci\.image\.(?:layer|config)|docker\.(?:image\.rootfs|container\.image)|buildkit\.cacheconfig)\./

/**
 * Lists what a manifest refers to. An `UnknownManifest` has no view, so the result is empty.
 *
 * **Details**
 *
 * The `subject` is not included, because a registry accepts a manifest whose subject is missing. An entry of an index
 * is a blob if its media type is that of a layer or a configuration, as in caches of BuildKit.
 *
 * **Example** (Computing the size of an image)
 *
 * ```ts
 * import { Manifest, RegistryContent } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const bytesToPull = (repository: string, tag: string) =>
 *   Effect.gen(function* () {
 *     const content = yield* RegistryContent.RegistryContent
 *     const { manifest } = yield* content.manifest(repository, tag)
 *     return Manifest.references(manifest).blobs.reduce((sum, { size }) => sum + size, 0)
 *   })
 * ```
 *
 * @category getters
 * @since 0.1.0
 */
export const references = (manifest: Manifest): References => {
  switch (manifest._tag) {
    case "ImageManifest":
      return { manifests: [], blobs: [manifest.config, ...manifest.layers] }
    case "ImageIndex":
      return {
        manifests: manifest.manifests.filter(({ mediaType }) => !blobTypes.test(mediaType)),
        blobs: manifest.manifests.filter(({ mediaType }) => blobTypes.test(mediaType))
      }
    case "UnknownManifest":
      return { manifests: [], blobs: [] }
  }
}

/**
 * One document must not read as an image under one media type and as an index under another (CVE-2021-41190).
 */
const unambiguous = (absent: "layers" | "manifests") =>
  Schema.makeFilter<{ readonly [key: string]: unknown }>((manifest) => (manifest[absent] ?? null) === null, {
    expected: `a manifest without "${absent}", which its media type does not have`
  })

const ofMediaType = (own: ReadonlyArray<MediaType.MediaType>) =>
  Schema.makeFilter<{ readonly mediaType?: MediaType.MediaType }>(
    ({ mediaType }) => mediaType === undefined || own.includes(MediaType.essence(mediaType)),
    { expected: "a manifest whose mediaType field agrees with its content type" }
  )

const imageTypes = [MediaType.ociImageManifest, MediaType.dockerManifest]
const indexTypes = [MediaType.ociImageIndex, MediaType.dockerManifestList]

const decodeImage = parser(fromJson(ImageManifest.check(unambiguous("manifests"), ofMediaType(imageTypes))))
const decodeIndex = parser(fromJson(ImageIndex.check(unambiguous("layers"), ofMediaType(indexTypes))))

/** Obsolete manifests that registries still contain, with a description for errors. */
const unreadTypes = new Map([
  [MediaType.dockerSchema1Manifest, "a Docker manifest of schema 1, which is obsolete"],
  [MediaType.dockerSchema1SignedManifest, "a signed Docker manifest of schema 1, which is obsolete"],
  [MediaType.ociArtifactManifest, "an OCI artifact manifest, which was withdrawn from the specification"]
])

/**
 * Reads the text of a manifest as the given media type. Fails with a `SchemaError` that says what was expected.
 *
 * **Details**
 *
 * The media type decides how the text is read, without its parameters. A text that contradicts the media type is
 * refused: one whose `mediaType` field is of the other kind, or one with both layers and manifests. A media type other
 * than the four of images and indexes returns an `UnknownManifest`, whatever the text is. Values nested deeper than 64
 * levels are read as `null`.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (mediaType: MediaType.MediaType, text: string): Result.Result<Manifest, Schema.SchemaError> => {
  const type = MediaType.essence(mediaType)
  if (imageTypes.includes(type)) return decodeImage(text)
  if (indexTypes.includes(type)) return decodeIndex(text)
  const problem = unreadTypes.get(type) ?? "its media type is not that of an image or an index"
  return Result.succeed(UnknownManifest.make({ mediaType, problem }))
}

/**
 * Reads a manifest's text like `parse`, and never fails: a text that `parse` refuses is an `UnknownManifest` with the
 * problem.
 *
 * **When to use**
 *
 * Use when a manifest is useful even if this library cannot read it: to copy, store or report it.
 *
 * @category parsing
 * @since 0.1.0
 */
export const view = (mediaType: MediaType.MediaType, text: string): Manifest =>
  Result.getOrElse(parse(mediaType, text), (error) => UnknownManifest.make({ mediaType, problem: problemOf(error) }))

const encodeManifest = Schema.encodeSync(Schema.fromJsonString(Schema.Union([ImageManifest, ImageIndex])))

/**
 * Writes a manifest that `image` or `index` made as compact JSON, ready to be pushed.
 *
 * **Gotchas**
 *
 * Do not use it for a pulled manifest: the digest is that of the original bytes, whose layout may differ. Push
 * `Raw.bytes` instead.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (manifest: ImageManifest | ImageIndex): string => encodeManifest(manifest)
