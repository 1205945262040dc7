/**
 * Two processes that would work alone on one run.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as MigrationReport from "../src/MigrationReport.ts"
import { slowly, start } from "./support/process.ts"
import { makeWorld, tagsOf } from "./support/world.ts"

const images = Array.from({ length: 60 }, (_, index) => ({
  repository: `shop/service-${index % 6}`,
  tags: [`1.${index}`],
  layers: [`layer ${index}`]
}))

/** Two processes with the same order, on registries that take their time. */
const startTwo = Effect.fnUntraced(function* (latency: number) {
  const world = yield* makeWorld()
  yield* world.seed(...images)
  const order = {
    database: { filename: world.filename },
    rules: yield* world.decode({ limits: { batch: 20, copies: 1 } }),
    emulators: yield* slowly(latency, world.source, world.target),
    lockSeconds: 3
  }
  return { ...world, first: yield* start(order), startSecond: start(order) }
})

describe("a migration that works alone", () => {
  it.live("refuses another one of its run, with the name of the process and the time", () =>
    Effect.gen(function* () {
      const { first, startSecond, status } = yield* startTwo(50)
      yield* first.until(/^PassBegan/m)
      const refused = yield* (yield* startSecond).ended
      assert.match(refused, /^Locked: another process works on this run: .*-pid-\d+-since-\d{4}-\d\d-\d\dT[\d:.]+Z$/m)
      assert.notInclude(refused, "PassBegan")
      assert.isFalse(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("works alone also where two begin at the same moment, whichever of them works", () =>
    Effect.gen(function* () {
      const { first, report, source, startSecond, target } = yield* startTwo(2)
      const both = [first, yield* startSecond]
      const printed = yield* Effect.forEach(both, ({ ended }) => ended, { concurrency: 2 })
      assert.isTrue(printed.some((text) => text.includes("done")))
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
      const outcomes = yield* report
      assert.lengthOf(outcomes, images.length)
      assert.isTrue(outcomes.every(({ attempts, state }) => state === "verified" && attempts === 1))
    }).pipe(Effect.scoped)
  )
})
