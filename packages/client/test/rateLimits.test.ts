/**
 * Rate limits of the client, in virtual time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { TestClock } from "effect/testing"
import * as BlobSource from "../src/BlobSource.ts"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import { layer, RegistryContent } from "../src/RegistryContent.ts"
import { never } from "../src/RetryPolicy.ts"
import { behindOAuth, Journal, json, properties, registry } from "./support/registry.ts"

const answers = behindOAuth("repository:alpine:metadata_read", ({ method }) =>
  method === "DELETE" ? json({ manifestsDeleted: [], tagsDeleted: [] }, { status: 202 }) : properties()
)

const asked = (method: string) =>
  Effect.map(
    Journal,
    (journal) => journal.filter((asked) => asked.method === method && asked.authorization !== undefined).length
  )

const reads = (count: number) =>
  Effect.flatMap(ContainerRegistry, (registry) =>
    Effect.forEach(Array(count).fill("alpine"), (name: string) => registry.repositoryProperties(name), {
      concurrency: "unbounded",
      discard: true
    })
  )

describe("a limit of requests a minute", () => {
  it.effect("allows a minute's requests at once, then one at a time, at even intervals", () =>
    Effect.gen(function* () {
      // The very first request is sent without a token, and counts.
      yield* reads(1)
      const fiber = yield* Effect.forkChild(reads(4))
      yield* TestClock.adjust(0)
      assert.strictEqual(yield* asked("GET"), 2)
      yield* TestClock.adjust(19_999)
      assert.strictEqual(yield* asked("GET"), 2)
      yield* TestClock.adjust(1)
      assert.strictEqual(yield* asked("GET"), 3)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* asked("GET"), 4)
      yield* TestClock.adjust("20 seconds")
      yield* Fiber.join(fiber)
      assert.strictEqual(yield* asked("GET"), 5)
    }).pipe(Effect.provide(registry(answers, { rateLimits: { read: 3 } })))
  )

  it.effect("delays only its own kind", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const fiber = yield* Effect.forkChild(reads(5))
      yield* TestClock.adjust("1 second")
      yield* registry.deleteRepository("alpine")
      assert.strictEqual(yield* asked("DELETE"), 1)
      yield* Fiber.interrupt(fiber)
      const before = yield* asked("GET")
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(yield* asked("GET"), before)
    }).pipe(Effect.provide(registry(answers, { rateLimits: { read: 3 } })))
  )
})

it.effect("requests of one kind do not count against the limit of another", () =>
  Effect.gen(function* () {
    const registry = yield* ContainerRegistry
    const fiber = yield* Effect.forkChild(reads(5))
    yield* TestClock.adjust("1 second")
    const deletion = yield* Effect.forkChild(registry.deleteRepository("alpine"))
    yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
    assert.strictEqual(yield* asked("DELETE"), 1)
    yield* Fiber.interruptAll([fiber, deletion])
  }).pipe(Effect.provide(registry(answers, { rateLimits: { read: 3, delete: 1 } })))
)

/** A separate transport of a registry with anonymous reads. */
const conversation = (host: string, read: number) =>
  Effect.map(
    Layer.build(
      Layer.fresh(
        registry(properties, {
          endpoint: `https://${host}`,
          credentials: Credentials.layerAnonymous,
          rateLimits: { read },
          retry: never
        })
      )
    ),
    (services) => Effect.provideContext(reads(1), services)
  )

const limiter = RateLimiter.layer.pipe(Layer.provide(RateLimiter.layerStoreMemory))

/** How many of the effects have ended when everything that is due has run. */
const over = (...effects: ReadonlyArray<Effect.Effect<unknown, unknown>>) =>
  Effect.gen(function* () {
    const fibers = yield* Effect.forEach(effects, (effect) => Effect.forkChild(effect))
    yield* TestClock.adjust(0)
    const count = fibers.filter((fiber) => fiber.pollUnsafe() !== undefined).length
    yield* Fiber.interruptAll(fibers)
    return count
  })

