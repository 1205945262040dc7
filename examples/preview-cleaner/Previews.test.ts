/**
 * The cleaner on an emulator: with images that were never pushed, a registry that misbehaves, and days that pass at once.
 */
import { ContainerRegistry, RetryPolicy } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Option, Schedule, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Previews from "./Previews.ts"
import { PullRequests } from "./PullRequests.ts"

const repository = "contoso/web"

/** Pull request 1 was closed at the beginning of time, the others are open. */
const Closed = Layer.succeed(PullRequests, {
  closedAt: (number) => Effect.succeed(number === 1 ? Option.some(DateTime.makeUnsafe(0)) : Option.none())
})

/** The registry of each test: three images, one of which is an obsolete preview. */
const Images = Layer.effectDiscard(
  Effect.gen(function* () {
    const { seed } = yield* AcrEmulator.AcrEmulator
    yield* seed({ repository, tags: ["v1", "latest"], layers: ["release"] })
    yield* seed({ repository, tags: ["pr-1"], layers: ["closed"] })
    yield* seed({ repository, tags: ["pr-2"], layers: ["open"] })
  })
)

const Test = Previews.layer.pipe(
  Layer.provide(Closed),
  Layer.provideMerge(
    AcrEmulator.layerRegistry({ retry: { ...RetryPolicy.defaultPolicy, schedule: Schedule.recurs(2) } })
  ),
  Layer.provideMerge(Images),
  Layer.provideMerge(AcrEmulator.layer())
)

const sweep = Effect.flatMap(Previews.Previews, (previews) => Stream.runCollect(previews.sweep(repository)))

const tags = Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) =>
  registry.tags(repository).pipe(
    Stream.map(({ name }) => String(name)),
    Stream.runCollect
  )
)

it.effect("a sweep waits for a day, then deletes the preview of a closed pull request", () =>
  Effect.gen(function* () {
    yield* TestClock.adjust("23 hours")
    assert.deepStrictEqual(yield* sweep, [])
    yield* TestClock.adjust("2 hours")
    assert.deepStrictEqual(
      (yield* sweep).map(({ became, tags }) => [became, ...tags]),
      [["deleted", "pr-1"]]
    )
    assert.deepStrictEqual(yield* tags, ["latest", "pr-2", "v1"])
  }).pipe(Effect.provide(Test))
)

it.effect("a sweep leaves a release that was a preview, and takes the name from it", () =>
  Effect.gen(function* () {
    const { seed } = yield* AcrEmulator.AcrEmulator
    yield* seed({ repository, tags: ["pr-1", "v2"], layers: ["released"], onTag: "overwrite" })
    yield* TestClock.adjust("25 hours")
    assert.deepStrictEqual(
      (yield* sweep).map(({ became }) => became),
      ["untagged"]
    )
    assert.deepStrictEqual(yield* tags, ["latest", "pr-2", "v1", "v2"])
  }).pipe(Effect.provide(Test))
)

it.effect("a sweep passes over what is locked", () =>
  Effect.gen(function* () {
    const registry = yield* ContainerRegistry.ContainerRegistry
    yield* registry.updateTag(repository, "pr-1", { canDelete: false })
    yield* TestClock.adjust("25 hours")
    assert.deepStrictEqual(
      (yield* sweep).map(({ became }) => became),
      ["locked"]
    )
    assert.include(yield* tags, "pr-1")
  }).pipe(Effect.provide(Test))
)

it.effect("a sweep sees a busy registry through", () =>
  Effect.gen(function* () {
    const { inject } = yield* AcrEmulator.AcrEmulator
    yield* inject({ path: "/acr/v1/", consequence: { _tag: "Answer", status: 503 } })
    yield* inject({ method: "DELETE", consequence: { _tag: "LostAnswer" } })
    yield* TestClock.adjust("25 hours")
    assert.deepStrictEqual(
      (yield* sweep).map(({ became }) => became),
      ["deleted"]
    )
  }).pipe(Effect.provide(Test))
)

it.effect("a sweep fails where the registry is gone", () =>
  Effect.gen(function* () {
    const { inject } = yield* AcrEmulator.AcrEmulator
    yield* inject({ times: "always", consequence: { _tag: "Reset" } })
    const error = yield* Effect.flip(sweep)
    assert.strictEqual(error._tag === "RegistryError" ? error.reason._tag : error._tag, "Unavailable")
  }).pipe(Effect.provide(Test))
)

it.effect("a sweep costs one request for the list, and one for each image that goes", () =>
  Effect.gen(function* () {
    const { journal } = yield* AcrEmulator.AcrEmulator
    yield* TestClock.adjust("25 hours")
    yield* sweep
    const requests = (yield* journal).filter(({ authorization }) => authorization === "bearer")
    assert.deepStrictEqual(
      requests.map(({ method, status }) => `${method} ${status}`),
      ["GET 200", "DELETE 202"]
    )
  }).pipe(Effect.provide(Test))
)
