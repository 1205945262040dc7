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
import type * as Annotations from "./Annotations.ts"
import * as Descriptor from "./Descriptor.ts"
import * as Digest from "./Digest.ts"
import {
  fromJson,
  list,
  openStruct,
  optional,
  optionalNumber,
  optionalStruct,
  texts,
  withFallback
} from "./internal/schema/json.ts"
import { parser } from "./internal/schema/parser.ts"
import { problemOf } from "./internal/schema/problem.ts"
import * as MediaType from "./MediaType.ts"

/**
 * The descriptor of the manifest that another one is about.
 *
 * **Details**
 *
 * OCI image specification, manifest.md, "subject". It is a descriptor, whose size some tools leave out: the example of a
 * bundle in cosign's specification has none. `image` and `index` take a whole descriptor.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Subject = openStruct({
  /** What the subject is: the media type of a manifest. */
  mediaType: MediaType.MediaType,
  /** The digest of the subject. */
  digest: Digest.Digest,
  /** The size of the subject, in bytes, if it is stated. */
  size: optionalNumber(Schema.Natural),
  /** Labels. */
  annotations: optional(texts),
  /** What kind of artifact the subject is. */
  artifactType: optional(MediaType.MediaType)
})

/**
 * The subject of one manifest.
 *
 * @category models
 * @since 0.1.0
 */
export type Subject = typeof Subject.Type

/**
 * An OCI image manifest or a Docker manifest, version 2 schema 2: a configuration and layers.
 *
 * **Details**
 *
 * OCI image specification, manifest.md. The two have one shape; `mediaType` tells them apart. Fields that are unknown
 * today are kept. An optional field that is `null`, an empty text or an object without values is absent, as programs in
 * Go mean it; a version that is missing or 0 is 2.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ImageManifest = openStruct({
  _tag: Schema.tagDefaultOmit("ImageManifest"),
  /** The version of the format, which never changed. */
  schemaVersion: withFallback(Schema.Literal(2), 2),
  /** The manifest's own media type. OCI wants it to be there, and does not demand it. */
  mediaType: optional(MediaType.MediaType),
  /** What kind of artifact it is, if it is no image. */
  artifactType: optional(MediaType.MediaType),
  /** The configuration: of an image an `ImageConfig`, of an artifact without one `MediaType.ociEmpty`. */
  config: Descriptor.Descriptor,
  /** The layers, the lowest first; of an artifact, its files. */
  layers: list(Descriptor.Descriptor),
  /** The manifest that this one is about: a signature or a bill of materials refers to its image so. */
  subject: optionalStruct(Subject),
  /** Labels. */
  annotations: optional(texts)
})

/**
 * The manifest of one image or artifact: what it is configured by and which layers it has.
 *
 * @category models
 * @since 0.1.0
 */
export type ImageManifest = typeof ImageManifest.Type

/**
 * An OCI image index or a Docker manifest list: manifests, usually one for each platform.
 *
 * **Details**
 *
 * OCI image specification, image-index.md. Fields that are unknown today are kept, and fields that are not set are read as
 * those of an `ImageManifest`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ImageIndex = openStruct({
  _tag: Schema.tagDefaultOmit("ImageIndex"),
  /** The version of the format, which never changed. */
  schemaVersion: withFallback(Schema.Literal(2), 2),
  /** The index's own media type. OCI wants it to be there, and does not demand it. */
  mediaType: optional(MediaType.MediaType),
  /** What kind of artifact it is, if it is no image. */
  artifactType: optional(MediaType.MediaType),
  /** The manifests; `platform` of each says what it runs on. */
  manifests: list(Descriptor.Descriptor),
  /** The manifest that this index is about. */
  subject: optionalStruct(Subject),
  /** Labels. */
  annotations: optional(texts)
})

/**
 * An index of manifests.
 *
 * @category models
 * @since 0.1.0
 */
export type ImageIndex = typeof ImageIndex.Type

/**
 * A manifest without a view: its media type is none that this library reads, or its text is not what the media type
 * demands. Its bytes are all there is.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UnknownManifest = Schema.TaggedStruct("UnknownManifest", {
  /** Its media type. */
  mediaType: MediaType.MediaType,
  /**
   * Why there is no view, in one line: which field is wrong and what it should be, or that no view of the media type
   * exists. It quotes nothing of the manifest.
   */
  problem: Schema.String
})

/**
 * A manifest of which nothing is known but its media type, and why.
 *
 * @category models
 * @since 0.1.0
 */
export type UnknownManifest = typeof UnknownManifest.Type

/**
 * What any manifest says; `_tag` tells the three apart.
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
 * To push it elsewhere, put it as it is: so it keeps its digest.
 *
 * @category models
 * @since 0.1.0
 */
export interface Raw {
  /**
   * The bytes that the digest is of. A signed Docker manifest of schema 1 is the exception: its digest is of what was
   * signed, and the bytes have the signatures as well, which are not verified.
   */
  readonly bytes: Uint8Array
  /** Media type, digest and size of the bytes. */
  readonly descriptor: Descriptor.Descriptor
}

/**
 * The verified bytes of a manifest, and what they say.
 *
 * @category models
 * @since 0.1.0
 */
export interface Content extends Raw {
  /** What the bytes say. */
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
  /** What kind of artifact it is, if it is no image. */
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
  /** What kind of artifact it is, if it is no image. */
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
 * What a manifest refers to, and can't be without: to copy an image is to copy these, and then itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface References {
  /** Other manifests, in the same repository: those that an index lists. */
  readonly manifests: ReadonlyArray<Descriptor.Descriptor>
  /** Blobs: the configuration of an image, then its layers; of an index, entries that are blobs. One may be named twice. */
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
 * Its `subject` is not among them: a manifest is about that, and may be put where that is missing. An entry of an index
 * whose media type is that of a layer or a configuration is a blob, as in caches of BuildKit.
 *
 * **Example** (How much there is to pull of an image)
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

/** Manifests that tools still meet, and what they are. */
const unreadTypes = new Map([
  [MediaType.dockerSchema1Manifest, "a Docker manifest of schema 1, which is obsolete"],
  [MediaType.dockerSchema1SignedManifest, "a signed Docker manifest of schema 1, which is obsolete"],
  [MediaType.ociArtifactManifest, "an OCI artifact manifest, which was withdrawn from the specification"]
])

/**
 * Reads a manifest's text under the media type that it came with. Fails with a `SchemaError` that says what was expected.
 *
 * **Details**
 *
 * The media type decides how the text is read, without its parameters. A text that contradicts it, by its own `mediaType`
 * field of the other kind or by holding both layers and manifests, is refused; a media type other than the four of images
 * and indexes gives an `UnknownManifest`, whatever the text. Values nested deeper than 64 levels are `null`.
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
 * Use when the bytes are worth having without a view: to copy, to store or to report them.
 *
 * @category parsing
 * @since 0.1.0
 */
export const view = (mediaType: MediaType.MediaType, text: string): Manifest =>
  Result.getOrElse(parse(mediaType, text), (error) => UnknownManifest.make({ mediaType, problem: problemOf(error) }))

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
