/**
 * Selects names of tags and repositories by globs.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Patterns from "./internal/retention/patterns.ts"

/**
 * Which names to select.
 *
 * @category options
 * @since 0.1.0
 */
export interface NamePatternsOptions {
  /** Globs that select names: a name must match at least one. Defaults to all names. */
  readonly include?: ReadonlyArray<string>
  /** Globs that exclude names, even if `include` selects them. Defaults to none. */
  readonly exclude?: ReadonlyArray<string>
}

/**
 * Compiles globs into a predicate of names. Fails with a message if a glob is unusable.
 *
 * **Details**
 *
 * A glob matches a whole name, as in the rules of `Retention`: `v*` matches `v1` and does not match `dev1`. `*` does not match `/`,
 * and `**` does. Braces hold alternatives, `{v1,v2}.*`.
 *
 * A glob that cannot match any name, such as a regular expression, is refused: as an exclusion it would silently exclude nothing.
 *
 * **Example** (Releases without candidates)
 *
 * ```ts
 * import { NamePatterns } from "@effect-acr/artifacts"
 * import { Result } from "effect"
 *
 * export const releases = (tags: ReadonlyArray<string>) =>
 *   Result.map(NamePatterns.compile({ include: ["v*"], exclude: ["*-rc*"] }), (isWanted) => tags.filter(isWanted))
 * ```
 *
 * @category parsing
 * @since 0.1.0
 */
export const compile = ({
  exclude = [],
  include = []
}: NamePatternsOptions): Result.Result<(name: string) => boolean, string> =>
  Result.map(
    Patterns.compileAll([...include, ...exclude.map((pattern) => `!${pattern}`)], "globs"),
    ({ match }) =>
      (name) =>
        Option.isSome(match(name))
  )
