import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Outages from "../src/internal/outages.ts"

/** Notes so many failures, in three repositories in turn. */
const failOften = (outages: ReturnType<typeof Outages.make>, times: number) =>
  Effect.forEach(Array.from({ length: times }), (_, index) => outages.note(index % 3, "unreachable"), { discard: true })

describe("failures in a row", () => {
  it.effect("stop the run after 96, unless a copy has succeeded meanwhile", () =>
    Effect.gen(function* () {
      const outages = Outages.make()
      yield* failOften(outages, 95)
      yield* outages.note(0, undefined)
      yield* failOften(outages, 95)
      const error = yield* Effect.flip(outages.note(2, "unreachable"))
      assert.strictEqual(error.problem, "PlaceFailed")
    })
  )

  it.effect("do not stop the run if they are of two repositories", () =>
    Effect.gen(function* () {
      const { note } = Outages.make()
      for (let time = 0; time < 200; time++) yield* note(time % 2, "unreachable")
    })
  )

  it.effect("leave out a repository after 32, unless a copy of it has succeeded meanwhile", () =>
    Effect.gen(function* () {
      const outages = Outages.make()
      const fail = (times: number) =>
        Effect.forEach(Array.from({ length: times }), () => outages.note(1, "unreachable"), { discard: true })
      yield* fail(31)
      yield* outages.note(1, undefined)
      yield* fail(31)
      assert.isUndefined(outages.reasonToSkip(1))
      yield* fail(1)
      assert.include(outages.reasonToSkip(1) ?? "", "not tried, after 32 failures in a row")
      assert.isUndefined(outages.reasonToSkip(2))
    })
  )
})
