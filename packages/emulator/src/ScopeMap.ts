/**
 * Scope maps: what a token may do with which repositories.
 *
 * `ScopeMapToken` of `AcrEmulator` has one.
 *
 * @since 0.1.0
 */

/**
 * An action that a scope map may allow.
 *
 * **Details**
 *
 * ACR's documentation, "Create a token with repository-scoped permissions". `content/read` is to pull, `content/write` to
 * push; `metadata/read` is to list and to read properties, `metadata/write` to lock and unlock.
 *
 * @category models
 * @since 0.1.0
 */
export type ScopeMapAction = "content/read" | "content/write" | "content/delete" | "metadata/read" | "metadata/write"

/**
 * The actions that are allowed on a repository, or on several.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScopeMapRule {
  /** A repository's name; `*` at its end stands for anything. */
  readonly repository: string
  /** What may be done with it. */
  readonly actions: ReadonlyArray<ScopeMapAction>
}
