/**
 * The tags and manifests of a repository, and which manifest needs which.
 *
 * @since 0.1.0
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Schema from "effect/Schema"

/**
 * A tag of an inventory.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Tag = Schema.Struct({
  /** The tag. */
  name: Schema.String,
  /** The manifest that it names. */
  digest: Digest.Digest,
  /** When the tag was last updated. A time before 1970 counts as none. */
  updatedOn: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** Whether it is locked. */
  isLocked: Schema.Boolean
})

export type Tag = typeof Tag.Type

/**
 * A manifest of an inventory.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Manifest = Schema.Struct({
  /** The manifest. */
  digest: Digest.Digest,
  /** The kind of manifest. `unknown` if it could not be read. */
  kind: Schema.Literals(["image", "index", "artifact", "referrer", "unknown"]),
  /** Its artifact type, or the media type of its configuration if it states none. */
  artifactType: Schema.optionalKey(Schema.String),
  /**
   * Its size in bytes: for an image, manifest, configuration and layers; for an index, the index alone.
   */
  sizeBytes: Schema.optionalKey(Schema.Natural),
  /** When it was first pushed. */
  createdOn: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** When it was last changed. */
  updatedOn: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** Whether it is locked. */
  isLocked: Schema.Boolean,
  /** Its quarantine state. */
  quarantineState: Schema.optionalKey(Schema.String),
  /** Tags that the registry returns with the manifest but not in the list of tags. */
  hiddenTags: Schema.optionalKey(Schema.Array(Schema.String)),
  /** The manifests that it names. */
  children: Schema.Array(Digest.Digest),
  /** Entries of an index whose media type is not that of a manifest: mostly blobs, such as the layers of a build cache. */
  otherEntries: Schema.optionalKey(Schema.Array(Digest.Digest)),
  /** The manifest that it refers to, whether or not that exists. */
  subject: Schema.optionalKey(Digest.Digest)
})

export type Manifest = typeof Manifest.Type

/**
 * The contents of a repository at a point in time.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Inventory = Schema.Struct({
  /** The registry: `myregistry.azurecr.io`. */
  registry: Schema.String,
  /** The repository. */
  repository: Schema.String,
  /** When reading began, by the registry's clock if that can be read. */
  at: Schema.DateTimeUtcFromString,
  /**
   * `everything`: all manifests. `tagged`: the manifests that tags lead to, since the registry lists none. `partial`: manifests
   * are known to be missing, or what some of them name is unknown, so that no manifest can be called unused.
   */
  coverage: Schema.Literals(["everything", "tagged", "partial"]),
  /** Whether the repository as a whole is locked against deletions. */
  isLocked: Schema.Boolean,
  /** The tags, by name. */
  tags: Schema.Array(Tag),
  /** The manifests, by digest. */
  manifests: Schema.Array(Manifest),
  /** Warnings for people to read. */
  warnings: Schema.Array(Schema.String)
})

export type Inventory = typeof Inventory.Type
