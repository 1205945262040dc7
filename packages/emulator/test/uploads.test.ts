/**
 * Uploads that go wrong or side by side, and mounts.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, askAsAdmin, basicOf, codeOf, emulator } from "./support/ask.ts"
import { digestOf, locationOf, open, push, uploads, withDigest } from "./support/content.ts"
import { inject } from "./support/faults.ts"

describe("a chunk", () => {
  it.live("of another size than its range is refused, and nothing of it is kept", () =>
    Effect.gen(function* () {
      const location = yield* open
      for (const [range, status, code] of [
        ["0-9", 400, "SIZE_INVALID"],
        ["0-1", 400, "SIZE_INVALID"],
        ["0", 400, "RANGE_INVALID"],
        ["0-2-4", 400, "RANGE_INVALID"],
        ["3-5", 416, "RANGE_INVALID"]
      ] as const) {
        const reply = yield* askAsAdmin("PATCH", location, { body: "abc", headers: { "content-range": range } })
        assert.deepStrictEqual([reply.status, yield* codeOf(reply)], [status, code], range)
      }
      const taken = yield* askAsAdmin("PATCH", location, { body: "abc", headers: { "content-range": "0-2" } })
      assert.deepStrictEqual([taken.status, taken.headers["range"]], [202, "0-2"])
      const back = yield* askAsAdmin("PATCH", locationOf(taken), { body: "d", headers: { "content-range": "3-2" } })
      assert.strictEqual(back.status, 416)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of two that are sent at once to one location is taken once", () =>
    Effect.gen(function* () {
      const location = yield* open
      const replies = yield* Effect.forEach(["one", "two"], (body) => askAsAdmin("PATCH", location, { body }), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(replies.map(({ status }) => status).toSorted(), [202, 404])
      const taken = replies[0]?.status === 202 ? "one" : "two"
      const status = yield* askAsAdmin("GET", location)
      assert.strictEqual(status.headers["range"], "0-2")
      const done = yield* askAsAdmin("PUT", withDigest(locationOf(status), digestOf(taken)))
      assert.strictEqual(done.status, 201)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is not sent to the session of another repository, or to one that is over", () =>
    Effect.gen(function* () {
      const location = yield* open
      const elsewhere = location.replace("/v2/a/", "/v2/b/")
      for (const method of ["PATCH", "PUT", "GET", "DELETE"] as const) {
        const reply = yield* askAsAdmin(method, elsewhere)
        assert.deepStrictEqual([reply.status, yield* codeOf(reply)], [404, "BLOB_UPLOAD_UNKNOWN"], method)
      }
      const finish = withDigest(location, digestOf("a blob"))
      assert.strictEqual((yield* askAsAdmin("PUT", finish, { body: "a blob" })).status, 201)
      assert.strictEqual(yield* codeOf(yield* askAsAdmin("PUT", finish, { body: "a blob" })), "BLOB_UPLOAD_UNKNOWN")
    }).pipe(Effect.provide(emulator()))
  )

  it.live("that a fault answers instead leaves the location valid", () =>
    Effect.gen(function* () {
      const location = yield* open
      yield* inject({ _tag: "Answer", status: 503 }, { method: "PATCH" })
      assert.strictEqual((yield* askAsAdmin("PATCH", location, { body: "abc" })).status, 503)
      assert.strictEqual((yield* askAsAdmin("GET", location)).headers["range"], "0-0")
      assert.strictEqual((yield* askAsAdmin("PATCH", location, { body: "abc" })).status, 202)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("an upload", () => {
  it.live("without a digest, or with an invalid one, is not finished", () =>
    Effect.gen(function* () {
      const location = yield* open
      const none = yield* askAsAdmin("PUT", location, { body: "a" })
      assert.deepStrictEqual([none.status, yield* codeOf(none)], [400, "DIGEST_INVALID"])
      for (const digest of ["", "sha256:", "sha256:../../x", "md5:0cc175b9c0f1b6a831c399e269772661", digestOf("b")]) {
        const reply = yield* askAsAdmin("POST", withDigest(uploads, digest), { body: "a" })
        assert.deepStrictEqual([reply.status, yield* codeOf(reply)], [400, "DIGEST_INVALID"], digest)
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of nothing is a blob of no bytes", () =>
    Effect.gen(function* () {
      yield* push("")
      const head = yield* askAsAdmin("HEAD", `/v2/a/blobs/${digestOf("")}`)
      assert.deepStrictEqual([head.status, head.headers["content-length"]], [200, "0"])
      const reply = yield* askAsAdmin("GET", `/v2/a/blobs/${digestOf("")}`)
      assert.deepStrictEqual([reply.status, reply.text], [200, ""])
    }).pipe(Effect.provide(emulator({ blobs: "direct" })))
  )
})

describe("a mount", () => {
  const writer = {
    username: "writer",
    password: Redacted.make("a-password"),
    scopeMap: [{ repository: "b", actions: ["content/read", "content/write"] }]
  } as const

  it.live("is challenged for both repositories, the one that is written first", () =>
    Effect.gen(function* () {
      for (const [query, scope] of [
        ["?mount=sha256:0&from=b/c", "repository:a:pull,push repository:b/c:pull"],
        ["?mount=sha256:0&from=a", "repository:a:pull,push"],
        ["?mount=sha256:0", "repository:a:pull,push"],
        ["?from=b", "repository:a:pull,push"],
        ["", "repository:a:pull,push"]
      ] as const) {
        const reply = yield* ask("POST", uploads + query)
        assert.strictEqual(reply.status, 401)
        assert.match(reply.headers["www-authenticate"] ?? "", new RegExp(`,scope="${scope}"$`))
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("mounts nothing from where its caller may not pull, and opens an upload instead", () =>
    Effect.gen(function* () {
      const { openUploads } = yield* AcrEmulator.AcrEmulator
      const { digest } = yield* push("a blob")
      const reply = yield* ask("POST", `/v2/b/blobs/uploads/?mount=${digest}&from=a`, { headers: basicOf(writer) })
      assert.strictEqual(reply.status, 202)
      assert.strictEqual(yield* openUploads, 1)
      assert.strictEqual((yield* askAsAdmin("HEAD", `/v2/b/blobs/${digest}`)).status, 404)
    }).pipe(Effect.provide(emulator({ scopeMapTokens: [writer] })))
  )

  it.live("outlives the blob that it was made from", () =>
    Effect.gen(function* () {
      const { digest } = yield* push("a blob")
      const mounted = yield* askAsAdmin("POST", `/v2/b/blobs/uploads/?mount=${digest}&from=a`)
      assert.strictEqual(mounted.headers["docker-content-digest"], digest)
      assert.strictEqual(locationOf(mounted), `/v2/b/blobs/${digest}`)
      assert.strictEqual((yield* askAsAdmin("DELETE", "/acr/v1/a")).status, 202)
      assert.strictEqual((yield* askAsAdmin("GET", `/v2/b/blobs/${digest}`)).text, "a blob")
    }).pipe(Effect.provide(emulator({ blobs: "direct" })))
  )
})
