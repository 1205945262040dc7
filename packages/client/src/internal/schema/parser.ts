/**
 * How every noun reads itself from a string.
 */
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/**
 * A parser that never quotes its input: it may be long, hostile or a pasted secret.
 */
export const parser = <S extends Schema.ConstraintDecoder<unknown> & { readonly Encoded: string }>(
  schema: S
): ((input: string) => Result.Result<S["Type"], Schema.SchemaError>) =>
  Schema.decodeUnknownResult(schema, { reportInput: false })
