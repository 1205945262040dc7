/**
 * Durations, and problems of documents, as people read them.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Printable from "../src/Printable.ts"

describe("duration", () => {
  for (const text of ["30 days", "1 day", "36 hours", "90 minutes", "1 second", "1500 millis", "0 millis", "-3 days"]) {
    it(`writes ${text}, and Effect reads it`, () => {
      assert.strictEqual(Printable.duration(Schema.decodeSync(Schema.DurationFromString)(text)), text)
    })
  }

  it("writes a duration without an end, and one below a millisecond", () => {
    assert.strictEqual(Printable.duration(Duration.infinity), "Infinity")
    assert.strictEqual(Printable.duration(Duration.nanos(5n)), "5 nanos")
  })
})

describe("documentProblems", () => {
  const Place = Schema.Union([Schema.Struct({ registry: Schema.String }), Schema.Struct({ folder: Schema.String })])
  const Document = Schema.Struct({
    rules: Schema.Array(Schema.Struct({ name: Schema.String, olderThan: Schema.optionalKey(Schema.String) })),
    place: Schema.optionalKey(Place)
  })
  const decode = Schema.decodeUnknownEffect(Document, { onExcessProperty: "error", errors: "all" })

  const cases: ReadonlyArray<readonly [document: unknown, problems: string]> = [
    [
      { rules: [{ name: "a", olderthan: "1 day" }] },
      "rules[0].olderthan: there is no such key; olderThan is the nearest"
    ],
    [{ rules: [], limits: 3 }, "limits: there is no such key; known are rules, place"],
    [{ rules: [{}, { name: 7 }] }, "rules[0].name: is missing; rules[1].name: Expected string"],
    [{}, "rules: is missing"],
    [7, "Expected object"]
  ]
  for (const [document, problems] of cases) {
    it.effect(problems, () =>
      Effect.gen(function* () {
        assert.strictEqual(Printable.documentProblems(yield* Effect.flip(decode(document))), problems)
      })
    )
  }

  const ofUnions: ReadonlyArray<readonly [place: unknown, problems: string]> = [
    [{ registri: "a" }, "place.registri: there is no such key; registry is the nearest; place.registry: is missing"],
    [{ registry: "a", x: 1 }, "place.x: there is no such key; known are registry"],
    [{ folder: 7 }, "place.folder: Expected string"],
    [{ folder: "a", registry: "b" }, "place.folder: this key cannot be combined with registry"],
    [{ x: 1 }, "place.x: there is no such key; known are registry, folder"],
    [{}, "place: one of these keys is missing: registry, folder"],
    [7, "place: Expected object"]
  ]
  for (const [place, problems] of ofUnions) {
    it.effect(`shows only the member of a union that ${JSON.stringify(place)} is closest to`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(decode({ rules: [], place }))
        assert.strictEqual(Printable.documentProblems(error), problems)
      })
    )
  }

  it.effect("says once what the members of a union have in common", () =>
    Effect.gen(function* () {
      const even = Schema.makeFilter((number: number) => (number % 2 === 0 ? undefined : "Expected an even number"))
      const Number = Schema.Union([Schema.Finite.check(even), Schema.Int.check(even)])
      const error = yield* Effect.flip(Schema.decodeEffect(Number)(7))
      assert.strictEqual(Printable.documentProblems(error), "Expected an even number")
    })
  )
})

describe("jsonProblem", () => {
  const cases: ReadonlyArray<readonly [text: string, problem: RegExp]> = [
    ['{\n  "rules": x\n}', /^Unexpected token 'x'.* \(line 2 column 12\)$/],
    ['{\n  "rules": [],\n}', /^Expected double-quoted .* \(line 3 column 1\)$/],
    ["[1,", /^Unexpected end of JSON input$/]
  ]
  for (const [text, problem] of cases) {
    it(`says in one line where ${JSON.stringify(text)} is not JSON`, () => {
      assert.match(Printable.jsonProblem(text), problem)
    })
  }
})
