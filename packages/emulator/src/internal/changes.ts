/**
 * The contents of the registry, and the changes to them, as data.
 *
 * A registry is the sum of its changes: `state.ts` applies them as requests are answered, and applies those of a folder
 * when an emulator starts on it.
 */
import { Digest } from "@effect-acr/client/Digest"
import * as Schema from "effect/Schema"

/** The locks, by their names in ACR's API. */
export const Attributes = Schema.Struct({
  deleteEnabled: Schema.Boolean,
  writeEnabled: Schema.Boolean,
  readEnabled: Schema.Boolean,
  listEnabled: Schema.Boolean
})
export type Attributes = typeof Attributes.Type

/** RFC 3339 with seven fractional digits, so that text sorts as time does. */
const Timestamp = Schema.String
export type Timestamp = typeof Timestamp.Type

/** The common fields of repositories, manifests and tags. */
const dated = { createdTime: Timestamp, lastUpdateTime: Timestamp, attributes: Attributes }

export const StoredTag = Schema.Struct({ name: Schema.String, digest: Digest, ...dated })
export type StoredTag = typeof StoredTag.Type

/** The fields of a manifest that the registry needs. Sizes are in bytes. */
const description = {
  digest: Digest,
  size: Schema.Natural,
  mediaType: Schema.String,
  /** The blobs that count as its own. `imageSizeOf` adds the images of an index. */
  blobsSize: Schema.Natural,
  architecture: Schema.optionalKey(Schema.String),
  os: Schema.optionalKey(Schema.String),
  configMediaType: Schema.optionalKey(Schema.String),
  artifactType: Schema.optionalKey(Schema.String),
  annotations: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  subject: Schema.optionalKey(Digest),
  /** The manifests that an index refers to. */
  references: Schema.Array(
    Schema.Struct({
      digest: Digest,
      size: Schema.Natural,
      platform: Schema.optionalKey(Schema.Struct({ architecture: Schema.String, os: Schema.String }))
    })
  ),
  /** The blobs that it refers to. */
  blobs: Schema.Array(Digest)
}

/** The fields that `describe` reads from a manifest's content. The registry adds the rest of a stored manifest. */
const Description = Schema.Struct(description)
export type Description = typeof Description.Type

export const StoredManifest = Schema.Struct({
  ...description,
  ...dated,
  /** The result of a scan. Anything but `Passed` puts the manifest in quarantine. */
  quarantineState: Schema.optionalKey(Schema.String),
  quarantineDetails: Schema.optionalKey(Schema.String)
})
export type StoredManifest = typeof StoredManifest.Type

const deletedAt = { deletedAt: Timestamp }

/** A manifest in the trash, with the blobs that its repository held for it. */
const DeletedManifest = Schema.Struct({ ...StoredManifest.fields, ...deletedAt })
export type DeletedManifest = typeof DeletedManifest.Type

const DeletedTag = Schema.Struct({ ...StoredTag.fields, ...deletedAt })
export type DeletedTag = typeof DeletedTag.Type

/** A repository that was deleted as a whole. Its contents are in the trash of its name. */
const DeletedRepository = Schema.Struct({ createdTime: Timestamp, attributes: Attributes, ...deletedAt })
export type DeletedRepository = typeof DeletedRepository.Type

/** The digest of a blob, which is a path in a folder. */
const BlobDigest = Schema.String.check(Schema.isPattern(/^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/))

/** The name of the repository whose contents or trash change. */
const repository = { repository: Schema.String }

/**
 * One change.
 *
 * Each change is complete: it states the result, so that its meaning does not depend on a clock or a setting.
 */
export const Change = Schema.Union([
  /** Creates a repository, or changes its properties. */
  Schema.TaggedStruct("PutRepository", { name: Schema.String, ...dated }),
  /** Removes a repository with its contents. */
  Schema.TaggedStruct("RemoveRepository", { name: Schema.String }),
  /** Adds content that a repository or the trash is about to hold. */
  Schema.TaggedStruct("AddContent", { digest: BlobDigest, size: Schema.Natural }),
  /** Adds a blob to a repository. */
  Schema.TaggedStruct("HoldBlob", { ...repository, digest: BlobDigest }),
  Schema.TaggedStruct("DropBlob", { ...repository, digest: BlobDigest }),
  Schema.TaggedStruct("PutManifest", { ...repository, manifest: StoredManifest }),
  Schema.TaggedStruct("RemoveManifest", { ...repository, digest: Digest }),
  Schema.TaggedStruct("PutTag", { ...repository, tag: StoredTag }),
  Schema.TaggedStruct("RemoveTag", { ...repository, name: Schema.String }),
  /** Remembers a repository that was deleted as a whole. */
  Schema.TaggedStruct("TrashRepository", { ...repository, deleted: DeletedRepository }),
  Schema.TaggedStruct("UntrashRepository", repository),
  Schema.TaggedStruct("TrashManifest", { ...repository, manifest: DeletedManifest }),
  Schema.TaggedStruct("UntrashManifest", { ...repository, digest: Digest }),
  Schema.TaggedStruct("TrashTag", { ...repository, tag: DeletedTag }),
  /** One tag may have been deleted several times: the time says which. */
  Schema.TaggedStruct("UntrashTag", { ...repository, name: Schema.String, digest: Digest, ...deletedAt }),
  /** Removes from the trash everything that was deleted until a time, in milliseconds since 1970. */
  Schema.TaggedStruct("ExpireTrash", { ...repository, untilMillis: Schema.Finite }),
  /** Removes everything. */
  Schema.TaggedStruct("Clear", {})
])
export type Change = typeof Change.Type

/** The changes of one kind. */
export type ChangeOf<Tag extends Change["_tag"]> = Extract<Change, { readonly _tag: Tag }>
