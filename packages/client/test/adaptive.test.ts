/**
 * Transports that slow down after 429, in virtual time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { TestClock } from "effect/testing"
import * as ContainerRegistry from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import type { Options } from "../src/Transport.ts"
import { json, properties } from "./support/registry.ts"

/** The times of requests, and whether the registry refused them. */
interface Seen {
  readonly at: number
  readonly method: string
  readonly isRefused: boolean
}

const refusal = (seconds: number | undefined): Response =>
  json(
    { errors: [{ code: "TOOMANYREQUESTS", message: "too many requests" }] },
    { status: 429, headers: seconds === undefined ? {} : { "retry-after": String(seconds) } }
  )

/** A registry that refuses depending on the time, and remembers its requests. */
const deciding = (refuses: (now: number, method: string) => number | false) => {
  const seen: Array<Seen> = []
  const answer = (at: number, method: string): Response => {
    const seconds = refuses(at, method)
    seen.push({ at, method, isRefused: seconds !== false })
    if (seconds !== false) return refusal(seconds === 0 ? undefined : seconds)
    return method === "DELETE" ? json({ manifestsDeleted: [], tagsDeleted: [] }, { status: 202 }) : properties()
  }
  const client = HttpClient.make((request) =>
    Effect.map(Clock.currentTimeMillis, (at) => HttpClientResponse.fromWeb(request, answer(at, request.method)))
  )
  const layer = (options: Partial<Options> = {}) =>
    ContainerRegistry.layer({ endpoint: "https://myregistry.azurecr.io", adaptive: true, ...options }).pipe(
      Layer.provide([Credentials.layerAnonymous, Layer.succeed(HttpClient.HttpClient, client)])
    )
  return { layer, seen }
}

/** A bucket of a minute's reads that refills evenly, like ACR's. */
const bucket = (limit: number) => {
  let tokens = limit
  let last = 0
  return (now: number): number | false => {
    tokens = Math.min(limit, tokens + ((now - last) * limit) / 60_000)
    last = now
    if (tokens < 1) return Math.ceil((1 - tokens) / (limit / 60))
    tokens -= 1
    return false
  }
}

/** Reads like a job that has time: throttled reads are retried. */
const reads = (count: number, concurrency: number) =>
  Effect.flatMap(ContainerRegistry.ContainerRegistry, ({ repositoryProperties }) => {
    const read = Effect.retry(repositoryProperties("alpine"), {
      schedule: Schedule.forever,
      while: ({ reason }) => reason._tag === "Throttled"
    })
    return Effect.forEach(Array.from({ length: count }), () => read, { concurrency, discard: true })
  })

/** Advances the clock until an effect is done. Returns the minutes that it took. */
const passing = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const began = yield* Clock.currentTimeMillis
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
    yield* Fiber.join(fiber)
    return ((yield* Clock.currentTimeMillis) - began) / 60_000
  })

/** The number of requests that succeeded in a minute. */
const answeredIn = (seen: ReadonlyArray<Seen>, from: number): number =>
  seen.filter(({ at, isRefused }) => !isRefused && at >= from && at < from + 60_000).length

describe("an adaptive transport", () => {
  it.effect(
    "learns the limit of a registry: less than 1 % of its requests are refused, and most of the limit is used",
    () => {
      const { layer, seen } = deciding(bucket(300))
      return Effect.gen(function* () {
        const minutes = yield* passing(reads(9000, 16))
        const refused = seen.filter(({ isRefused }) => isRefused).length
        assert.isAbove(refused, 0)
        assert.isBelow(refused / seen.length, 0.01)
        assert.isBelow(minutes, 45)
      }).pipe(Effect.provide(layer()))
    },
    60_000
  )

  it.effect(
    "survives an hour of refusals with at most two requests a minute",
    () => {
      const { layer, seen } = deciding((now) => (now >= 60_000 && now < 61 * 60_000 ? 60 : false))
      return Effect.gen(function* () {
        yield* reads(200, 16)
        yield* TestClock.setTime(60_000)
        const minutes = yield* passing(reads(200, 16))
        const refused = seen.filter(({ isRefused }) => isRefused).length
        assert.isAtMost(refused, 120)
        assert.isAtLeast(refused, 30)
        assert.isBelow(minutes, 70)
      }).pipe(Effect.provide(layer()))
    },
    60_000
  )

  it.effect("delays only the kind of request that was refused", () => {
    const { layer, seen } = deciding((now, method) => (method === "GET" && now > 0 && now < 30_000 ? 30 : false))
    return Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      // The first answer of all says how to log in.
      yield* reads(1, 1)
      yield* TestClock.adjust("1 second")
      const fiber = yield* Effect.forkChild(reads(4, 4))
      yield* TestClock.adjust("1 second")
      const before = seen.length
      const late = yield* Effect.forkChild(reads(4, 4))
      yield* TestClock.adjust("27 seconds")
      assert.lengthOf(seen, before)
      yield* registry.deleteRepository("alpine")
      assert.strictEqual(seen.at(-1)?.method, "DELETE")
      assert.strictEqual(seen.filter(({ method }) => method === "GET").length, before)
      yield* passing(Fiber.joinAll([fiber, late]))
    }).pipe(Effect.provide(layer()))
  })

  it.effect(
    "sends evenly and slower at first, and returns to its own limit",
    () => {
      const { layer, seen } = deciding((now) => (now === 60_000 ? 10 : false))
      const limit = 300
      return Effect.gen(function* () {
        yield* TestClock.setTime(60_000)
        yield* passing(reads(limit * 20, 8))
        const during = Array.from({ length: 19 }, (_, minute) => answeredIn(seen, 72_000 + minute * 60_000))
        // Half of the previous rate, and no less than one a second; 5% of the limit more each minute.
        assert.isAtLeast(during[0] ?? 0, 60)
        assert.isAtMost(during[0] ?? 0, 70)
        assert.isAbove(during[5] ?? 0, (during[1] ?? 0) + 50)
        assert.isAtLeast(during[18] ?? 0, limit - 10)
      }).pipe(Effect.provide(layer({ rateLimits: { read: limit } })))
    },
    60_000
  )

  it.effect("fails at once if the registry asks for a longer wait than operations accept", () => {
    const { layer, seen } = deciding(() => 3600)
    return Effect.gen(function* () {
      const { repositoryProperties } = yield* ContainerRegistry.ContainerRegistry
      for (const _ of [1, 2]) {
        const { reason } = yield* Effect.flip(repositoryProperties("alpine"))
        assert.strictEqual(reason._tag, "Throttled")
      }
      assert.lengthOf(seen, 2)
    }).pipe(Effect.provide(layer()))
  })

  it.effect("waits longer each time if the registry states no time", () => {
    const { layer, seen } = deciding((now) => (now < 10 * 60_000 ? 0 : false))
    return Effect.gen(function* () {
      yield* passing(reads(16, 16))
      assert.isAtMost(seen.filter(({ isRefused }) => isRefused).length, 50)
    }).pipe(Effect.provide(layer()))
  })
})
