/**
 * Objects of other programs: unknown fields are kept, and `null` means empty.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { closedStruct, list, openStruct, optional } from "../src/internal/schema/fields.ts"
import { atOnce } from "./support/atOnce.ts"

const seeded = { arbitrary: { seed: 1, runs: 200 } }

describe("an open struct", () => {
  const Open = openStruct({ known: Schema.Int, inner: optional(openStruct({ known: Schema.String })) })
  const decode = Schema.decodeUnknownResult(Open)
  const encode = Schema.encodeSync(Open)

  it("keeps unknown fields at each level, when it is read and written", () => {
    const written = { known: 1, novel: [{ a: null }], inner: { known: "a", novel: { b: undefined } } }
    const read = Result.getOrThrow(decode(written))
    assert.deepStrictEqual<object>(read, written)
    assert.deepStrictEqual<object>(encode(read), written)
  })

  it("still checks the fields that it knows", () => {
    for (const wrong of [
      { known: "1" },
      { known: 1, inner: {} },
      { known: 1, inner: { known: 2 } },
      { novel: 1 },
      null,
      [],
      "a"
    ]) {
      assert.isTrue(Result.isFailure(decode(wrong)))
    }
  })

  it("reads fields with names of Object.prototype as ordinary fields", () => {
    const written: unknown = JSON.parse('{"known":1,"__proto__":{"inner":{"known":"a"}},"constructor":2}')
    const read = Result.getOrThrow(decode(written))
    assert.isUndefined(read.inner)
    assert.strictEqual(JSON.stringify(encode(read)), '{"known":1,"__proto__":{"inner":{"known":"a"}},"constructor":2}')
    assert.isUndefined(Reflect.get({}, "inner"))
  })

  it.prop(
    "writes what it read",
    [Schema.Int, Schema.Record(Schema.String, Schema.Finite)],
    ([known, novel]) => {
      const { inner: _, ...rest } = novel
      const written = { ...rest, known }
      assert.deepStrictEqual<object>(encode(Result.getOrThrow(decode(written))), written)
    },
    seeded
  )

  it("gives its fields to what Effect derives from it", () => {
    const Outer = Schema.toCodecJson(Schema.Struct({ open: Open, at: Schema.Date }))
    const value = { open: { known: 1, inner: { known: "a" } }, at: new Date(0) }
    const written = { open: { known: 1, inner: { known: "a" } }, at: "1970-01-01T00:00:00.000Z" }
    assert.deepStrictEqual<unknown>(Schema.encodeSync(Outer)(value), written)
    assert.deepStrictEqual<object>(Schema.decodeSync(Outer)(written), value)

    const odd: unknown = { ...written, open: { known: "1" } }
    assert.isTrue(Result.isFailure(Schema.decodeUnknownResult(Outer)(odd)))
    for (const side of [Open, Schema.toType(Open)]) {
      const { schema } = Schema.toJsonSchemaDocument(side)
      assert.deepStrictEqual(schema["required"], ["known"])
      assert.hasAllKeys(schema["properties"], ["known", "inner"])
    }
  })

  it("accepts unset fields also as a codec for JSON, with which Effect reads bodies", () => {
    const decodeJson = Schema.decodeUnknownSync(
      Schema.toCodecJson(openStruct({ known: Schema.Int, inner: optional(Open), items: list(Open) }))
    )
    for (const unset of [null, "", 0, undefined]) {
      const written = unset === undefined ? { known: 1 } : { known: 1, inner: unset, items: unset }
      assert.deepStrictEqual<object>(decodeJson(written), { known: 1, items: [] })
    }
  })

  it("keeps unknown fields also where excess properties are errors", () => {
    const Strict = Schema.Struct({ open: Open })
    const strict = { onExcessProperty: "error" } as const
    const written = { open: { known: 1, novel: 2, inner: { known: "a", novel: 3 } } }
    const read = Schema.decodeSync(Strict, strict)(written)
    assert.deepStrictEqual<object>(read, written)
    assert.deepStrictEqual<object>(Schema.encodeSync(Strict, strict)(read), written)
    assert.isTrue(Result.isFailure(Schema.decodeUnknownResult(Strict, strict)({ ...written, novel: 1 })))
  })

  it("of very many unknown fields is read at once", () => {
    const novel = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`a/${index}`, "-"]))
    const read = atOnce(() => Result.getOrThrow(decode({ ...novel, known: 1 })))
    assert.strictEqual(Object.keys(read).length, 100_001)
  })
})

describe("an optional field", () => {
  const Struct = closedStruct({ field: optional(Schema.FiniteFromString) })
  const decode = Schema.decodeUnknownResult(Struct)

  it("is absent if it is unset", () => {
    for (const field of [null, "", 0]) assert.deepStrictEqual(decode({ field }), Result.succeed({}))
    assert.deepStrictEqual(decode({}), Result.succeed({}))
    assert.isFalse("field" in Result.getOrThrow(decode({ field: null })))
  })

  it("is decoded if it is present", () => {
    assert.deepStrictEqual(decode({ field: "1.5" }), Result.succeed({ field: 1.5 }))
  })

  it("is refused where it is of another kind", () => {
    for (const field of ["a", 1, true, [], {}, undefined]) assert.isTrue(Result.isFailure(decode({ field })))
  })

  it("is written as it was read, and never as null", () => {
    const encode = Schema.encodeSync(Struct)
    assert.deepStrictEqual(encode({ field: 1.5 }), { field: "1.5" })
    assert.strictEqual(JSON.stringify(encode({})), "{}")
  })
})

describe("a list", () => {
  const Struct = closedStruct({ items: list(Schema.FiniteFromString) })
  const decode = Schema.decodeUnknownResult(Struct)
  const encode = Schema.encodeSync(Struct)

  const lists: ReadonlyArray<readonly [object, ReadonlyArray<number>]> = [
    [{}, []],
    [{ items: null }, []],
    [{ items: "" }, []],
    [{ items: 0 }, []],
    [{ items: [] }, []],
    [{ items: ["1", "2"] }, [1, 2]]
  ]
  it.each(lists)("%j is %j", (written, items) => {
    assert.deepStrictEqual(decode(written), Result.succeed({ items }))
  })

  it("is refused where it is of another kind, or an item is", () => {
    for (const items of ["1", 1, {}, { length: 0 }, [null], [1], [["1"]]]) {
      assert.isTrue(Result.isFailure(decode({ items })))
    }
  })

  it.prop(
    "is read as it was written",
    [Schema.Array(Schema.Finite)],
    ([items]) => {
      assert.deepStrictEqual(decode(encode({ items })), Result.succeed({ items }))
    },
    seeded
  )

  it("of very many items is read at once", () => {
    const items = Array.from({ length: 100_000 }, (_, index) => index)
    assert.deepStrictEqual(
      atOnce(() => decode({ items: items.map(String) })),
      Result.succeed({ items })
    )
  })
})
