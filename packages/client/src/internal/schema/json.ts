/**
 * What JSON written by other people's programs needs from a schema: unknown fields that survive, and `null` where a
 * list or an object is merely empty (Go's encoder writes an unset one so).
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/**
 * A struct whose unknown fields are kept.
 */
export const openStruct = <const Fields extends Schema.Struct.Fields>(fields: Fields) =>
  Schema.StructWithRest(Schema.Struct(fields), [Schema.Record(Schema.String, Schema.Unknown)])

/**
 * An optional field, for which `null` means absent.
 */
export const optional = <S extends Schema.Constraint>(schema: S) =>
  Schema.optionalKey(Schema.NullOr(schema)).pipe(
    Schema.decodeTo(Schema.optionalKey(Schema.toType(schema)), {
      decode: SchemaGetter.transformOptional(Option.filter((value) => value !== null)),
      encode: SchemaGetter.passthroughSupertype()
    })
  )

/**
 * A list, for which absent and `null` mean empty.
 */
export const list = <S extends Schema.Constraint>(schema: S) =>
  Schema.optionalKey(Schema.NullOr(Schema.Array(schema))).pipe(
    Schema.decodeTo(Schema.Array(Schema.toType(schema)), {
      decode: SchemaGetter.transformOptional((value) => Option.some(Option.getOrElse(value, () => null) ?? [])),
      encode: SchemaGetter.passthroughSupertype()
    })
  )
