/**
 * Limits that the client keeps by itself, in virtual time.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
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
  it.effect("lets a minute's requests go at once, then one at a time, evenly", () =>
    Effect.gen(function* () {
      // The first request of all goes without a token, and counts.
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

  it.effect("holds back its own kind alone", () =>
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
