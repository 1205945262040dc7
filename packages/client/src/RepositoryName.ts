/**
 * Repository names.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { parser } from "./internal/schema/parser.ts"

/**
 * The name of a repository inside its registry, such as `library/hello-world`.
 *
 * **Details**
 *
 * OCI distribution specification, "Pulling manifests": lower-case letters and digits, joined by one `.`, one or two
 * `_`, or any number of `-`, in components that `/` separates. No more than 255 characters, the limit that the
 * specification names for registry and repository together.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RepositoryName = Schema.String.check(
  // The length is checked first, so the pattern never runs on a long string.
  Schema.isMaxLength(255, { expected: "a repository name of at most 255 characters" }).abort(),
  Schema.isPattern(/^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/, {
    expected: "a repository name: lower-case components of letters, digits and . _ -, separated by /"
  })
).pipe(Schema.brand("RepositoryName"))

/**
 * A checked name: a branded string that only `parse` and the schema make.
 *
 * @category models
 * @since 0.1.0
 */
export type RepositoryName = typeof RepositoryName.Type

/**
 * Reads a repository name from a string. Fails with a `SchemaError` that says what was expected.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse: (input: string) => Result.Result<RepositoryName, Schema.SchemaError> = parser(RepositoryName)
