/**
 * How far a run is and how fast, by its events, on a clock of its own.
 */
import * as Digest from "@effect-acr/client/Digest"
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import type * as Migration from "../src/Migration.ts"
import * as MigrationProgress from "../src/MigrationProgress.ts"
import type * as MigrationReport from "../src/MigrationReport.ts"

const digest = Digest.Digest.make(`sha256:${"0".repeat(64)}`)

const summary = (planned: number, more: Partial<MigrationReport.Summary> = {}): MigrationReport.Summary => ({
  pass: 1,
  phase: "inventory",
  repositories: 2,
  totals: [{ state: "planned", count: planned, bytes: 0 }],
  failures: [],
  problems: [],
  ...more
})

const planned = (artifacts: number, more: Partial<MigrationReport.Summary> = {}): Migration.Event => ({
  _tag: "Planned",
  pass: 1,
  artifacts,
  batches: 1,
  summary: summary(artifacts, more)
})

const artifact = (
  source: string,
  more: Partial<Extract<Migration.Event, { readonly _tag: "ArtifactDone" }>> = {}
): Migration.Event => ({
  _tag: "ArtifactDone",
  source,
  target: source,
  digest,
  state: "copied",
  sentBytes: 0,
  millis: 0,
  ...more
})

describe("progress", () => {
  it.effect("is within 20 % of the time left after 5 % of the work", () =>
    Effect.gen(function* () {
      const { current, note } = yield* MigrationProgress.track
      yield* note({ _tag: "PassBegan", pass: 1 })
      yield* note(planned(10_000))
      assert.isUndefined((yield* current).timeLeft)
      // The first hundred send what the others share.
      for (let index = 0; index < 500; index++) {
        yield* TestClock.adjust(index < 100 ? "3 seconds" : "1 second")
        yield* note(artifact("shop/api", { sentBytes: 1000 }))
      }
      const { artifactsPerMinute, bytesPerSecond, done, left, sentBytes, timeLeft = Duration.zero } = yield* current
      assert.deepStrictEqual({ done, left, sentBytes }, { done: 500, left: 9500, sentBytes: 500_000 })
      assert.approximately(artifactsPerMinute ?? 0, 60, 1)
      assert.approximately(bytesPerSecond ?? 0, 1000, 20)
      assert.approximately(Duration.toSeconds(timeLeft), 9500, 0.2 * 9500)
    })
  )

  it.effect("says that a run stalls, and forgets what was before a stop", () =>
    Effect.gen(function* () {
      const { current, note } = yield* MigrationProgress.track
      yield* note(planned(100))
      for (let index = 0; index < 50; index++) {
        yield* TestClock.adjust("1 second")
        yield* note(artifact("shop/api"))
      }
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* current).artifactsPerMinute, 0)
      // The engine began again.
      yield* note(planned(50))
      const { artifactsPerMinute, done, left } = yield* current
      assert.deepStrictEqual({ artifactsPerMinute, done, left }, { artifactsPerMinute: undefined, done: 0, left: 50 })
    })
  )

  it.effect("has the copy that is tried again, until another one is done", () =>
    Effect.gen(function* () {
      const { current, note } = yield* MigrationProgress.track
      yield* note(planned(2))
      const failed = { source: "shop/api", target: "mirror/api", detail: "the registry cannot be reached" }
      yield* note({ _tag: "AttemptFailed", digest, ...failed })
      const during = yield* current
      assert.deepStrictEqual(during.retrying, failed)
      assert.strictEqual(during.left, 2)
      yield* note(artifact("shop/api"))
      assert.notProperty(yield* current, "retrying")
      yield* note({ _tag: "AttemptFailed", digest, ...failed })
      yield* note({ _tag: "PassBegan", pass: 2 })
      assert.notProperty(yield* current, "retrying")
    })
  )

  it.effect("has the totals and failures of earlier calls, and those of this one", () =>
    Effect.gen(function* () {
      const { current, note } = yield* MigrationProgress.track
      assert.deepInclude(yield* current, { pass: 0, phase: "inventory", totals: [] })
      yield* note({ _tag: "PassBegan", pass: 1 })
      yield* note({ _tag: "Listed", source: "shop/api", target: "shop/api", artifacts: 5, planned: 3, extraTags: [] })
      assert.deepInclude(yield* current, { pass: 1, phase: "inventory", listed: 1 })
      yield* note(
        planned(2, {
          totals: [
            { state: "planned", count: 2, bytes: 10 },
            { state: "copied", count: 7, bytes: 70 },
            { state: "failed", count: 1, bytes: 1 }
          ],
          failures: [{ state: "failed", class: "gone", count: 1 }]
        })
      )
      yield* note(artifact("shop/api", { state: "failed", class: "transient" }))
      // A remark on what is at the target is no failure.
      yield* note(artifact("shop/api", { class: "exists" }))
      yield* note({ _tag: "BatchDone", batch: 1 })
      const { failures, totals } = yield* current
      assert.sameDeepMembers(
        [...totals],
        [
          { state: "copied", count: 8 },
          { state: "failed", count: 2 }
        ]
      )
      assert.sameDeepMembers(
        [...failures],
        [
          { state: "failed", class: "gone", count: 1 },
          { state: "failed", class: "transient", count: 1 }
        ]
      )
      yield* note({ _tag: "RunDone", summary: summary(0, { phase: "done", totals: [] }) })
      assert.deepInclude(yield* current, { phase: "done", left: 0, totals: [], failures: [] })
    })
  )

  it.effect("is that of all processes of a run, also in one that does not drive it", () =>
    Effect.gen(function* () {
      const { current, note } = yield* MigrationProgress.track
      const counted = (planned: number, copied: number, more: Partial<MigrationReport.Summary> = {}) =>
        note({
          _tag: "Counted",
          summary: summary(0, {
            phase: "copy",
            totals: [
              { state: "planned", count: planned, bytes: 0 },
              { state: "copied", count: copied, bytes: 0 }
            ],
            ...more
          })
        })
      yield* note({ _tag: "PassBegan", pass: 1 })
      yield* counted(100, 0)
      assert.deepInclude(yield* current, { phase: "copy", listed: 2, done: 0, left: 100 })
      for (let index = 0; index < 20; index++) {
        yield* TestClock.adjust("1 second")
        yield* note(artifact("shop/api"))
      }
      // Others have copied twice as many.
      yield* counted(40, 60)
      const { artifactsPerMinute, timeLeft = Duration.zero, ...progress } = yield* current
      assert.deepInclude(progress, { done: 60, left: 40 })
      assert.deepInclude(progress.totals, { state: "copied", count: 60 })
      assert.approximately(artifactsPerMinute ?? 0, 180, 1)
      assert.approximately(Duration.toSeconds(timeLeft), 40 / 3, 0.5)
      // A count from before the pass was planned is late.
      yield* counted(0, 0, { phase: "inventory" })
      assert.deepInclude(yield* current, { phase: "copy", done: 60, left: 40 })
      yield* counted(5, 100, { pass: 2 })
      assert.deepInclude(yield* current, { pass: 2, phase: "copy", done: 0, left: 5 })
      yield* counted(0, 105, { pass: 3, phase: "done" })
      assert.deepInclude(yield* current, { pass: 3, phase: "done", left: 0 })
    })
  )

  it.effect("names the ten repositories whose copies took longest", () =>
    Effect.gen(function* () {
      const { current, note } = yield* MigrationProgress.track
      yield* note(planned(100))
      for (let index = 0; index < 50; index++) {
        yield* note(artifact(`shop/service-${index}`, { millis: ((index * 7) % 50) * 100, sentBytes: index }))
      }
      yield* note(artifact("shop/service-1", { millis: 10_000 }))
      const { slowest } = yield* current
      assert.lengthOf(slowest, 10)
      const [first, second] = slowest
      assert.deepInclude(first, { source: "shop/service-1", artifacts: 2 })
      assert.strictEqual(Duration.toMillis(first?.copyTime ?? Duration.zero), 10_700)
      assert.strictEqual(Duration.toMillis(second?.copyTime ?? Duration.zero), 4900)
      const times = slowest.map(({ copyTime }) => Duration.toMillis(copyTime))
      assert.deepStrictEqual(
        times,
        times.toSorted((one, other) => other - one)
      )
    })
  )

  it.effect("judges a long run by its last half", () =>
    Effect.gen(function* () {
      const { current, note } = yield* MigrationProgress.track
      yield* note(planned(100_000))
      for (let index = 0; index < 20_000; index++) {
        yield* TestClock.adjust("2 seconds")
        yield* note(artifact("shop/api"))
      }
      // A fast minute at the end says little of the rest.
      for (let index = 0; index < 300; index++) {
        yield* TestClock.adjust("200 millis")
        yield* note(artifact("shop/api"))
      }
      const { artifactsPerMinute = 0, timeLeft = Duration.zero } = yield* current
      assert.approximately(artifactsPerMinute, 300, 10)
      assert.approximately(Duration.toSeconds(timeLeft), 79_700 / 0.5, 8000)
    })
  )
})
