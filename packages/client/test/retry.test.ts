/**
 * When an operation is retried, to the millisecond of virtual time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { TestClock } from "effect/testing"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import { defaultPolicy, never, type RetryPolicy } from "../src/RetryPolicy.ts"
import { behindOAuth, Journal, json, properties, registry, type Reply, type Script } from "./support/registry.ts"

const scope = "repository:alpine:metadata_read"

/** Replies in turn; the last one forever. */
const inTurn = (...replies: readonly [() => Reply, ...ReadonlyArray<() => Reply>]): Script => {
  let turn = 0
  return behindOAuth(scope, () => (replies[Math.min(turn++, replies.length - 1)] ?? replies[0])())
}

const policy: RetryPolicy = {
  schedule: Schedule.spaced("1 second").pipe(Schedule.upTo({ times: 3 })),
  maxRetryAfter: "1 minute",
  attemptTimeout: "30 seconds"
}

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))

/** How many requests for the resource itself had a token. */
const attempts = Effect.map(
  Journal,
  (journal) =>
    journal.filter(({ authorization, url }) => authorization !== undefined && url.pathname.startsWith("/acr")).length
)

/** Asserts that the next attempt is sent after exactly this time. */
const nextAttemptAfter = (millis: number) =>
  Effect.gen(function* () {
    const before = yield* attempts
    yield* TestClock.adjust(millis - 1)
    assert.strictEqual(yield* attempts, before, "too early")
    yield* TestClock.adjust(1)
    assert.strictEqual(yield* attempts, before + 1, "too late")
  })

const start = Effect.gen(function* () {
  const fiber = yield* Effect.forkChild(read)
  yield* TestClock.adjust(0)
  assert.strictEqual(yield* attempts, 1)
  return fiber
})

const throttled = (retryAfter?: string) => () =>
  json(
    { errors: [{ code: "TOOMANYREQUESTS", message: "too many requests" }] },
    { status: 429, headers: retryAfter === undefined ? {} : { "retry-after": retryAfter } }
  )

describe("Retry-After", () => {
  it.effect("in seconds is waited for, exactly", () =>
    Effect.gen(function* () {
      const fiber = yield* start
      yield* nextAttemptAfter(17_000)
      assert.strictEqual((yield* Fiber.join(fiber)).name, "alpine")
    }).pipe(Effect.provide(registry(inTurn(throttled("17"), properties), { retry: policy })))
  )

  it.effect("as a date is waited for, exactly", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      const fiber = yield* start
      yield* nextAttemptAfter(42_000)
      assert.strictEqual((yield* Fiber.join(fiber)).name, "alpine")
    }).pipe(Effect.provide(registry(inTurn(throttled("Thu, 01 Jan 2026 00:00:42 GMT"), properties), { retry: policy })))
  )

  it.effect("shorter than the policy's own wait does not shorten it", () =>
    Effect.gen(function* () {
      const fiber = yield* start
      yield* nextAttemptAfter(1000)
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(registry(inTurn(throttled("0"), properties), { retry: policy })))
  )

  it.effect("at the cap is waited for", () =>
    Effect.gen(function* () {
      const fiber = yield* start
      yield* nextAttemptAfter(60_000)
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(registry(inTurn(throttled("60"), properties), { retry: policy })))
  )

  for (const retryAfter of ["61", "3600", "Thu, 01 Jan 1970 00:01:01 GMT"]) {
    it.effect(`above the cap (${retryAfter}) fails at once with the wait in the error`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(read)
        assert.strictEqual(error.reason._tag, "Throttled")
        if (error.reason._tag === "Throttled") {
          const wait = Duration.seconds(retryAfter === "3600" ? 3600 : 61)
          assert.deepStrictEqual(error.reason.retryAfter, wait)
          assert.deepStrictEqual(error.retryAfter, wait)
        }
        assert.strictEqual(yield* attempts, 1)
      }).pipe(Effect.provide(registry(inTurn(throttled(retryAfter), properties), { retry: policy })))
    )
  }

  it.effect("that is invalid counts as none", () =>
    Effect.gen(function* () {
      const fiber = yield* start
      yield* nextAttemptAfter(1000)
      yield* Fiber.join(fiber)
    }).pipe(Effect.provide(registry(inTurn(throttled("soon"), properties), { retry: policy })))
  )

  it.effect("counts with 503 too", () =>
    Effect.gen(function* () {
      const fiber = yield* start
      yield* nextAttemptAfter(5000)
      yield* Fiber.join(fiber)
    }).pipe(
      Effect.provide(
        registry(
          inTurn(() => new Response("", { status: 503, headers: { "retry-after": "5" } }), properties),
          {
            retry: policy
          }
        )
      )
    )
  )
})

