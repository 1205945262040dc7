/**
 * Annotations: OCI image specification, annotations.md.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Annotations from "../src/Annotations.ts"
import { atOnce } from "./support/atOnce.ts"

const Json = Schema.fromJsonString(Annotations.Annotations)
const decode = Schema.decodeUnknownResult(Json)

describe("annotations", () => {
  it("of the specification are spelled as there", () => {
    const { Annotations: _, ...keys } = Annotations
    assert.deepStrictEqual<object>(
      { ...keys },
      {
        created: "org.opencontainers.image.created",
        authors: "org.opencontainers.image.authors",
        url: "org.opencontainers.image.url",
        documentation: "org.opencontainers.image.documentation",
        source: "org.opencontainers.image.source",
        version: "org.opencontainers.image.version",
        revision: "org.opencontainers.image.revision",
        vendor: "org.opencontainers.image.vendor",
        licenses: "org.opencontainers.image.licenses",
        refName: "org.opencontainers.image.ref.name",
        title: "org.opencontainers.image.title",
        description: "org.opencontainers.image.description",
        baseDigest: "org.opencontainers.image.base.digest",
        baseName: "org.opencontainers.image.base.name"
      }
    )
  })

  const read: ReadonlyArray<readonly [string, { readonly [key: string]: string }]> = [
    ["{}", {}],
    ['{"a":""}', { a: "" }],
    ['{"":"a"}', { "": "a" }],
    ['{"org.example/ünï code":"line\\nline \\u0000 \\ud83d\\ude00"}', { "org.example/ünï code": "line\nline \0 😀" }],
    ['{"constructor":"a","toString":"b"}', { constructor: "a", toString: "b" }]
  ]
  it.each(read)("%s are read, and written", (text, annotations) => {
    assert.deepStrictEqual<object>(Result.getOrThrow(decode(text)), annotations)
    assert.deepStrictEqual<unknown>(JSON.parse(Schema.encodeSync(Json)(annotations)), annotations)
  })

  it("may be called like a part of every object, and stay themselves", () => {
    const annotations = Result.getOrThrow(decode('{"__proto__":"a"}'))
    assert.deepStrictEqual(Object.entries(annotations), [["__proto__", "a"]])
    assert.strictEqual(Schema.encodeSync(Json)(annotations), '{"__proto__":"a"}')
  })

  it.each(["null", "[]", '"a"', '{"a":1}', '{"a":null}', '{"a":true}', '{"a":["b"]}', '{"a":{"b":"c"}}', "{", ""])(
    "%s are refused",
    (text) => {
      assert.isTrue(Result.isFailure(decode(text)))
    }
  )

  it.prop(
    "are read as they were written",
    [Annotations.Annotations],
    ([annotations]) => {
      assert.deepStrictEqual(decode(Schema.encodeSync(Json)(annotations)), Result.succeed(annotations))
    },
    { arbitrary: { seed: 1, runs: 200 } }
  )

  it("in large numbers and sizes are read at once", () => {
    const many = JSON.stringify(Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, "v"])))
    assert.strictEqual(Object.keys(Result.getOrThrow(atOnce(() => decode(many)))).length, 10_000)
    const long = "a/".repeat(500_000)
    assert.deepStrictEqual<object>(Result.getOrThrow(atOnce(() => decode(JSON.stringify({ [long]: long })))), {
      [long]: long
    })
  })
})
