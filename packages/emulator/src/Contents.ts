/**
 * The contents of an emulator's registry, for tests and for its page.
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
  /** When it was created. */
  createdTime: Schema.String,
  /** When it last changed. */
  lastUpdateTime: Schema.String
})

export type RepositorySummary = typeof RepositorySummary.Type

const Platform = Schema.Struct({ os: Schema.String, architecture: Schema.String })

/**
 * A manifest with its relations: the images of an index, and the subject of a referrer.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ManifestSummary = Schema.Struct({
  /** Its digest. */
  digest: Schema.String,
  /** Its media type. */
  mediaType: Schema.String,
  /** The type of the artifact, if the manifest names one. */
  artifactType: Schema.optionalKey(Schema.String),
  /** The platform of an image. */
  platform: Schema.optionalKey(Platform),
  /** The size of the manifest itself, in bytes. */
  size: Schema.Natural,
  /** The size that ACR reports for the image, in bytes: that of its layers, or of all images of an index. */
  imageSize: Schema.Natural,
  /** The tags that name it. */
  tags: Schema.Array(Schema.String),
  /** The digests of the manifests that an index refers to. Not all of them need to exist. */
  references: Schema.Array(Schema.String),
  /** The digest of the subject of a referrer. The subject need not exist. */
  subject: Schema.optionalKey(Schema.String),
  /** When it was pushed. */
  createdTime: Schema.String,
  /** Its locks. */
  attributes: Attributes
})

export type ManifestSummary = typeof ManifestSummary.Type

/**
 * The contents of a repository: its tags, its manifests and its locks.
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
  /** Its manifests, the most recently pushed first. */
  manifests: Schema.Array(ManifestSummary),
  /** Its locks. */
  attributes: Attributes
})

export type RepositoryContents = typeof RepositoryContents.Type
