/**
 * Globs that the names of tags and repositories are compared with.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Patterns from "./internal/retention/patterns.ts"

/**
 * Which names to take.
 *
 * @category options
 * @since 0.1.0
 */
export interface NamePatternsOptions {
  /** Globs of which a name has to match one. Defaults to all names. */
  readonly include?: ReadonlyArray<string>
  /** Globs that exclude the names that they match. They come before `include`. Defaults to none. */
  readonly exclude?: ReadonlyArray<string>
}

/**
 * Compiles globs into a test of names. Fails with a message if a glob cannot be used.
 *
 * **Details**
 *
 * A glob matches a whole name, as in the rules of `Retention`: `v*` matches `v1` and does not match `dev1`. `*` does not match `/`,
 * and `**` does. Braces hold alternatives, `{v1,v2}.*`.
 *
 * A glob that cannot match any name, such as a regular expression, is refused: an exclusion that excludes nothing would be
 * a mistake.
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
    Patterns.compileAll([...include, ...exclude.map((pattern) => `!${pattern}`)]),
    ({ match }) =>
      (name) =>
        Option.isSome(match(name))
  )
