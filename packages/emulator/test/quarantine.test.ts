/**
 * Quarantine: the result of a scan on a manifest, and who can pull it then (Azure/acr, docs/preview/quarantine).
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as HttpBody from "effect/http/HttpBody"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { ask, askAsAdmin, basicOf, codeOf, emulator } from "./support/ask.ts"
import { folder } from "./support/folder.ts"

const login = { username: "reader", password: Redacted.make("of a scope map") }

const options: AcrEmulator.Options = {
  scopeMapTokens: [
    { ...login, scopeMap: [{ repository: "a", actions: ["content/read", "metadata/read", "metadata/write"] }] }
  ]
}

const seeded = Effect.flatMap(AcrEmulator.AcrEmulator, ({ seed }) => seed({ repository: "a", tags: ["v1"] }))

const scan = Effect.fnUntraced(function* (digest: string, fields: object) {
  const reply = yield* askAsAdmin("PATCH", `/acr/v1/a/_manifests/${digest}`, { body: HttpBody.jsonUnsafe(fields) })
  assert.strictEqual(reply.status, 200)
  return reply.text
})

const asReader = (method: "GET" | "HEAD", reference: string) =>
  ask(method, `/v2/a/manifests/${reference}`, { headers: basicOf(login) })

const details = '{"state":"scan failed","link":"http://scanner.example/1"}'

describe("a manifest in quarantine", () => {
  for (const quarantineState of ["Failed", "Quarantined"]) {
    it.live(`as ${quarantineState} is not found by tag and refused by digest, but for those with the role`, () =>
      Effect.gen(function* () {
        const digest = yield* seeded
        yield* scan(digest, { quarantineState })
        for (const method of ["GET", "HEAD"] as const) {
          assert.strictEqual((yield* asReader(method, "v1")).status, 404)
          assert.strictEqual((yield* asReader(method, digest)).status, 405)
          assert.strictEqual((yield* askAsAdmin(method, "/v2/a/manifests/v1")).status, 200)
          assert.strictEqual((yield* askAsAdmin(method, `/v2/a/manifests/${digest}`)).status, 200)
        }
        assert.strictEqual(yield* codeOf(yield* asReader("GET", "v1")), "MANIFEST_UNKNOWN")
        const byDigest = yield* asReader("GET", digest)
        assert.strictEqual(yield* codeOf(byDigest), "REGISTRY_DISALLOWED_OPERATION")
        assert.include(byDigest.text, "the operation is disallowed")
      }).pipe(Effect.provide(emulator(options)))
    )
  }

  it.live("is free once it passed", () =>
    Effect.gen(function* () {
      const digest = yield* seeded
      yield* scan(digest, { quarantineState: "Failed" })
      yield* scan(digest, { quarantineState: "Passed" })
      assert.strictEqual((yield* asReader("GET", "v1")).status, 200)
      assert.strictEqual((yield* asReader("GET", digest)).status, 200)
    }).pipe(Effect.provide(emulator(options)))
  )

  it.live("shows state and details, which stay as they are when something else changes", () =>
    Effect.gen(function* () {
      const digest = yield* seeded
      assert.notInclude((yield* askAsAdmin("GET", `/acr/v1/a/_manifests/${digest}`)).text, "quarantine")
      yield* scan(digest, { quarantineState: "Failed", quarantineDetails: details })
      yield* scan(digest, { deleteEnabled: false })
      const expected = `"quarantineState":"Failed","quarantineDetails":${JSON.stringify(details)}`
      for (const path of ["/acr/v1/a/_manifests", `/acr/v1/a/_manifests/${digest}`]) {
        assert.include((yield* askAsAdmin("GET", path)).text, expected)
      }
      assert.include(yield* scan(digest, { quarantineState: false, quarantineDetails: { state: "x" } }), expected)
    }).pipe(Effect.provide(emulator(options)))
  )

  it.live("stays so when it is pushed again, and in a folder", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const digest = yield* Effect.gen(function* () {
        const digest = yield* seeded
        yield* scan(digest, { quarantineState: "Failed", quarantineDetails: details })
        const { headers, text } = yield* askAsAdmin("GET", "/v2/a/manifests/v1")
        const again = yield* askAsAdmin("PUT", "/v2/a/manifests/v2", {
          body: HttpBody.uint8Array(new TextEncoder().encode(text), headers["content-type"])
        })
        assert.strictEqual(again.status, 201)
        return digest
      }).pipe(Effect.provide(emulator({ ...options, directory })))
      yield* Effect.gen(function* () {
        assert.include((yield* askAsAdmin("GET", `/acr/v1/a/_manifests/${digest}`)).text, '"quarantineState":"Failed"')
        assert.strictEqual((yield* asReader("GET", "v2")).status, 404)
      }).pipe(Effect.provide(emulator({ ...options, directory })))
    })
  )

  it.live("is not set by those without the role, who may set other attributes", () =>
    Effect.gen(function* () {
      const digest = yield* seeded
      const patch = (fields: object) =>
        ask("PATCH", `/acr/v1/a/_manifests/${digest}`, { body: HttpBody.jsonUnsafe(fields), headers: basicOf(login) })
      assert.strictEqual((yield* patch({ quarantineState: "Passed" })).status, 403)
      assert.strictEqual((yield* patch({ deleteEnabled: false })).status, 200)
      assert.notInclude((yield* askAsAdmin("GET", `/acr/v1/a/_manifests/${digest}`)).text, "quarantine")
    }).pipe(Effect.provide(emulator(options)))
  )
})
