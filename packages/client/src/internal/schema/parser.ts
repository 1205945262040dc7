/**
 * The parser of all nouns.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { withoutContent } from "./problem.ts"

/**
 * Makes a parser that never quotes its input, which may be long, hostile or a pasted secret.
 */
export const parser = <S extends Schema.ConstraintDecoder<unknown> & { readonly Encoded: string }>(
  schema: S
): ((input: string) => Result.Result<S["Type"], Schema.SchemaError>) => {
  const decode = Schema.decodeUnknownResult(schema, { reportInput: false })
  return (input) => Result.mapError(decode(input), withoutContent)
}
