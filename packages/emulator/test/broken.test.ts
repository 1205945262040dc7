/**
 * Broken connections: the bytes of an upload that the registry keeps or discards.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, codeOf, emulator } from "./support/ask.ts"
import { connect, requestText } from "./support/connection.ts"
import { digestOf, locationOf, open, uploads, withDigest } from "./support/content.ts"
import { eventually, inject } from "./support/faults.ts"

const openUploads = Effect.flatMap(AcrEmulator.AcrEmulator, ({ openUploads }) => openUploads)

/** Sends a request whose body breaks off after these bytes, together with its connection. */
const breakOff = Effect.fnUntraced(function* (method: string, path: string, body: string) {
  const socket = yield* connect
  const text = yield* requestText(method, path, { body, contentLength: body.length + 1000 })
  yield* Effect.callback<void>((resume) => {
    socket.end(text, () => resume(Effect.void))
  })
})

/** The status of an upload, asked for with an old location. */
const statusWhen = (location: string, range: string) =>
  eventually(askAsAdmin("GET", location), ({ headers }) => headers["range"] === range)

describe("an upload that is unknown to clients", () => {
  it.live("is forgotten when the answer is lost", () =>
    Effect.gen(function* () {
      yield* inject({ _tag: "LostAnswer" }, { method: "POST" })
      assert.strictEqual((yield* Effect.exit(askAsAdmin("POST", uploads)))._tag, "Failure")
      assert.strictEqual(yield* openUploads, 0)
      yield* open
      assert.strictEqual(yield* openUploads, 1)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is forgotten when the connection goes before the answer", () =>
    Effect.gen(function* () {
      // The second answer on a connection waits for the first, which does not come.
      yield* inject({ _tag: "Stall" }, { method: "GET" })
      const socket = yield* connect
      socket.write((yield* requestText("GET", "/v2/")) + (yield* requestText("POST", uploads)))
      yield* eventually(openUploads, (count) => count === 1)
      socket.destroy()
      yield* eventually(openUploads, (count) => count === 0)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is forgotten when its only request breaks off", () =>
    Effect.gen(function* () {
      const { journal } = yield* AcrEmulator.AcrEmulator
      yield* breakOff("POST", withDigest(uploads, digestOf("a blob")), "a b")
      const entries = yield* eventually(journal, (entries) => entries.length === 1)
      assert.strictEqual(entries[0]?.status, 0)
      assert.strictEqual(yield* openUploads, 0)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("an upload with a broken request", () => {
  for (const method of ["PATCH", "PUT"]) {
    it.live(`keeps what arrived of a ${method}, at a new location`, () =>
      Effect.gen(function* () {
        const first = yield* open
        const digest = digestOf("a blob")
        yield* breakOff(method, method === "PUT" ? withDigest(first, digest) : first, "a bl")
        const status = yield* statusWhen(first, "0-3")
        assert.strictEqual(status.status, 204)
        for (const stale of [
          yield* askAsAdmin("PATCH", first, { body: "ob" }),
          yield* askAsAdmin("PUT", withDigest(first, digest), { body: "ob" })
        ]) {
          assert.strictEqual(stale.status, 404)
          assert.strictEqual(yield* codeOf(stale), "BLOB_UPLOAD_INVALID")
        }
        const done = yield* askAsAdmin("PUT", withDigest(locationOf(status), digest), {
          body: "ob",
          headers: { "content-range": "4-5" }
        })
        assert.strictEqual(done.status, 201)
        assert.strictEqual(yield* openUploads, 0)
      }).pipe(Effect.provide(emulator()))
    )
  }

  it.live("keeps nothing of one that was too large", () =>
    Effect.gen(function* () {
      const { journal } = yield* AcrEmulator.AcrEmulator
      const first = yield* open
      const one = yield* askAsAdmin("PATCH", first, { body: "a " })
      yield* breakOff("PATCH", locationOf(one), "blob!")
      yield* eventually(journal, (entries) => entries.length === 3)
      const status = yield* askAsAdmin("GET", first)
      assert.strictEqual(status.headers["range"], "0-1")
      const done = yield* askAsAdmin("PUT", withDigest(locationOf(status), digestOf("a blob")), { body: "blob" })
      assert.strictEqual(done.status, 201)
    }).pipe(Effect.provide(emulator({ maxRequestBodySize: 4 })))
  )
})

it.live("a large body that is not read does not block the next request on its connection", () =>
  Effect.gen(function* () {
    const { journal } = yield* AcrEmulator.AcrEmulator
    const socket = yield* connect
    socket.write(yield* requestText("PATCH", `${uploads}unknown`, { body: "x".repeat(8_000_000) }))
    socket.write(yield* requestText("GET", "/v2/"))
    const entries = yield* eventually(journal, (entries) => entries.length === 2)
    assert.deepStrictEqual(
      entries.map(({ status }) => status),
      [404, 200]
    )
  }).pipe(Effect.provide(emulator()))
)
