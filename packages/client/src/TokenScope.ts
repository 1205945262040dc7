/**
 * Scopes: what a token is good for.
 *
 * Distribution's token specification, "Resource scope": `type:name:action,action`. Operations know theirs; they are
 * written by who asks for tokens ahead (`Transport.authorize`), or describes an operation of their own.
 *
 * @since 0.1.0
 */

/**
 * One scope, as in `repository:library/hello-world:metadata_read`.
 *
 * @category models
 * @since 0.1.0
 */
export type TokenScope = string

/**
 * What may be done with a repository.
 *
 * **Details**
 *
 * `pull`, `push` and `delete` are for content. The others are ACR's: `metadata_read` and `metadata_write` for properties and
 * the lists of tags and manifests, `deleted_read` and `deleted_restore` for what is soft deleted (as the Azure CLI asks for
 * them).
 *
 * @category models
 * @since 0.1.0
 */
export type Action =
  | "pull"
  | "push"
  | "delete"
  | "metadata_read"
  | "metadata_write"
  | "deleted_read"
  | "deleted_restore"

/**
 * The scope in which repositories are listed (distribution's documentation, "Token Scope Documentation").
 *
 * @category constants
 * @since 0.1.0
 */
export const catalog: TokenScope = "registry:catalog:*"

/**
 * The scope in which ACR lists soft-deleted repositories (as the Azure CLI asks for it).
 *
 * @category constants
 * @since 0.1.0
 */
export const deletedCatalog: TokenScope = "registry:deleted_catalog:*"

/**
 * A scope of one repository.
 *
 * **Gotchas**
 *
 * ACR takes `*` for the name of all repositories, except where it grants rights by repository (ABAC).
 *
 * **Example** (Getting the tokens of many repositories with few requests)
 *
 * ```ts
 * import { TokenScope, Transport } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const authorizeAll = (repositories: ReadonlyArray<string>) =>
 *   Effect.flatMap(Transport.Transport, ({ authorize }) =>
 *     authorize(repositories.map((name) => TokenScope.repository(name, "metadata_read")))
 *   )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const repository = (name: string, ...actions: ReadonlyArray<Action>): TokenScope =>
  `repository:${name}:${actions.join(",")}`
