/**
 * Changeable attributes: the locks that Azure Container Registry puts on repositories, tags and manifests.
 *
 * ACR's documentation, "Lock a container image in an Azure container registry". A repository, a tag and a manifest have
 * four attributes each. Every identity with the right to write metadata can change them, so they protect against
 * mistakes, not against attackers.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const allowed = Schema.Boolean.pipe(Schema.withConstructorDefault(Effect.succeed(true)))

/**
 * The fields of the four attributes, each a `Schema.Boolean`, for the schema of anything that can be locked. An
 * attribute that `make` is not given defaults to `true`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const fields = {
  /** Whether it may be deleted. */
  canDelete: allowed,
  /** Whether it may be overwritten. Without this right it cannot be deleted either. */
  canWrite: allowed,
  /** Whether lists show it. */
  canList: allowed,
  /** Whether it may be pulled. */
  canRead: allowed
}

/**
 * The locks on a repository, a tag or a manifest. They apply in addition to the caller's own rights.
 *
 * **Details**
 *
 * To delete or overwrite something locked fails with `Locked`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ChangeableAttributes = Schema.Struct(fields)

export type ChangeableAttributes = typeof ChangeableAttributes.Type

/**
 * Tests whether the attributes allow a deletion. A deletion needs `canDelete` and `canWrite`; overwriting needs
 * `canWrite` alone.
 *
 * **Gotchas**
 *
 * A tag, its manifest and its repository have separate attributes, and each of them can prevent the deletion: it can
 * still fail with `Locked`.
 *
 * **Example** (Listing the images whose own attributes allow a deletion)
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
 * A change of attributes. Attributes that are left out stay unchanged.
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
  /** Whether it may be deleted from now on. */
  readonly canDelete?: boolean
  /** Whether it may be overwritten from now on. Without this right it cannot be deleted either. */
  readonly canWrite?: boolean
  /** Whether lists show it from now on. */
  readonly canList?: boolean
  /** Whether it may be pulled from now on. */
  readonly canRead?: boolean
}
