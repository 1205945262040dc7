/**
 * Changeable attributes: the locks that Azure Container Registry puts on repositories, tags and manifests.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const allowed = Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(true)))

/**
 * The fields that a lockable thing has; what the registry does not mention is allowed.
 *
 * @category schemas
 * @since 0.1.0
 */
export const fields = {
  /** May it be deleted? */
  canDelete: allowed,
  /** May it be overwritten? Without this right it can't be deleted either. */
  canWrite: allowed,
  /** Is it shown in lists? */
  canList: allowed,
  /** May it be pulled? */
  canRead: allowed
}

/**
 * What may be done with a repository, a tag or a manifest, apart from what the caller's own rights allow.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ChangeableAttributes = Schema.Struct(fields)

/**
 * @category models
 * @since 0.1.0
 */
export type ChangeableAttributes = typeof ChangeableAttributes.Type

/**
 * A change: attributes that are left out stay as they are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Update {
  readonly canDelete?: boolean
  readonly canWrite?: boolean
  readonly canList?: boolean
  readonly canRead?: boolean
}
