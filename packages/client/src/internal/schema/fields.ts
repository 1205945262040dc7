/**
 * Objects in JSON of other programs, which have fields that this library does not know, and write fields that are not set.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import * as SchemaGetter from "effect/SchemaGetter"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"

/** A value that another schema will check: checking it twice would double the time. */
const unchecked = <A>() => Schema.declare((_input: unknown): _input is A => true)

/** Whether a value is what Go's encoder writes for an unset field. */
const isUnset = (value: unknown): boolean => value === null || value === "" || value === 0

/** Whether a value is what Go's encoder writes for a struct without set fields. */
const isUnsetStruct = (value: unknown): boolean =>
  isUnset(value) || (Predicate.isObject(value) && Object.values(value).every(isUnset))

/**
 * A field of a struct that may be unset.
 *
 * The struct leaves out all its unset fields in one step, because a schema that decodes to another one takes time for
 * each field of each record, also for those that are absent.
 */
class Field<Slot extends Schema.Constraint> {
  /** The field in the struct. */
  readonly slot: Slot
  readonly isUnset: (value: unknown) => boolean
  /** What is decoded instead of an unset field. */
  readonly fallback: Slot["Encoded"] | undefined

  constructor(slot: Slot, isUnset: (value: unknown) => boolean, fallback?: Slot["Encoded"]) {
    this.slot = slot
    this.isUnset = isUnset
    this.fallback = fallback
  }
}

type Fields = { readonly [name: string]: Schema.Constraint | Field<Schema.Constraint> }

/** The fields as they are read. */
type Read<F extends Fields> = {
  readonly [Name in keyof F]: F[Name] extends Field<infer Slot>
    ? Slot
    : F[Name] extends Schema.Constraint
      ? F[Name]
      : never
}

/** The fields as they may be written. */
type Written<F extends Fields> = {
  readonly [Name in keyof F]: F[Name] extends Field<infer Slot>
    ? Schema.optionalKey<Schema.NullOr<Slot>>
    : F[Name] extends Schema.Constraint
      ? F[Name]
      : never
}

type Codec<F extends Fields> = Schema.Codec<
  Schema.Struct.Type<Read<F>>,
  Schema.Struct.Encoded<Written<F>>,
  Schema.Struct.DecodingServices<Read<F>>,
  Schema.Struct.EncodingServices<Read<F>>
>

interface Values {
  readonly [name: string]: unknown
}

/** Leaves out the unset fields of an object, or sets their fallbacks. Nearly all objects need no copy. */
const settling = (fields: Fields) => {
  const mayBeUnset = Object.entries(fields).flatMap(([name, field]) =>
    field instanceof Field ? [[name, field] as const] : []
  )
  return (values: Values): Values => {
    if (!Predicate.isObject(values)) return values
    let copy: { [name: string]: unknown } | undefined
    for (const [name, { fallback, isUnset }] of mayBeUnset) {
      if (Object.hasOwn(values, name) ? !isUnset(values[name]) : fallback === undefined) continue
      copy ??= { ...values }
      if (fallback === undefined) delete copy[name]
      else copy[name] = fallback
    }
    return copy ?? values
  }
}

const slotsOf = (fields: Fields): Schema.Struct.Fields =>
  Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field instanceof Field ? field.slot : field]))

/** The fields as they may be written. One that may be unset is checked once it is settled. */
const writtenOf = (fields: Fields): Schema.Struct.Fields =>
  Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      field instanceof Field ? Schema.optionalKey(Schema.Unknown) : field
    ])
  )

const asIs = { decode: SchemaGetter.passthrough<Values>(), encode: SchemaGetter.passthrough<Values>() }

/**
 * Decodes an object once its unset fields are settled. It is not checked before, which would take as long again. What Effect
 * derives from the written object, such as its JSON Schema, is derived from `written`.
 */
const settled = <F extends Fields>(
  fields: F,
  struct: Schema.Codec<Values, Values, unknown, unknown>,
  written: Schema.Codec<Values, Values, unknown, unknown>
) =>
  Schema.make<Codec<F>>(
    Schema.declare((_values): _values is Values => true, {
      toCodec: () => Schema.link<Values>()(Schema.toEncoded(written), asIs)
    }).pipe(
      Schema.decodeTo(struct, { decode: SchemaGetter.transform(settling(fields)), encode: SchemaGetter.passthrough() })
    ).ast
  )

/** A struct of these fields alone. */
export const closedStruct = <const F extends Fields>(fields: F): Codec<F> =>
  settled(fields, Schema.Struct(slotsOf(fields)), Schema.Struct(writtenOf(fields)))

const only = (values: Values, isWanted: (name: string) => boolean): Values =>
  Object.fromEntries(Object.entries(values).filter(([name]) => isWanted(name)))

