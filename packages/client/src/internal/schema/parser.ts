/**
 * How every noun reads itself from a string.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { withoutContent } from "./problem.ts"

/**
 * A parser that never quotes its input: it may be long, hostile or a pasted secret.
 */
export const parser = <S extends Schema.ConstraintDecoder<unknown> & { readonly Encoded: string }>(
  schema: S
): ((input: string) => Result.Result<S["Type"], Schema.SchemaError>) => {
  const decode = Schema.decodeUnknownResult(schema, { reportInput: false })
  return (input) => Result.mapError(decode(input), withoutContent)
}
