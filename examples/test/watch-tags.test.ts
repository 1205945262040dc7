/**
 * The example that watches tags: time is the test's.
 */
import { RetryPolicy } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Queue, Schedule, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type TagChange, watchTags } from "../watch-tags.ts"

// Only the watch retries what fails.
const Registry = AcrEmulator.layerRegistry({ retry: RetryPolicy.never }).pipe(Layer.provideMerge(AcrEmulator.layer()))

/** Watches a repository once a minute. */
const watch = Effect.fnUntraced(function* (repository: string) {
  const looks = yield* Queue.unbounded<void>()
  const changes = yield* Queue.unbounded<TagChange>()
  const everyMinute = Schedule.spaced("1 minute").pipe(Schedule.tap(() => Queue.offer(looks, undefined)))
  const fiber = yield* watchTags(repository, everyMinute).pipe(
    Stream.runForEach((change) => Queue.offer(changes, change)),
    Effect.forkScoped
  )
  /** Waits until it has looked and waits itself. */
  const looked = Queue.take(looks)
  return {
    fiber,
    looked,
    /** Lets it look once more, and tells the changes that this look found. */
    lookAgain: Effect.gen(function* () {
      yield* TestClock.adjust("1 minute")
      yield* looked
      return (yield* Queue.clear(changes)).map(({ before, tag }) => ({
        name: String(tag.name),
        digest: tag.digest,
        before: Option.getOrUndefined(before)
      }))
    })
  }
})

/** How often tags were listed; a first request, which only learns how to request tokens, does not count. */
const lists = AcrEmulator.AcrEmulator.use(({ journal }) =>
  Effect.map(
    journal,
    (entries) => entries.filter(({ path, status }) => path.endsWith("/_tags") && status !== 401).length
  )
)

describe("watch-tags", () => {
  it.effect("tells each tag that is new or has moved, once and in order", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const v1 = yield* seed({ repository: "contoso/web", tags: ["v1", "latest"] })
      const { lookAgain, looked } = yield* watch("contoso/web")
      yield* looked
      assert.deepStrictEqual(yield* lookAgain, [])

      const v2 = yield* seed({ repository: "contoso/web", tags: ["v2"], layers: ["two"] })
      yield* seed({ repository: "contoso/web", tags: ["latest"], layers: ["two"], onTag: "overwrite" })
      const [first, second, ...others] = yield* lookAgain
      assert.deepStrictEqual(first, { name: "v2", digest: v2, before: undefined })
      assert.deepStrictEqual([second?.name, second?.before], ["latest", v1])
      assert.deepStrictEqual(others, [])
      assert.deepStrictEqual(yield* lookAgain, [])
    }).pipe(Effect.provide(Registry))
  )

  it.effect("goes on when the registry is back, and has missed nothing", () =>
    Effect.gen(function* () {
      const { inject, seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "contoso/web", tags: ["v1"] })
      const { lookAgain, looked } = yield* watch("contoso/web")
      yield* looked
      yield* inject({ path: "/acr/v1/", times: 3, consequence: { _tag: "Answer", status: 503 } })
      yield* seed({ repository: "contoso/web", tags: ["v2"], layers: ["two"] })
      const found = yield* Effect.replicateEffect(lookAgain, 5)
      assert.deepStrictEqual(
        found.map((changes) => changes.map(({ name }) => name)),
        [[], [], [], ["v2"], []]
      )
    }).pipe(Effect.provide(Registry))
  )

  it.effect("lists all tags once, from then on no more than it has to", () =>
    Effect.gen(function* () {
      const { clearJournal, seed } = yield* AcrEmulator.AcrEmulator
      const tags = Array.from({ length: 250 }, (_, index) => `v${index}`)
      yield* seed({ repository: "contoso/web", tags })
      yield* TestClock.adjust("1 hour")
      yield* seed({ repository: "contoso/web", tags: ["latest"] })
      const { lookAgain, looked } = yield* watch("contoso/web")
      yield* looked
      assert.strictEqual(yield* lists, 3)
      yield* clearJournal
      yield* Effect.replicateEffect(lookAgain, 2)
      assert.strictEqual(yield* lists, 2)
    }).pipe(Effect.provide(Registry))
  )

  it.effect("waits for a repository that is not there yet, and ends when it is interrupted", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const { fiber, lookAgain, looked } = yield* watch("contoso/new")
      yield* looked
      yield* seed({ repository: "contoso/new", tags: ["v1"] })
      assert.deepStrictEqual(
        (yield* lookAgain).map(({ name }) => name),
        ["v1"]
      )
      yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* lists, 2)
    }).pipe(Effect.provide(Registry))
  )
})
