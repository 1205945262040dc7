/**
 * Locks: what each of the four attributes keeps from happening, on repositories, manifests and tags.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as HttpBody from "effect/http/HttpBody"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, codeOf, emulator } from "./support/ask.ts"
import { locationOf, push } from "./support/content.ts"

const set = Effect.fnUntraced(function* (path: string, attributes: object) {
  const reply = yield* askAsAdmin("PATCH", path, { body: JSON.stringify(attributes) })
  assert.strictEqual(reply.status, 200)
})

/** Pushes the manifest of the tag `v1` again, under a reference. */
const pushAgain = Effect.fnUntraced(function* (reference: string) {
  const { headers, text } = yield* askAsAdmin("GET", "/v2/a/manifests/v1")
  return yield* askAsAdmin("PUT", `/v2/a/manifests/${reference}`, {
    body: HttpBody.uint8Array(new TextEncoder().encode(text), headers["content-type"])
  })
})

const seeded = Effect.flatMap(AcrEmulator.AcrEmulator, ({ seed }) => seed({ repository: "a", tags: ["v1", "v2"] }))

const statusOf = (path: string) => Effect.map(askAsAdmin("GET", path), ({ status }) => status)

describe("a lock on writing", () => {
  it.live("of a tag keeps it where it is, and the other tags are free", () =>
    Effect.gen(function* () {
      yield* seeded
      yield* set("/acr/v1/a/_tags/v2", { writeEnabled: false })
      const refused = yield* pushAgain("v2")
      assert.strictEqual(refused.status, 405)
      assert.strictEqual(yield* codeOf(refused), "REGISTRY_DISALLOWED_OPERATION")
      assert.strictEqual((yield* pushAgain("v3")).status, 201)
      yield* set("/acr/v1/a/_tags/v2", { writeEnabled: true })
      assert.strictEqual((yield* pushAgain("v2")).status, 201)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of a repository keeps manifests out, by tag and by digest", () =>
    Effect.gen(function* () {
      const digest = yield* seeded
      yield* set("/acr/v1/a", { writeEnabled: false })
      assert.strictEqual((yield* pushAgain("v3")).status, 405)
      assert.strictEqual((yield* pushAgain(digest)).status, 405)
      assert.strictEqual(yield* statusOf("/v2/a/manifests/v3"), 404)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a lock on reading", () => {
  it.live("of a tag keeps its manifest from being pulled by it, but not otherwise", () =>
    Effect.gen(function* () {
      const digest = yield* seeded
      yield* set("/acr/v1/a/_tags/v1", { readEnabled: false })
      assert.strictEqual(yield* statusOf("/v2/a/manifests/v1"), 405)
      assert.strictEqual((yield* askAsAdmin("HEAD", "/v2/a/manifests/v1")).status, 405)
      assert.strictEqual(yield* statusOf("/v2/a/manifests/v2"), 200)
      assert.strictEqual(yield* statusOf(`/v2/a/manifests/${digest}`), 200)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of a manifest keeps it from being pulled by any name", () =>
    Effect.gen(function* () {
      const digest = yield* seeded
      yield* set(`/acr/v1/a/_manifests/${digest}`, { readEnabled: false })
      for (const reference of ["v1", "v2", digest]) {
        assert.strictEqual(yield* statusOf(`/v2/a/manifests/${reference}`), 405)
      }
      yield* set(`/acr/v1/a/_manifests/${digest}`, { readEnabled: true })
      assert.strictEqual(yield* statusOf("/v2/a/manifests/v1"), 200)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of a repository keeps its blobs from being pulled", () =>
    Effect.gen(function* () {
      const { digest } = yield* push("a blob")
      yield* set("/acr/v1/a", { readEnabled: false })
      assert.strictEqual(yield* statusOf(`/v2/a/blobs/${digest}`), 405)
      assert.strictEqual((yield* askAsAdmin("HEAD", `/v2/a/blobs/${digest}`)).status, 405)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a thing that is hidden from lists", () => {
  it.live("is left out of every list, and can be read by its name", () =>
    Effect.gen(function* () {
      const digest = yield* seeded
      yield* set("/acr/v1/a/_tags/v1", { listEnabled: false })
      assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/tags/list")).text, '{"name":"a","tags":["v2"]}')
      assert.strictEqual(yield* statusOf("/acr/v1/a/_tags/v1"), 200)
      yield* set(`/acr/v1/a/_manifests/${digest}`, { listEnabled: false })
      assert.include((yield* askAsAdmin("GET", "/acr/v1/a/_manifests")).text, '"manifests":null')
      yield* set("/acr/v1/a", { listEnabled: false })
      for (const path of ["/acr/v1/_catalog", "/v2/_catalog"]) {
        assert.strictEqual((yield* askAsAdmin("GET", path)).text, '{"repositories":null}')
      }
      assert.strictEqual(yield* statusOf("/v2/a/manifests/v1"), 200)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a lock on deleting", () => {
  it.live("of a tag keeps its manifest and its repository as well", () =>
    Effect.gen(function* () {
      const digest = yield* seeded
      yield* set("/acr/v1/a/_tags/v1", { deleteEnabled: false })
      for (const path of ["/acr/v1/a/_tags/v1", `/v2/a/manifests/${digest}`, "/acr/v1/a"]) {
        assert.strictEqual((yield* askAsAdmin("DELETE", path)).status, 405, path)
      }
      assert.strictEqual((yield* askAsAdmin("DELETE", "/acr/v1/a/_tags/v2")).status, 202)
      assert.strictEqual(yield* statusOf("/acr/v1/a/_tags/v1"), 200)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of a repository keeps its blobs", () =>
    Effect.gen(function* () {
      const { digest } = yield* push("a blob")
      yield* set("/acr/v1/a", { deleteEnabled: false })
      assert.strictEqual((yield* askAsAdmin("DELETE", `/v2/a/blobs/${digest}`)).status, 405)
      const redirect = yield* askAsAdmin("GET", `/v2/a/blobs/${digest}`)
      assert.match(locationOf(redirect), /^http:/)
    }).pipe(Effect.provide(emulator()))
  )
})
