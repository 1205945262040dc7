/**
 * Faults within the body of a request: what arrived before them is kept, and no answer comes.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, codeOf, emulator } from "./support/ask.ts"
import { digestOf, locationOf, open, withDigest } from "./support/content.ts"
import { eventually, inject } from "./support/faults.ts"

const statusesOf = (method: string) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, ({ journal }) =>
    Effect.map(journal, (entries) => entries.filter((entry) => entry.method === method).map(({ status }) => status))
  )

describe("a request that is reset within its body", () => {
  it.live("leaves an upload with the bytes before, at a new location", () =>
    Effect.gen(function* () {
      const first = yield* open
      yield* inject({ _tag: "ResetRequest", afterBytes: 4 }, { method: "PATCH" })
      assert.strictEqual((yield* Effect.exit(askAsAdmin("PATCH", first, { body: "a blob" })))._tag, "Failure")
      assert.deepStrictEqual(yield* statusesOf("PATCH"), [0])
      const status = yield* askAsAdmin("GET", first)
      assert.deepStrictEqual([status.status, status.headers["range"]], [204, "0-3"])
      assert.strictEqual(yield* codeOf(yield* askAsAdmin("PATCH", first, { body: "ob" })), "BLOB_UPLOAD_INVALID")
      const done = yield* askAsAdmin("PUT", withDigest(locationOf(status), digestOf("a blob")), { body: "ob" })
      assert.strictEqual(done.status, 201)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("reads only so many bytes of a large body", () =>
    Effect.gen(function* () {
      const first = yield* open
      const afterBytes = 3_000_001
      yield* inject({ _tag: "ResetRequest", afterBytes }, { method: "PATCH" })
      const large = new Uint8Array(8_000_000)
      assert.strictEqual((yield* Effect.exit(askAsAdmin("PATCH", first, { body: large })))._tag, "Failure")
      assert.strictEqual((yield* askAsAdmin("GET", first)).headers["range"], `0-${afterBytes - 1}`)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is reset at its end if it is shorter, and if it is not read", () =>
    Effect.gen(function* () {
      const first = yield* open
      yield* inject({ _tag: "ResetRequest", afterBytes: 100 }, { times: 2 })
      assert.strictEqual((yield* Effect.exit(askAsAdmin("PATCH", first, { body: "a blob" })))._tag, "Failure")
      assert.strictEqual((yield* Effect.exit(askAsAdmin("GET", "/v2/")))._tag, "Failure")
      assert.strictEqual((yield* askAsAdmin("GET", first)).headers["range"], "0-5")
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is not carried out if it takes the whole body", () =>
    Effect.gen(function* () {
      const { openUploads } = yield* AcrEmulator.AcrEmulator
      yield* inject({ _tag: "ResetRequest", afterBytes: 2 }, { method: "PUT" })
      const pushed = askAsAdmin("PUT", "/v2/a/manifests/v1", {
        body: "{}",
        headers: { "content-type": "application/vnd.oci.image.index.v1+json" }
      })
      assert.strictEqual((yield* Effect.exit(pushed))._tag, "Failure")
      assert.strictEqual((yield* askAsAdmin("GET", "/v2/_catalog")).text, '{"repositories":null}')
      assert.strictEqual(yield* openUploads, 0)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a request that stalls within its body", () => {
  for (const size of [6, 8_000_000]) {
    it.live(`leaves an upload of ${size} bytes with the bytes before, and no answer`, () =>
      Effect.gen(function* () {
        const first = yield* open
        yield* inject({ _tag: "StallRequest", afterBytes: 4 }, { method: "PATCH" })
        const waiting = yield* Effect.forkChild(askAsAdmin("PATCH", first, { body: new Uint8Array(size) }))
        assert.deepStrictEqual(yield* eventually(statusesOf("PATCH"), (seen) => seen.length > 0), [0])
        assert.isUndefined(waiting.pollUnsafe())
        yield* Fiber.interrupt(waiting)
        const status = yield* askAsAdmin("GET", first)
        assert.deepStrictEqual([status.status, status.headers["range"]], [204, "0-3"])
        const more = yield* askAsAdmin("PATCH", locationOf(status), { body: "ob" })
        assert.deepStrictEqual([more.status, more.headers["range"]], [202, "0-5"])
      }).pipe(Effect.provide(emulator()))
    )
  }
})
