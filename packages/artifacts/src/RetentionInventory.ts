/**
 * What a repository holds: its tags and manifests, and which manifest needs which.
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
  /** When it was last moved. A time before 1970 counts as none. */
  updatedOn: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** Whether it is locked. */
  isLocked: Schema.Boolean
})

/**
 * A tag of an inventory.
 *
 * @category models
 * @since 0.1.0
 */
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
  /** What it is. `unknown` if it could not be read. */
  kind: Schema.Literals(["image", "index", "artifact", "referrer", "unknown"]),
  /** Its artifact type, or else the media type of its configuration. */
  artifactType: Schema.optionalKey(Schema.String),
  /**
   * Its size in bytes: of an image the manifest, the configuration and the layers, of an index the index alone.
   */
  sizeBytes: Schema.optionalKey(Schema.Natural),
  /** When it was pushed first. */
  createdOn: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** When it was last changed. */
  updatedOn: Schema.optionalKey(Schema.DateTimeUtcFromString),
  /** Whether it is locked. */
  isLocked: Schema.Boolean,
  /** Its state of quarantine. */
  quarantineState: Schema.optionalKey(Schema.String),
  /** Tags that the registry tells with the manifest, and does not list. */
  hiddenTags: Schema.optionalKey(Schema.Array(Schema.String)),
  /** The manifests that it names. */
  children: Schema.Array(Digest.Digest),
  /** What an index names by other types than those of manifests: blobs, mostly, such as the layers of a build cache. */
  otherEntries: Schema.optionalKey(Schema.Array(Digest.Digest)),
  /** The manifest that it refers to, there or not. */
  subject: Schema.optionalKey(Digest.Digest)
})

/**
 * A manifest of an inventory.
 *
 * @category models
 * @since 0.1.0
 */
export type Manifest = typeof Manifest.Type

/**
 * What a repository held at a time.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Inventory = Schema.Struct({
  /** The registry: `myregistry.azurecr.io`. */
  registry: Schema.String,
  /** The repository. */
  repository: Schema.String,
  /** When the inventory was begun, by the registry's clock if that can be read. */
  at: Schema.DateTimeUtcFromString,
  /**
   * `everything`: all manifests are in it. `tagged`: the registry lists none, and those that tags lead to are in it. `partial`:
   * some are known to be missing, or it is not known what some of them name, so that nothing can be said to be unused.
   */
  coverage: Schema.Literals(["everything", "tagged", "partial"]),
  /** Whether the repository as a whole is locked against deletions. */
  isLocked: Schema.Boolean,
  /** The tags, by name. */
  tags: Schema.Array(Tag),
  /** The manifests, by digest. */
  manifests: Schema.Array(Manifest),
  /** What is odd, for people to read. */
  warnings: Schema.Array(Schema.String)
})

/**
 * What a repository held at a time.
 *
 * @category models
 * @since 0.1.0
 */
export type Inventory = typeof Inventory.Type