describe("a rate limiter of the context", () => {
  it.effect("is shared by the transports of one registry", () =>
    Effect.gen(function* () {
      const first = yield* conversation("one.example", 3)
      const second = yield* conversation("one.example", 3)
      assert.strictEqual(yield* over(first, second, first, second, first), 3)
    }).pipe(Effect.provide(limiter))
  )

  it.effect("limits each registry separately", () =>
    Effect.gen(function* () {
      const first = yield* conversation("one.example", 3)
      const second = yield* conversation("two.example", 2)
      const third = yield* conversation("one.example:5000", 1)
      assert.strictEqual(yield* over(...Array(4).fill(first), ...Array(4).fill(second), ...Array(4).fill(third)), 6)
    }).pipe(Effect.provide(limiter))
  )

  it.effect("and its other users do not count against each other", () =>
    Effect.gen(function* () {
      const shared = yield* RateLimiter.RateLimiter
      for (const key of ["read", "one.example", "one.example/read"]) {
        yield* shared.consume({ key, limit: 1, window: "1 minute", algorithm: "token-bucket" })
      }
      assert.strictEqual(yield* over(yield* conversation("one.example", 1)), 1)
    }).pipe(Effect.provide(limiter))
  )

  it.effect("may be provided only to the layer", () =>
    Effect.gen(function* () {
      const registryLive = registry(properties, {
        endpoint: "https://one.example",
        credentials: Credentials.layerAnonymous,
        rateLimits: { read: 1 }
      })
      const shared = yield* Layer.build(limiter)
      const both = yield* Effect.forEach([1, 2], () =>
        Layer.build(Layer.fresh(registryLive).pipe(Layer.provide(Layer.succeedContext(shared))))
      )
      assert.strictEqual(yield* over(...both.map((services) => Effect.provideContext(reads(1), services))), 1)
    })
  )

  it.effect("is not needed: transports have their own limiters", () =>
    Effect.gen(function* () {
      const first = yield* conversation("one.example", 1)
      const second = yield* conversation("one.example", 1)
      assert.strictEqual(yield* over(first, second, first, second), 2)
    })
  )

  it.effect("that fails is retried, and then fails the operation", () => {
    let calls = 0
    const failing = Effect.suspend(() => {
      calls++
      return Effect.fail(
        new RateLimiter.RateLimiterError({
          reason: new RateLimiter.RateLimitStoreError({ message: "the store is not there" })
        })
      )
    })
    const store = RateLimiter.RateLimiterStore.of({
      fixedWindow: () => failing,
      tokenBucket: () => failing,
      adaptiveConsume: () => failing,
      adaptiveFeedback: () => failing
    })
    return Effect.gen(function* () {
      const services = yield* Layer.build(registry(properties, { rateLimits: { read: 1 } }))
      const fiber = yield* Effect.forkChild(
        Effect.flip(
          Effect.flatMap(ContainerRegistry, ({ repositoryProperties }) => repositoryProperties("alpine"))
        ).pipe(Effect.provideContext(services))
      )
      yield* TestClock.adjust("1 minute")
      const { message, reason } = yield* Fiber.join(fiber)
      assert.strictEqual(reason._tag, "Unavailable")
      assert.include(message, "ContainerRegistry.repositoryProperties")
      assert.include(message, "the rate limiter failed: the store is not there")
      assert.strictEqual(calls, 6)
      assert.lengthOf(Context.get(services, Journal), 0)
    }).pipe(Effect.provide(RateLimiter.layer.pipe(Layer.provide(Layer.succeed(RateLimiter.RateLimiterStore, store)))))
  })
})

/** An HTTP client that takes a second to connect. */
const connecting = HttpClient.make((request) =>
  Effect.delay(
    Effect.sync(() =>
      HttpClientResponse.fromWeb(
        request,
        request.method === "PUT"
          ? new Response(null, { status: 201 })
          : new Response(null, { status: 202, headers: { location: "/s" } })
      )
    ),
    "1 second"
  )
)

describe("an upload that waits for its turn", () => {
  it.effect("longer than the idle timeout does not count as stalled", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const upload = registry.uploadBlob("alpine", BlobSource.fromBytes(new Uint8Array(3 * 1024 * 1024)))
      const fiber = yield* Effect.forkChild(Effect.all([upload, upload], { concurrency: 2 }))
      for (let second = 0; second < 400; second++) yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* Fiber.join(fiber), 2)
    }).pipe(
      Effect.provide(
        layer({ endpoint: "https://one.example", rateLimits: { write: 1 }, retry: never }).pipe(
          Layer.provide(Credentials.layerAnonymous),
          Layer.provide(Layer.succeed(HttpClient.HttpClient, connecting))
        )
      )
    )
  )
})
