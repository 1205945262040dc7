/**
 * What a client keeps of an operation that has ended: the token, and not the result.
 */
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import { behindOAuth, properties, registry } from "./support/registry.ts"

setFlagsFromString("--expose-gc")
const collectGarbage: () => void = runInNewContext("gc")

describe("an access token", () => {
  it.live("does not keep what it was first requested for, nor what the program made of it", () =>
    Effect.gen(function* () {
      const results = yield* Effect.gen(function* () {
        const { repositoryProperties } = yield* ContainerRegistry
        const own = yield* repositoryProperties("alpine")
        return { own, ofProgram: { from: own } }
      }).pipe(
        Effect.withSpan("program"),
        Effect.map(({ ofProgram, own }) => [new WeakRef(own), new WeakRef(ofProgram)])
      )
      const kept = Effect.sync(() => {
        collectGarbage()
        return results.filter((result) => result.deref() !== undefined).length
      })
      // A result stays for the rest of the turn in which it was last seen.
      const left = yield* Effect.repeat(kept, {
        while: (count) => count > 0,
        schedule: Schedule.spaced("10 millis"),
        times: 100
      })
      assert.strictEqual(left, 0)
    }).pipe(Effect.provide(registry(behindOAuth("repository:alpine:metadata_read", properties))))
  )
})
