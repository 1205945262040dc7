/**
 * Scope maps: the permissions of a token, by repository.
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
 * `content/read` allows pulling, `content/write` pushing, `metadata/read` listing and reading properties, and
 * `metadata/write` locking and unlocking. Source: ACR's documentation, "Create a token with repository-scoped
 * permissions".
 *
 * @category models
 * @since 0.1.0
 */
export type ScopeMapAction = "content/read" | "content/write" | "content/delete" | "metadata/read" | "metadata/write"

/**
 * The allowed actions on one repository, or on several.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScopeMapRule {
  /** The name of a repository. `*` at its end matches anything. */
  readonly repository: string
  /** The allowed actions. */
  readonly actions: ReadonlyArray<ScopeMapAction>
}
