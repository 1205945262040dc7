/**
 * Reads JSON of other programs: keeps unknown fields, accepts unset fields that are written nonetheless, and limits the
 * depth.
 */
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

/**
 * The number of levels of a document that are kept. Documents of registries have fewer than ten. `JSON.parse` reads any
 * depth, but `JSON.stringify`, comparison and printing are recursive: a program that logs a deeper value overflows its
 * stack.
 */
const mostLevels = 64

/** Whether a value has more levels. Nearly all have fewer and need no copy. */
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

/**
 * A value from `JSON.parse`, with `null` in place of anything too deep, so that one odd field does not fail the
 * document.
 */
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
 * A struct whose unknown fields are kept. Its type does not have them, because an index signature would accept a
 * misspelt field wherever a value is written by hand.
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
 * An object from `JSON.parse`. Its content can only be JSON, so it is not checked.
 */
export const ParsedObject = Schema.declare((input): input is Schema.JsonObject => Predicate.isObject(input), {
  expected: "object"
})

/**
 * An object with a list, or with another known field that shows that the list is only unset. An answer with neither is
 * not an empty list: a program that deletes everything that is not on the list would delete everything.
 */
export const holding = (...fields: ReadonlyArray<string>) =>
  ParsedObject.check(
    Schema.makeFilter(
      (object) => Object.keys(object).length === 0 || fields.some((field) => Object.hasOwn(object, field)),
      { expected: `an object with the field ${fields[0]}` }
    )
  )

/**
 * A field that may be absent or `null`, for readers that handle both. `optional` and `list` normalize them, which takes
 * time for each field of each record, and is noticeable in lists of thousands.
 */
export const nullable = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

/** A value that another schema will check: checking it twice would double the time. */
export const unchecked = <A>() => Schema.declare((_input: unknown): _input is A => true)

/** Whether a value is what Go's encoder writes for an unset field. */
export const isUnset = (value: unknown): boolean => value === null || value === "" || value === 0

/** Whether a value is what Go's encoder writes for a struct without set fields. */
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

/** An optional field. `null`, an empty text and 0 mean absent. */
export const optional = optionalUnless(isUnset)

/** An optional number. Only `null` means absent, because 0 is a valid size. */
export const optionalNumber = optionalUnless((value) => value === null)

/** An optional object. One without a set value also means absent. */
export const optionalStruct = optionalUnless(isUnsetStruct)

/** A required field. If it is unset, a fallback is decoded instead. */
export const withFallback = <S extends Schema.Constraint>(schema: S, fallback: S["Encoded"]) =>
  Schema.optionalKey(unchecked<S["Encoded"] | null>()).pipe(
    Schema.decodeTo(schema, {
      decode: SchemaGetter.transformOptional((value) =>
        Option.some(Option.isNone(value) || value.value === null || isUnset(value.value) ? fallback : value.value)
      ),
      encode: SchemaGetter.passthroughSupertype()
    })
  )

/** A list. Unset means empty. */
export const list = <S extends Schema.Constraint>(schema: S) => withFallback(Schema.Array(schema), [])

/** A text. Unset means empty. */
export const text = withFallback(Schema.String, "")

type Texts = { readonly [key: string]: string }
type TextsOrNulls = { readonly [key: string]: string | null }

const hasNoNull = (value: TextsOrNulls): value is Texts => {
  for (const key in value) if (value[key] === null) return false
  return true
}

const isText = (entry: [string, string | null]): entry is [string, string] => entry[1] !== null

/** Leaves out entries of `null`. Nearly all values have none and need no copy. */
const withoutNulls = (value: TextsOrNulls): Texts =>
  hasNoNull(value) ? value : Object.fromEntries(Object.entries(value).filter(isText))

/** Texts by key. An entry of `null` is left out. An empty text is a value. */
export const texts = unchecked<TextsOrNulls>().pipe(
  Schema.decodeTo(Schema.Record(Schema.String, Schema.String), {
    decode: SchemaGetter.transform((value) => (Predicate.isObject(value) ? withoutNulls(value) : value)),
    encode: SchemaGetter.passthroughSupertype()
  })
)
