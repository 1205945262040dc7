/**
 * Reads JSON of other programs, to a limited depth.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"

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
  if (Array.isArray(value)) {
    for (const item of value) if (isDeeper(item, levels - 1)) return true
    return false
  }
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

/** A value from `JSON.parse`, with `null` in place of anything too deep, so that one odd field does not fail the document. */
const shallow = (value: unknown): unknown => (isDeeper(value, mostLevels) ? cutOff(value, mostLevels) : value)

/** Returns at once what it read or why not, so that no fiber runs for a document, as `SchemaGetter.parseJson` needs one. */
const parse = SchemaGetter.transformEffect((text: string, options) => {
  try {
    return Effect.succeed(shallow(JSON.parse(text)))
  } catch {
    return Effect.fail(new SchemaIssue.InvalidValue({ expected: "JSON" }, text, options))
  }
})

const Json = Schema.String.annotate({ expected: "a text of JSON" }).pipe(
  Schema.decodeTo(Schema.Unknown, { decode: parse, encode: SchemaGetter.stringifyJson() })
)

/** JSON text that a schema decodes, to a limited depth. */
export const fromJson = <S extends Schema.Constraint>(schema: S) => Json.pipe(Schema.decodeTo(schema))

/** Parses JSON text to a limited depth. */
export const parseJson = Schema.decodeUnknownOption(fromJson(Schema.Unknown))

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
