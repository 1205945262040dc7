/**
 * What JSON written by other people's programs needs from a schema: unknown fields that survive, and `null` where a
 * list or an object is merely empty (Go's encoder writes an unset one so).
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/**
 * A struct whose unknown fields are kept. Its type does not tell of them: an index signature would let a misspelt field
 * through wherever a value is written by hand.
 */
export const openStruct = <const Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.make<
    Schema.Codec<
      Schema.Struct.Type<Fields>,
      Schema.Struct.Encoded<Fields>,
      Schema.Struct.DecodingServices<Fields>,
      Schema.Struct.EncodingServices<Fields>
    >
  >(Schema.StructWithRest(Schema.Struct(fields), [Schema.Record(Schema.String, Schema.Unknown)]).ast)

/**
 * An object of a text that `JSON.parse` has read. What is in it can only be JSON, so nobody has to look.
 */
export const ParsedObject = Schema.declare((input): input is Schema.JsonObject => Predicate.isObject(input), {
  expected: "object"
})

/**
 * A field that is absent or `null` where it says nothing, for readers that take both as they come. `optional` and `list`
 * make them one, which takes time for each field of each record, and shows in lists of thousands.
 */
export const nullable = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** What another schema is about to check: looking at it twice would take as long again. */
const unchecked = <A>() => Schema.declare((_input: unknown): _input is A => true)

/**
 * An optional field, for which `null` means absent.
 */
export const optional = <S extends Schema.Constraint>(schema: S) =>
  Schema.optionalKey(unchecked<S["Encoded"] | null>()).pipe(
    Schema.decodeTo(Schema.optionalKey(schema), {
      decode: SchemaGetter.transformOptional(Option.filter((value) => value !== null)),
      encode: SchemaGetter.passthroughSupertype()
    })
  )

/**
 * A list, for which absent and `null` mean empty.
 */
export const list = <S extends Schema.Constraint>(schema: S) =>
  Schema.optionalKey(unchecked<ReadonlyArray<S["Encoded"]> | null>()).pipe(
    Schema.decodeTo(Schema.Array(schema), {
      decode: SchemaGetter.transformOptional((value) => Option.some(Option.getOrElse(value, () => null) ?? [])),
      encode: SchemaGetter.passthroughSupertype()
    })
  )