describe("faults", () => {
  const transient: ReadonlyArray<readonly [string, () => Reply]> = [
    ["429", throttled()],
    ...[408, 500, 502, 503, 504].map(
      (status) => [String(status), () => new Response("<html>fault</html>", { status })] as const
    ),
    ["a reset", () => "reset"],
    ["an answer cut short", () => new Response(brokenBody(), { status: 200 })]
  ]

  for (const [name, reply] of transient) {
    it.effect(`${name} is retried as the schedule says, then fails`, () =>
      Effect.gen(function* () {
        const fiber = yield* start
        yield* nextAttemptAfter(1000)
        yield* nextAttemptAfter(1000)
        yield* nextAttemptAfter(1000)
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.strictEqual(error.reason._tag, name === "429" ? "Throttled" : "Unavailable")
        assert.strictEqual(yield* attempts, 4)
      }).pipe(Effect.provide(registry(inTurn(reply), { retry: policy })))
    )
  }

  it.effect("an answer that never arrives times out after the attempt's time, and is retried", () =>
    Effect.gen(function* () {
      const fiber = yield* start
      yield* nextAttemptAfter(31_000)
      assert.strictEqual((yield* Fiber.join(fiber)).name, "alpine")
    }).pipe(
      Effect.provide(
        registry(
          inTurn(() => "stall", properties),
          { retry: policy }
        )
      )
    )
  )

  it.effect("an answer that stalls in its body as well", () =>
    Effect.gen(function* () {
      const fiber = yield* start
      yield* nextAttemptAfter(31_000)
      yield* Fiber.join(fiber)
    }).pipe(
      Effect.provide(
        registry(
          inTurn(() => new Response(new ReadableStream()), properties),
          { retry: policy }
        )
      )
    )
  )

  const lasting: ReadonlyArray<readonly [number, string]> = [
    [400, "InvalidRequest"],
    [403, "Forbidden"],
    [404, "NotFound"],
    [405, "Unsupported"],
    [409, "InvalidRequest"],
    [501, "Unsupported"],
    [302, "Refused"],
    [204, "InvalidResponse"]
  ]
  for (const [status, reason] of lasting) {
    it.effect(`${status} is not retried: ${reason}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(read)
        assert.strictEqual(error.reason._tag, reason)
        assert.strictEqual(yield* attempts, 1)
      }).pipe(
        Effect.provide(
          registry(
            inTurn(() => new Response(null, { status })),
            { retry: policy }
          )
        )
      )
    )
  }
})

describe("the policy", () => {
  it.effect("by default retries five times, with growing waits of at most ten seconds", () =>
    Effect.gen(function* () {
      const fiber = yield* start
      for (const [most, count] of [
        [300, 2],
        [600, 3],
        [1200, 4],
        [2400, 5],
        [4800, 6]
      ] as const) {
        yield* TestClock.adjust(most)
        assert.strictEqual(yield* attempts, count)
      }
      assert.strictEqual((yield* Effect.flip(Fiber.join(fiber))).reason._tag, "Unavailable")
    }).pipe(
      Effect.provide(
        registry(
          inTurn(() => new Response("", { status: 502 })),
          { retry: defaultPolicy }
        )
      )
    )
  )

  it.effect("`never` makes one attempt", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(read)).reason._tag, "Unavailable")
      assert.strictEqual(yield* attempts, 1)
    }).pipe(
      Effect.provide(
        registry(
          inTurn(() => "reset"),
          { retry: never }
        )
      )
    )
  )

  it.effect("covers tokens as well, without multiplying attempts", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(Effect.flip(read))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual((yield* Fiber.join(fiber)).reason._tag, "Unavailable")
      const journal = yield* Journal
      assert.strictEqual(journal.filter(({ url }) => url.pathname === "/oauth2/token").length, 4)
      assert.strictEqual(yield* attempts, 0)
    }).pipe(
      Effect.provide(
        registry(
          (asked, count) =>
            asked.url.pathname === "/oauth2/token"
              ? new Response("", { status: 503 })
              : behindOAuth(scope, properties)(asked, count),
          { retry: policy }
        )
      )
    )
  )
})

const gone = () =>
  json({ errors: [{ code: "TAG_UNKNOWN", message: "the specified tag does not exist" }] }, { status: 404 })
const lostThenGone = () =>
  registry(
    inTurn(() => "reset", gone),
    { retry: policy }
  )

describe("deletes", () => {
  it.effect("a tag whose deletion lost its answer counts as deleted", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const fiber = yield* Effect.forkChild(registry.deleteTag("alpine", "old"))
      yield* TestClock.adjust("1 second")
      assert.isTrue(Option.isNone(yield* Fiber.join(fiber)))
      assert.strictEqual(yield* attempts, 2)
    }).pipe(Effect.provide(lostThenGone()))
  )

  it.effect("a tag that did not exist at the first attempt is not found", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const error = yield* Effect.flip(registry.deleteTag("alpine", "old"))
      assert.strictEqual(error.reason._tag, "NotFound")
    }).pipe(Effect.provide(registry(inTurn(gone), { retry: policy })))
  )

  it.effect("a repository is not deleted twice when the answer is lost", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const error = yield* Effect.flip(registry.deleteRepository("alpine"))
      assert.strictEqual(error.reason._tag, "Unavailable")
      assert.strictEqual(yield* attempts, 1)
    }).pipe(Effect.provide(lostThenGone()))
  )

  it.effect("a repository is retried if the registry rejected the request", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const fiber = yield* Effect.forkChild(registry.deleteRepository("alpine"))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(yield* Fiber.join(fiber), { manifests: [], tags: [] })
    }).pipe(
      Effect.provide(
        registry(
          inTurn(throttled(), () => json({ manifestsDeleted: null, tagsDeleted: null }, { status: 202 })),
          { retry: policy }
        )
      )
    )
  )
})

/** A body that breaks off after its first bytes. */
function brokenBody(): ReadableStream {
  let sent = false
  return new ReadableStream({
    pull(controller) {
      if (sent) controller.error(new Error("terminated"))
      else controller.enqueue(new TextEncoder().encode('{"registry":'))
      sent = true
    }
  })
}
