/**
 * Token scopes: the rights of a token.
 *
 * Distribution's token specification, "Resource scope": `type:name:action,action`. The library knows the scopes of its
 * operations. You need them to request tokens in advance (`Transport.authorize`) or to describe custom operations.
 *
 * @since 0.1.0
 */

/**
 * A scope, such as `repository:library/hello-world:metadata_read`.
 *
 * @category models
 * @since 0.1.0
 */
export type TokenScope = string

/**
 * An action on a repository.
 *
 * **Details**
 *
 * `pull`, `push` and `delete` are for content. The others are ACR's: `metadata_read` and `metadata_write` for
 * properties and the lists of tags and manifests, `deleted_read` and `deleted_restore` for soft-deleted content (as the
 * Azure CLI requests them).
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
 * The scope for listing repositories (distribution's documentation, "Token Scope Documentation").
 *
 * @category constants
 * @since 0.1.0
 */
export const catalog: TokenScope = "registry:catalog:*"

/**
 * The scope for listing soft-deleted repositories in ACR (as the Azure CLI requests it).
 *
 * @category constants
 * @since 0.1.0
 */
export const deletedCatalog: TokenScope = "registry:deleted_catalog:*"

/**
 * Makes the scope for actions on one repository.
 *
 * **Gotchas**
 *
 * ACR accepts `*` as the name of all repositories, except on registries that grant rights by repository (ABAC).
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
