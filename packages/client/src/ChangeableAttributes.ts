/**
 * Changeable attributes: the locks that Azure Container Registry puts on repositories, tags and manifests.
 *
 * ACR's documentation, "Lock a container image in an Azure container registry". Each of a repository, a tag and a
 * manifest has four of its own. Whoever may write metadata may change them, so that they guard against mistakes and not
 * against people.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const allowed = Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(true)))

/**
 * The fields of the four attributes, each a `Schema.Boolean`, for the schema of anything that can be locked. One that is
 * left out when a value is made counts as allowed.
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
 * **Details**
 *
 * Deleting or overwriting what is locked fails with `Locked`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ChangeableAttributes = Schema.Struct(fields)

/**
 * The four attributes of one repository, tag or manifest, as they stand.
 *
 * @category models
 * @since 0.1.0
 */
export type ChangeableAttributes = typeof ChangeableAttributes.Type

/**
 * Tells whether it may be deleted: that takes `canDelete` and `canWrite`, where to overwrite takes `canWrite` alone.
 *
 * **Gotchas**
 *
 * Each tag, its manifest and the repository have attributes of their own, and any of them may stand against it: a
 * deletion can still fail with `Locked`.
 *
 * **Example** (The images that nothing of their own keeps)
 *
 * ```ts
 * import { ChangeableAttributes, ContainerRegistry } from "@effect-acr/client"
 * import { Effect, Stream } from "effect"
 *
 * export const deletable = (repository: string) =>
 *   Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) =>
 *     registry.manifests(repository).pipe(Stream.filter(ChangeableAttributes.isDeletable), Stream.runCollect)
 *   )
 * ```
 *
 * @category guards
 * @since 0.1.0
 */
export const isDeletable = ({ canDelete, canWrite }: Pick<ChangeableAttributes, "canDelete" | "canWrite">): boolean =>
  canDelete && canWrite

/**
 * A change: attributes that are left out stay as they are.
 *
 * **Example** (Locking a release, and unlocking it again)
 *
 * ```ts
 * import { type ChangeableAttributes, ContainerRegistry } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * const locked: ChangeableAttributes.Update = { canWrite: false, canDelete: false }
 * const unlocked: ChangeableAttributes.Update = { canWrite: true, canDelete: true }
 *
 * export const replace = Effect.gen(function* () {
 *   const registry = yield* ContainerRegistry.ContainerRegistry
 *   yield* registry.updateTag("library/hello-world", "v1", unlocked)
 *   yield* registry.deleteTag("library/hello-world", "v1")
 *   yield* registry.updateTag("library/hello-world", "v2", locked)
 * })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Update {
  /** May it be deleted from now on? */
  readonly canDelete?: boolean
  /** May it be overwritten from now on? Without this right it can't be deleted either. */
  readonly canWrite?: boolean
  /** Is it shown in lists from now on? */
  readonly canList?: boolean
  /** May it be pulled from now on? */
  readonly canRead?: boolean
}
