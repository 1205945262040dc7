/**
 * Faults: the effect of each on a client, and the state that it leaves.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, emulator } from "./support/ask.ts"
import { answersTo, requestText } from "./support/connection.ts"
import { eventually, inject } from "./support/faults.ts"

const catalog = askAsAdmin("GET", "/acr/v1/_catalog")

const statuses = Effect.flatMap(AcrEmulator.AcrEmulator, ({ journal }) =>
  Effect.map(journal, (entries) => entries.map(({ status }) => status))
)

const failureOf = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(
    Effect.option(Effect.flip(effect)),
    Option.map(({ _tag }) => _tag)
  )

const seeded = Effect.flatMap(AcrEmulator.AcrEmulator, ({ seed }) => seed({ repository: "alpine", tags: ["v1"] }))

describe("a fault", () => {
  it.live("that answers", () =>
    Effect.gen(function* () {
      yield* inject({ _tag: "Answer", status: 429, headers: { "Retry-After": "7" }, body: "slow down" })
      const reply = yield* catalog
      assert.deepStrictEqual([reply.status, reply.headers["retry-after"], reply.text], [429, "7", "slow down"])
      assert.strictEqual((yield* catalog).status, 200)
      assert.deepStrictEqual(yield* statuses, [429, 200])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that answers a HEAD with the length of a body", () =>
    Effect.gen(function* () {
      yield* inject({ _tag: "Answer", status: 200, headers: { "content-length": "7" } }, { method: "HEAD" })
      const reply = yield* askAsAdmin("HEAD", "/v2/alpine/manifests/v1")
      assert.deepStrictEqual([reply.status, reply.headers["content-length"]], [200, "7"])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that resets", () =>
    Effect.gen(function* () {
      yield* inject({ _tag: "Reset" })
      assert.deepStrictEqual(yield* failureOf(catalog), Option.some("HttpClientError"))
      assert.strictEqual((yield* catalog).status, 200)
      assert.deepStrictEqual(yield* statuses, [0, 200])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that stalls", () =>
    Effect.gen(function* () {
      yield* inject({ _tag: "Stall" })
      const waiting = yield* Effect.forkChild(catalog)
      yield* eventually(statuses, (seen) => seen.length === 1)
      yield* Fiber.interrupt(waiting)
      assert.strictEqual((yield* catalog).status, 200)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that loses the answer still carries out the request", () =>
    Effect.gen(function* () {
      yield* seeded
      yield* inject({ _tag: "LostAnswer" }, { method: "DELETE" })
      assert.deepStrictEqual(yield* failureOf(askAsAdmin("DELETE", "/acr/v1/alpine")), Option.some("HttpClientError"))
      assert.strictEqual((yield* askAsAdmin("GET", "/acr/v1/alpine")).status, 404)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that answers instead does not carry out the request", () =>
    Effect.gen(function* () {
      yield* seeded
      yield* inject({ _tag: "Answer", status: 503 }, { method: "DELETE" })
      assert.strictEqual((yield* askAsAdmin("DELETE", "/acr/v1/alpine")).status, 503)
      assert.strictEqual((yield* askAsAdmin("GET", "/acr/v1/alpine")).status, 200)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that changes headers", () =>
    Effect.gen(function* () {
      yield* inject({ _tag: "Headers", headers: { "content-type": "text/html", "X-Ms-Correlation-Request-Id": null } })
      const reply = yield* catalog
      assert.strictEqual(reply.headers["content-type"], "text/html")
      assert.isUndefined(reply.headers["x-ms-correlation-request-id"])
      assert.strictEqual(reply.text, '{"repositories":null}')
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that cuts the body", () =>
    Effect.gen(function* () {
      yield* inject({ _tag: "CutBody", afterBytes: 5 })
      assert.deepStrictEqual(yield* failureOf(catalog), Option.some("HttpClientError"))
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that stalls an answer", () =>
    Effect.gen(function* () {
      yield* inject({ _tag: "StallBody", afterBytes: 5 })
      const waiting = yield* Effect.forkChild(catalog)
      yield* eventually(statuses, (seen) => seen.length === 1)
      assert.strictEqual((yield* catalog).status, 200)
      assert.isUndefined(waiting.pollUnsafe())
      yield* Fiber.interrupt(waiting)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that stalls an answer after its end leaves its connection usable", () =>
    Effect.gen(function* () {
      const get = yield* requestText("GET", "/acr/v1/_catalog")
      const head = yield* requestText("HEAD", "/v2/a/manifests/v1")
      for (const [first, afterBytes, statuses] of [
        [get, '{"repositories":null}'.length, [200, 200]],
        [get, 1000, [200, 200]],
        [head, 0, [404, 200]]
      ] as const) {
        yield* inject({ _tag: "StallBody", afterBytes })
        assert.deepStrictEqual(yield* answersTo(first, get), statuses)
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that corrupts the body", () =>
    Effect.gen(function* () {
      yield* inject({ _tag: "CorruptBody", atByte: 0 })
      assert.strictEqual((yield* catalog).text, 'z"repositories":null}')
    }).pipe(Effect.provide(emulator()))
  )

  it.live("hits only what it is for, as often as it is for", () =>
    Effect.gen(function* () {
      yield* seeded
      yield* inject({ _tag: "Answer", status: 500 }, { method: "GET", path: /_tags/, skip: 1, times: 2 })
      const tags = askAsAdmin("GET", "/acr/v1/alpine/_tags")
      for (const status of [200, 500, 500, 200]) {
        assert.strictEqual((yield* catalog).status, 200)
        assert.strictEqual((yield* tags).status, status)
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("can be removed", () =>
    Effect.gen(function* () {
      yield* inject({ _tag: "Reset" }, { times: 100 })
      yield* (yield* AcrEmulator.AcrEmulator).clearFaults
      assert.strictEqual((yield* catalog).status, 200)
    }).pipe(Effect.provide(emulator()))
  )
})

const sequences = (entries: ReadonlyArray<{ readonly sequence: number }>): ReadonlyArray<number> =>
  entries.map(({ sequence }) => sequence)

describe("the journal", () => {
  it.live("keeps the last requests up to its size, and their numbers continue", () =>
    Effect.gen(function* () {
      const { clearJournal, journal, journalAfter } = yield* AcrEmulator.AcrEmulator
      for (let requests = 0; requests < 7; requests += 1) yield* catalog
      assert.deepStrictEqual(sequences(yield* journal), [5, 6, 7])
      assert.deepStrictEqual(sequences(yield* journalAfter(6)), [7])
      yield* clearJournal
      yield* catalog
      assert.deepStrictEqual(sequences(yield* journal), [8])
    }).pipe(Effect.provide(emulator({ journalSize: 3 })))
  )
})
