/**
 * What JSON written by other programs needs: unknown fields that survive, fields that are written although they are not
 * set, and a limit to its depth.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/**
 * Levels of a document that are kept. Documents of registries have fewer than ten. `JSON.parse` reads any depth, but
 * `JSON.stringify`, comparison and printing are recursive: a program that logs a deeper value overflows its stack.
 */
const mostLevels = 64

/** Whether a value has more levels. Nearly all have fewer, and are not copied. */
const isDeeper = (value: unknown, levels: number): boolean => {
  if (typeof value !== "object" || value === null) return false
  if (levels === 0) return true
  if (Array.isArray(value)) return value.some((item) => isDeeper(item, levels - 1))
  if (!Predicate.isObject(value)) return false
  for (const key in value) if (isDeeper(value[key], levels - 1)) return true
  return false
}

/** Copies a value, with `null` in place of anything deeper. */
const cutOff = (value: unknown, levels: number): unknown => {
  if (typeof value !== "object" || value === null) return value
  if (levels === 0) return null
  return Array.isArray(value)
    ? value.map((item) => cutOff(item, levels - 1))
    : Object.fromEntries(Object.entries(value).map(([key, item]) => [key, cutOff(item, levels - 1)]))
}

/** A value from `JSON.parse`, with `null` in place of anything too deep: an odd field costs itself, not the document. */
const Shallow = Schema.Unknown.pipe(
  Schema.decodeTo(Schema.Unknown, {
    decode: SchemaGetter.transform((value) => (isDeeper(value, mostLevels) ? cutOff(value, mostLevels) : value)),
    encode: SchemaGetter.passthrough()
  })
)

/** JSON text that a schema decodes, to a limited depth. */
export const fromJson = <S extends Schema.Constraint>(schema: S) =>
  Schema.fromJsonString(Shallow.pipe(Schema.decodeTo(schema)))

/** Parses JSON text to a limited depth. */
export const parseJson = Schema.decodeUnknownOption(fromJson(Schema.Unknown))

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
 * An object that holds a list, or says with another known field that it would. An answer that has neither is no empty list:
 * a program that clears away what is not on it would clear away everything.
 */
export const holding = (...fields: ReadonlyArray<string>) =>
  ParsedObject.check(
    Schema.makeFilter(
      (object) => Object.keys(object).length === 0 || fields.some((field) => Object.hasOwn(object, field)),
      { expected: `an object with the field ${fields[0]}` }
    )
  )

/**
 * A field that is absent or `null` where it says nothing, for readers that take both as they come. `optional` and `list`
 * make them one, which takes time for each field of each record, and shows in lists of thousands.
 */
export const nullable = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** What another schema is about to check: looking at it twice would take as long again. */
const unchecked = <A>() => Schema.declare((_input: unknown): _input is A => true)

/** Whether a value is what Go's encoder writes for a field that is not set. */
const isUnset = (value: unknown): boolean => value === null || value === "" || value === 0

/** Whether a value is what Go's encoder writes for a struct of which no field is set. */
const isUnsetStruct = (value: unknown): boolean =>
  isUnset(value) || (Predicate.isObject(value) && Object.values(value).every(isUnset))

const optionalUnless = (isAbsent: (value: unknown) => boolean) => {
  const isPresent = (value: unknown) => !isAbsent(value)
  return <S extends Schema.Constraint>(schema: S) =>
    Schema.optionalKey(unchecked<S["Encoded"] | null>()).pipe(
      Schema.decodeTo(Schema.optionalKey(schema), {
        decode: SchemaGetter.transformOptional(Option.filter(isPresent)),
        encode: SchemaGetter.passthroughSupertype()
      })
    )
}

/** An optional field, for which `null`, an empty text and 0 mean absent. */
export const optional = optionalUnless(isUnset)

/** An optional number, for which `null` means absent: 0 is a size as well. */
export const optionalNumber = optionalUnless((value) => value === null)

/** An optional object, for which one without a value that is set means absent as well. */
export const optionalStruct = optionalUnless(isUnsetStruct)

/** A required field. Where it is not set, a fallback is decoded instead. */
export const withFallback = <S extends Schema.Constraint>(schema: S, fallback: S["Encoded"]) =>
  Schema.optionalKey(unchecked<S["Encoded"] | null>()).pipe(
    Schema.decodeTo(schema, {
      decode: SchemaGetter.transformOptional((value) =>
        Option.some(Option.isNone(value) || value.value === null || isUnset(value.value) ? fallback : value.value)
      ),
      encode: SchemaGetter.passthroughSupertype()
    })
  )

/** A list, for which not set means empty. */
export const list = <S extends Schema.Constraint>(schema: S) => withFallback(Schema.Array(schema), [])

/** A text, for which not set means empty. */
export const text = withFallback(Schema.String, "")

type Texts = { readonly [key: string]: string }
type TextsOrNulls = { readonly [key: string]: string | null }

const hasNoNull = (value: TextsOrNulls): value is Texts => {
  for (const key in value) if (value[key] === null) return false
  return true
}

const isText = (entry: [string, string | null]): entry is [string, string] => entry[1] !== null

/** Leaves out entries of `null`. Nearly all values have none, and are not copied. */
const withoutNulls = (value: TextsOrNulls): Texts =>
  hasNoNull(value) ? value : Object.fromEntries(Object.entries(value).filter(isText))

/** Texts by key. An entry of `null` is left out. An empty text is a value. */
export const texts = unchecked<TextsOrNulls>().pipe(
  Schema.decodeTo(Schema.Record(Schema.String, Schema.String), {
    decode: SchemaGetter.transform((value) => (Predicate.isObject(value) ? withoutNulls(value) : value)),
    encode: SchemaGetter.passthroughSupertype()
  })
)
