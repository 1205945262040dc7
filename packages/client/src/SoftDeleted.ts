/**
 * The records of soft-deleted repositories, manifests and tags in Azure Container Registry, which can be restored.
 *
 * ACR's documentation, "Recover deleted artifacts with soft delete policy". The records contain neither the time of
 * expiry nor the references of a manifest. Content expires when the retention of the policy, 1 to 90 days, has passed
 * since `deletedOn`; Azure Resource Manager has the policy. The registry removes expired content every 24 hours.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Digest from "./Digest.ts"
import * as RepositoryName from "./RepositoryName.ts"
import * as Tag from "./Tag.ts"

const recordFields = {
  /** When it was created, to the millisecond. */
  createdOn: Schema.DateTimeUtc,
  /** When it was deleted, to the millisecond. */
  deletedOn: Schema.DateTimeUtc,
  /**
   * The original record of the registry, with unknown fields and exact times. Values nested deeper than 64 levels are
   * `null`.
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

export type SoftDeletedRepository = typeof SoftDeletedRepository.Type

/**
 * A deleted manifest.
 *
 * **Gotchas**
 *
 * The registry does not state what kind of manifest it is, which manifests an index refers to, or which subject a
 * referrer has.
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

export type SoftDeletedManifest = typeof SoftDeletedManifest.Type

/**
 * A tag that was deleted, alone or with its manifest.
 *
 * **Gotchas**
 *
 * A tag that was deleted several times has a record for each deletion, possibly with different digests. Compare
 * `deletedOn` to find the newest.
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

export type SoftDeletedTag = typeof SoftDeletedTag.Type