/** The known fields of an object, then the others as they are. Nearly all objects have none, and need no copy. */
const withOthers = (values: Values, known: Values, isKnown: (name: string) => boolean): Values => {
  for (const name in values) if (!isKnown(name)) return { ...known, ...only(values, (name) => !isKnown(name)) }
  return known
}

const unknownFields = Schema.Record(Schema.String, Schema.Unknown)

/** What Effect derives from a schema, such as its JSON Schema, is derived from this. */
const derived = (struct: Schema.Codec<Values>) =>
  Schema.link<Values>()(
    SchemaAST.isObjects(struct.ast)
      ? Schema.StructWithRest(Schema.make<Schema.Struct<Schema.Struct.Fields>>(struct.ast), [unknownFields])
      : struct,
    asIs
  )

/**
 * A struct whose unknown fields are kept. Its type does not have them, because an index signature would accept a
 * misspelt field wherever a value is written by hand.
 *
 * `Schema.StructWithRest` does the same and runs a generator for each object. With it, reading manifests takes 4 % longer.
 */
export const openStruct = <const F extends Fields>(fields: F): Codec<F> => {
  const slots = slotsOf(fields)
  const isKnown = (name: string) => Object.hasOwn(slots, name)
  const open = Schema.declareConstructor<Values, Values>()(
    [Schema.Struct(slots)],
    ([struct]) => {
      const read = SchemaParser.decodeUnknownEffect(struct)
      return (values, self, options) => {
        if (!Predicate.isObject(values)) return Effect.fail(new SchemaIssue.InvalidType(self, values, options))
        // The struct would refuse the others, which are no excess here.
        const given = options.onExcessProperty === "error" ? only(values, isKnown) : values
        return Effect.mapEager(read(given, options), (known) => withOthers(values, known, isKnown))
      }
    },
    { expected: "object", toCodec: ([struct]) => derived(struct) }
  )
  return settled(fields, open, Schema.StructWithRest(Schema.Struct(writtenOf(fields)), [unknownFields]))
}

const optionalUnless =
  (isAbsent: (value: unknown) => boolean) =>
  <S extends Schema.Constraint>(schema: S) =>
    new Field(Schema.optionalKey(schema), isAbsent)

/** An optional field. `null`, an empty text and 0 mean absent. */
export const optional = optionalUnless(isUnset)

/** An optional number. Only `null` means absent, because 0 is a valid size. */
export const optionalNumber = optionalUnless((value) => value === null)

/** An optional object. One without a set value also means absent. */
export const optionalStruct = optionalUnless(isUnsetStruct)

/** A required field. If it is unset, a fallback is decoded instead. */
export const withFallback = <S extends Schema.Constraint>(schema: S, fallback: S["Encoded"]) =>
  new Field(schema, isUnset, fallback)

/** A list. Unset means empty. */
export const list = <S extends Schema.Constraint>(schema: S) => withFallback(Schema.Array(schema), [])

/** A text. Unset means empty. */
export const text = withFallback(Schema.String, "")

const textRecord = Schema.Record(Schema.String, Schema.String)

type Texts = typeof textRecord.Type
type TextsOrNulls = { readonly [key: string]: string | null }

const isTexts = (value: unknown): value is Texts =>
  Predicate.isObject(value) && Object.values(value).every(Predicate.isString)

const isText = (entry: [string, string | null]): entry is [string, string] => entry[1] !== null

/** Leaves out entries of `null`. Nearly all values have none and need no copy. */
const withoutNulls = (value: TextsOrNulls): Texts =>
  isTexts(value) ? value : Object.fromEntries(Object.entries(value).filter(isText))

/**
 * A record of texts. `Schema.Record` runs a generator for each object, and for each that is absent, so it decodes only what is
 * no record of texts.
 */
const checkedTexts = Schema.declareConstructor<typeof textRecord.Type>()(
  [textRecord],
  ([record]) => {
    const read = SchemaParser.decodeUnknownEffect(record)
    return (value, _self, options) => (isTexts(value) ? Effect.succeed(value) : read(value, options))
  },
  {
    expected: "object",
    toCodec: ([record]) =>
      Schema.link<Texts>()(record, {
        decode: SchemaGetter.passthrough<Texts>(),
        encode: SchemaGetter.passthrough<Texts>()
      })
  }
)

/** Texts by key. An entry of `null` is left out. An empty text is a value. */
export const texts = unchecked<TextsOrNulls>().pipe(
  Schema.decodeTo(checkedTexts, {
    decode: SchemaGetter.transform((value) => (Predicate.isObject(value) ? withoutNulls(value) : value)),
    encode: SchemaGetter.passthroughSupertype()
  })
)
