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

  it.effect("says once what several members of a union have in common", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(decode({ rules: [], place: { registri: "a" } }))
      assert.strictEqual(
        Printable.documentProblems(error),
        [
          "place.registri: there is no such key; registry is the nearest",
          "place.registry: is missing",
          "place.registri: there is no such key; known are folder",
          "place.folder: is missing"
        ].join("; ")
      )
    })
  )
})
