/**
 * Invalid requests, and internal errors of the registry: each is answered, and so is the next one.
 */
import { rm } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, askAsAdmin, codeOf, emulator } from "./support/ask.ts"
import { uploads } from "./support/content.ts"
import { folder } from "./support/folder.ts"

const catalog = askAsAdmin("GET", "/acr/v1/_catalog")

describe("an invalid name", () => {
  it.live("is refused before the login, for any content", () =>
    Effect.gen(function* () {
      for (const [method, path] of [
        ["GET", "/v2/UPPER/manifests/v1"],
        ["PUT", "/v2/UPPER/manifests/v1"],
        ["POST", "/v2/UPPER/blobs/uploads/"],
        // These would not go into the header of a challenge, or end its scope.
        ["GET", "/v2/%E4%B8%AD/manifests/v1"],
        ["GET", "/acr/v1/%E4%B8%AD"],
        ["GET", "/v2/a%22b/manifests/v1"],
        ["GET", "/v2/%E0%A4%A/manifests/v1"]
      ] as const) {
        const reply = yield* ask(method, path)
        assert.deepStrictEqual([reply.status, reply.text], [404, "404 page not found\n"], path)
        assert.isUndefined(reply.headers["www-authenticate"])
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("is not asked for in the challenge of a mount", () =>
    Effect.gen(function* () {
      for (const from of ["%E4%B8%AD", "b%22", "UPPER"]) {
        const reply = yield* ask("POST", `${uploads}?mount=sha256:0&from=${from}`)
        assert.strictEqual(reply.status, 401)
        assert.match(reply.headers["www-authenticate"] ?? "", /,scope="repository:a:pull,push"$/)
      }
    }).pipe(Effect.provide(emulator()))
  )
})

describe("percent signs that encode nothing", () => {
  it.live("are answered wherever they stand in a path or a query", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "a", tags: ["v1"] })
      for (const [path, status] of [
        ["/v2/a/manifests/%E0%A4%A", 404],
        ["/v2/a/blobs/%", 404],
        ["/v2/a/blobs/uploads/%", 404],
        ["/acr/v1/a/_tags/%zz", 404],
        ["/acr/v1/%", 404],
        ["/%", 404],
        ["/acr/v1/_catalog?last=%E0%A4%A&n=%", 200]
      ] as const) {
        assert.strictEqual((yield* askAsAdmin("GET", path)).status, status, path)
      }
    }).pipe(Effect.provide(emulator()))
  )
})

describe("an unknown order", () => {
  it.live("comes back in the link to the next page as it was asked for", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "a", tags: ["v1", "v2"] })
      for (const orderby of ["%0A", "%E4%B8%AD", "%26n%3D9%3E"]) {
        const reply = yield* askAsAdmin("GET", `/acr/v1/a/_tags?n=1&orderby=${orderby}`)
        assert.strictEqual(reply.status, 200)
        assert.strictEqual(reply.headers["link"], `</acr/v1/a/_tags?last=v1&n=1&orderby=${orderby}>; rel="next"`)
      }
    }).pipe(Effect.provide(emulator()))
  )
})

describe("an internal error of the registry", () => {
  it.live("is answered 500 in the form of an error, and stands in the journal", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const directory = yield* folder
        yield* Effect.gen(function* () {
          const { journal } = yield* AcrEmulator.AcrEmulator
          // Uploads have no place to go any more.
          yield* Effect.promise(() => rm(join(directory, "registry-uploads"), { recursive: true }))
          const reply = yield* askAsAdmin("POST", uploads)
          assert.strictEqual(reply.status, 500)
          assert.strictEqual(yield* codeOf(reply), "UNKNOWN")
          const [entry] = yield* journal
          assert.strictEqual(entry?.status, 500)
          assert.strictEqual(reply.headers["x-ms-correlation-request-id"], entry?.correlationId)
          assert.strictEqual((yield* catalog).status, 200)
        }).pipe(Effect.provide(emulator({ directory })))
      })
    )
  )
})

describe("an invalid body", () => {
  it.live("of attributes is refused, and changes nothing", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "a", tags: ["v1"] })
      const before = (yield* askAsAdmin("GET", "/acr/v1/a")).text
      for (const body of ["", "{", "null", "7", '"text"', " ".repeat(100_000)]) {
        assert.strictEqual((yield* askAsAdmin("PATCH", "/acr/v1/a", { body })).status, 400, body.slice(0, 10))
      }
      assert.strictEqual((yield* askAsAdmin("GET", "/acr/v1/a")).text, before)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of a login is refused", () =>
    Effect.gen(function* () {
      for (const [path, status] of [
        ["/oauth2/exchange", 401],
        ["/oauth2/token", 401]
      ] as const) {
        for (const body of ["", "%", "{}", "x".repeat(100_000)]) {
          assert.strictEqual((yield* ask("POST", path, { body })).status, status)
        }
      }
      for (const authorization of ["Basic", "Basic %", "Bearer", "Nonsense x", "x"]) {
        assert.strictEqual((yield* ask("GET", "/v2/", { headers: { authorization } })).status, 401, authorization)
      }
    }).pipe(Effect.provide(emulator()))
  )
})
