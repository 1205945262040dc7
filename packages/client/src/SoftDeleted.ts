/**
 * What Azure Container Registry tells of soft-deleted things: repositories, manifests and tags that can be restored.
 *
 * ACR's documentation, "Recover deleted artifacts with soft delete policy". The registry stores neither the expiry nor what
 * a manifest refers to in these records. A thing expires when the retention of the policy, 1 to 90 days, has passed since
 * `deletedOn`; Azure Resource Manager has the policy. The registry looks for expired things every 24 hours.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.ts"
import * as RepositoryName from "./RepositoryName.ts"
import * as Tag from "./Tag.ts"

const recordFields = {
  /** The time at which it was made, to the millisecond. */
  createdOn: Schema.DateTimeUtc,
  /** The time at which it was deleted, to the millisecond. */
  deletedOn: Schema.DateTimeUtc,
  /**
   * The registry's record, as it came: fields that this library does not know, times to the last digit. Values nested
   * deeper than 64 levels are `null`.
   */
  raw: Schema.JsonObject.pipe(Schema.withConstructorDefault(Effect.succeed({})))
}

/**
 * A repository that was deleted as a whole.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SoftDeletedRepository = Schema.Struct({
  /** The repository's name. */
  name: RepositoryName.RepositoryName,
  ...recordFields
})

/**
 * One deleted repository.
 *
 * @category models
 * @since 0.1.0
 */
export type SoftDeletedRepository = typeof SoftDeletedRepository.Type

/**
 * A deleted manifest.
 *
 * **Gotchas**
 *
 * The registry does not say what kind of manifest it is, which manifests an index refers to, and which subject a referrer
 * has.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SoftDeletedManifest = Schema.Struct({
  /** The repository that the manifest was in. */
  repositoryName: RepositoryName.RepositoryName,
  /** The manifest's digest. */
  digest: Digest.Digest,
  ...recordFields
})

/**
 * One deleted manifest.
 *
 * @category models
 * @since 0.1.0
 */
export type SoftDeletedManifest = typeof SoftDeletedManifest.Type

/**
 * A deleted tag: deleted alone, or with the manifest that it named.
 *
 * **Gotchas**
 *
 * A tag that was deleted several times has a record for each deletion, perhaps with different digests. Compare `deletedOn`
 * to find the newest.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SoftDeletedTag = Schema.Struct({
  /** The repository that the tag was in. */
  repositoryName: RepositoryName.RepositoryName,
  /** The tag. */
  name: Tag.Tag,
  /** The manifest that the tag named. */
  digest: Digest.Digest,
  ...recordFields
})

/**
 * One deletion of a tag.
 *
 * @category models
 * @since 0.1.0
 */
export type SoftDeletedTag = typeof SoftDeletedTag.Type
