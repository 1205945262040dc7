/**
 * What the registry of an emulator holds, as a person or a test looks at it.
 *
 * `AcrEmulator.repositories` and `AcrEmulator.contents` return it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Attributes } from "./internal/changes.ts"

/**
 * A repository, in numbers.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RepositorySummary = Schema.Struct({
  /** Its name. */
  name: Schema.String,
  /** How many manifests it has. */
  manifestCount: Schema.Natural,
  /** How many tags it has. */
  tagCount: Schema.Natural,
  /** When it was made. */
  createdTime: Schema.String,
  /** When it last changed. */
  lastUpdateTime: Schema.String
})

/**
 * A repository, in numbers.
 *
 * @category models
 * @since 0.1.0
 */
export type RepositorySummary = typeof RepositorySummary.Type

const Platform = Schema.Struct({ os: Schema.String, architecture: Schema.String })

/**
 * A manifest, with all that its place in a tree takes: the images of an index, and the subject of a referrer.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ManifestSummary = Schema.Struct({
  /** Its digest. */
  digest: Schema.String,
  /** Its media type. */
  mediaType: Schema.String,
  /** What kind of artifact it is, if it says so. */
  artifactType: Schema.optionalKey(Schema.String),
  /** The platform that an image runs on. */
  platform: Schema.optionalKey(Platform),
  /** The bytes of the manifest itself. */
  size: Schema.Natural,
  /** What ACR states as the size of the image, in bytes: its layers, or all images of an index. */
  imageSize: Schema.Natural,
  /** The tags that name it. */
  tags: Schema.Array(Schema.String),
  /** The digests of the manifests that an index refers to. Not all of them need to exist. */
  references: Schema.Array(Schema.String),
  /** The digest of the manifest that it is about, if it is a referrer. It need not exist. */
  subject: Schema.optionalKey(Schema.String),
  /** When it was pushed. */
  createdTime: Schema.String,
  /** Its locks. */
  attributes: Attributes
})

/**
 * A manifest, with all that its place in a tree takes.
 *
 * @category models
 * @since 0.1.0
 */
export type ManifestSummary = typeof ManifestSummary.Type

/**
 * What a repository holds.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RepositoryContents = Schema.Struct({
  /** Its name. */
  name: Schema.String,
  /** Its tags, by name. */
  tags: Schema.Array(
    Schema.Struct({
      name: Schema.String,
      digest: Schema.String,
      lastUpdateTime: Schema.String,
      attributes: Attributes
    })
  ),
  /** Its manifests, those pushed last first. */
  manifests: Schema.Array(ManifestSummary),
  /** Its locks. */
  attributes: Attributes
})

/**
 * What a repository holds.
 *
 * @category models
 * @since 0.1.0
 */
export type RepositoryContents = typeof RepositoryContents.Type
