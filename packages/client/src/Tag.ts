/**
 * Tags: the movable names of manifests.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { parser } from "./internal/schema/parser.ts"

/**
 * A tag such as `latest` or `v1.2.3`.
 *
 * **Details**
 *
 * OCI distribution specification, "Pulling manifests": 1 to 128 letters, digits, `_`, `.` and `-`. The first character
 * is neither `.` nor `-`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Tag = Schema.String.check(
  Schema.isPattern(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/, {
    expected: "a tag: 1 to 128 letters, digits and _ . -, not starting with . or -"
  })
).pipe(Schema.brand("Tag"))

/**
 * A checked tag: a branded string that only `parse` and the schema make.
 *
 * @category models
 * @since 0.1.0
 */
export type Tag = typeof Tag.Type

/**
 * Reads a tag from a string. Fails with a `SchemaError` that says what was expected.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse: (input: string) => Result.Result<Tag, Schema.SchemaError> = parser(Tag)
