/**
 * The management API: lists in pages, locks, and what is not there.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, codeOf, emulator } from "./support/ask.ts"

const Names = Schema.fromJsonString(
  Schema.Struct({
    repositories: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.String))),
    tags: Schema.optionalKey(
      Schema.NullOr(Schema.Array(Schema.Struct({ name: Schema.String, digest: Schema.String })))
    ),
    manifests: Schema.optionalKey(Schema.Array(Schema.Struct({ digest: Schema.String })))
  })
)

/** The names on every page of a list, and the links that lead from one to the next. */
const pages = Effect.fnUntraced(function* (first: string) {
  const found: Array<ReadonlyArray<string>> = []
  let next: string | undefined = first
  while (next !== undefined) {
    const reply = yield* askAsAdmin("GET", next)
    assert.strictEqual(reply.status, 200)
    const { manifests, repositories, tags } = yield* Schema.decodeEffect(Names)(reply.text)
    found.push(repositories ?? tags?.map(({ name }) => name) ?? manifests?.map(({ digest }) => digest) ?? [])
    const link: RegExpExecArray | null = /^<(\/[^>]+)>; rel="next"$/.exec(reply.headers["link"] ?? "")
    assert.strictEqual(link === null, reply.headers["link"] === undefined, "a link that can be read")
    next = link?.[1]
  }
  return found
})

const attributes = (fields: object) => ({
  headers: { "content-type": "application/json" },
  body: JSON.stringify(fields)
})

describe("a list", () => {
  it.live("comes in pages, in order of names, from where it is continued", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      for (const repository of ["c", "a", "e", "b/x", "d"]) yield* seed({ repository, tags: ["latest"] })
      assert.deepStrictEqual(yield* pages("/acr/v1/_catalog?n=2"), [["a", "b/x"], ["c", "d"], ["e"]])
      assert.deepStrictEqual(yield* pages("/acr/v1/_catalog"), [["a", "b/x", "c", "d", "e"]])
      assert.deepStrictEqual(yield* pages("/acr/v1/_catalog?last=b%2Fx&n=9"), [["c", "d", "e"]])
      assert.deepStrictEqual(yield* pages("/acr/v1/_catalog?last=bb"), [["c", "d", "e"]])
      assert.deepStrictEqual(yield* pages("/acr/v1/_catalog?last=zzz"), [[]])
      assert.deepStrictEqual(yield* pages("/v2/_catalog?n=4"), [["a", "b/x", "c", "d"], ["e"]])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("has links that lead back to where it was asked for, and escape what they continue from", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const digest = yield* seed({ repository: "a/b", tags: ["v1", "v2"], platforms: ["linux/amd64", "linux/arm64"] })
      yield* seed({ repository: "c" })
      for (const [path, link] of [
        ["/acr/v1/_catalog?n=1", "/acr/v1/_catalog?last=a%2Fb&n=1&orderby="],
        ["/v2/_catalog?n=1", "/v2/_catalog?last=a%2Fb&n=1&orderby="],
        ["/v2/a/b/tags/list?n=1", "/v2/a/b/tags/list?last=v1&n=1&orderby="],
        ["/acr/v1/a%2Fb/_tags?n=1", "/acr/v1/a%2Fb/_tags?last=v1&n=1&orderby="]
      ] as const) {
        assert.strictEqual((yield* askAsAdmin("GET", path)).headers["link"], `<${link}>; rel="next"`)
      }
      const manifests = yield* askAsAdmin("GET", "/acr/v1/a%2Fb/_manifests?n=1")
      assert.match(manifests.headers["link"] ?? "", /^<\/acr\/v1\/a%2Fb\/_manifests\?last=sha256%3A[0-9a-f]{64}&n=1&/)
      assert.lengthOf((yield* pages("/acr/v1/a%2Fb/_manifests?n=2")).flat(), 3)
      assert.include((yield* pages("/acr/v1/a%2Fb/_manifests?n=2")).flat(), digest)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("has a page of a usual size where the size is none", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const tags = Array.from({ length: 101 }, (_, index) => `v${String(index).padStart(3, "0")}`)
      yield* seed({ repository: "a", tags })
      for (const n of ["", "?n=", "?n=1.5", "?n=x"]) {
        assert.deepStrictEqual(yield* pages(`/acr/v1/a/_tags${n}`), [tags.slice(0, 100), tags.slice(100)])
      }
      assert.deepStrictEqual(yield* pages("/acr/v1/a/_tags?n=100000"), [tags])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of tags and manifests comes by time, either way", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const first = yield* seed({ repository: "a/b", tags: ["z", "y"], pushedAt: DateTime.makeUnsafe(1000) })
      const second = yield* seed({ repository: "a/b", tags: ["m"], pushedAt: DateTime.makeUnsafe(2000) })
      const third = yield* seed({ repository: "a/b", tags: ["a"], pushedAt: DateTime.makeUnsafe(3000) })
      assert.deepStrictEqual(yield* pages("/acr/v1/a%2Fb/_manifests?orderby=timedesc&n=1"), [
        [third],
        [second],
        [first]
      ])
      assert.deepStrictEqual(yield* pages("/acr/v1/a%2Fb/_manifests?orderby=timeasc"), [[first, second, third]])
      assert.deepStrictEqual(yield* pages("/acr/v1/a%2Fb/_tags?n=3"), [["a", "m", "y"], ["z"]])
      assert.deepStrictEqual((yield* pages("/acr/v1/a%2Fb/_tags?orderby=timedesc&n=2")).flat().slice(0, 2), ["a", "m"])
      assert.deepStrictEqual(yield* pages(`/acr/v1/a%2Fb/_tags?digest=${encodeURIComponent(first)}`), [["y", "z"]])
    }).pipe(Effect.provide(emulator()))
  )

  it.live("leaves out what is not listed", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "a", tags: ["shown", "hidden"] })
      yield* askAsAdmin("PATCH", "/acr/v1/a/_tags/hidden", attributes({ listEnabled: false }))
      assert.deepStrictEqual(yield* pages("/acr/v1/a/_tags"), [["shown"]])
    }).pipe(Effect.provide(emulator()))
  )
})

const lock = (path: string, fields: object) => askAsAdmin("PATCH", path, attributes(fields))

describe("a lock", () => {
  it.live("is answered 405, and can be taken off", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const digest = yield* seed({ repository: "a", tags: ["v1"] })
      const manifest = encodeURIComponent(digest)
      for (const [path, target] of [
        ["/acr/v1/a/_tags/v1", "/acr/v1/a/_tags/v1"],
        [`/acr/v1/a/_manifests/${manifest}`, `/v2/a/manifests/${digest}`],
        ["/acr/v1/a", "/acr/v1/a"]
      ] as const) {
        for (const fields of [{ deleteEnabled: false }, { writeEnabled: false }]) {
          assert.strictEqual((yield* lock(path, fields)).status, 200)
          const refused = yield* askAsAdmin("DELETE", target)
          assert.strictEqual(refused.status, 405, target)
          assert.strictEqual(yield* codeOf(refused), "REGISTRY_DISALLOWED_OPERATION")
          yield* lock(path, { deleteEnabled: true, writeEnabled: true })
        }
      }
      assert.strictEqual((yield* askAsAdmin("DELETE", "/acr/v1/a")).status, 202)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("on reading keeps a manifest and its blobs from being pulled", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "a", tags: ["v1"] })
      yield* lock("/acr/v1/a", { readEnabled: false })
      assert.strictEqual((yield* askAsAdmin("GET", "/v2/a/manifests/v1")).status, 405)
    }).pipe(Effect.provide(emulator()))
  )

  it.live("accepts only true and false", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "a", tags: ["v1"] })
      yield* lock("/acr/v1/a", { deleteEnabled: "no", novel: false })
      assert.strictEqual((yield* askAsAdmin("DELETE", "/acr/v1/a")).status, 202)
      const reply = yield* askAsAdmin("PATCH", "/acr/v1/a", { body: "{" })
      assert.strictEqual(reply.status, 400)
    }).pipe(Effect.provide(emulator()))
  )
})

describe("what is not there", () => {
  const digest = `sha256:${"0".repeat(64)}`

  it.live("has its own code and a correlation id", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "a", tags: ["v1"] })
      for (const [method, path, code] of [
        ["GET", "/acr/v1/none", "NAME_UNKNOWN"],
        ["GET", "/acr/v1/none/_tags", "NAME_UNKNOWN"],
        ["GET", "/acr/v1/none/_manifests", "NAME_UNKNOWN"],
        ["DELETE", "/acr/v1/none", "NAME_UNKNOWN"],
        ["GET", "/acr/v1/a/_tags/none", "TAG_UNKNOWN"],
        ["DELETE", "/acr/v1/a/_tags/none", "TAG_UNKNOWN"],
        ["GET", `/acr/v1/a/_manifests/${digest}`, "MANIFEST_UNKNOWN"],
        ["DELETE", `/v2/a/manifests/${digest}`, "MANIFEST_UNKNOWN"],
        ["GET", "/v2/a/manifests/none", "MANIFEST_UNKNOWN"],
        ["GET", `/v2/a/blobs/${digest}`, "BLOB_UNKNOWN"],
        ["DELETE", `/v2/a/blobs/${digest}`, "BLOB_UNKNOWN"]
      ] as const) {
        const reply = yield* askAsAdmin(method, path)
        assert.strictEqual(reply.status, 404, path)
        assert.strictEqual(yield* codeOf(reply), code, path)
        assert.match(reply.headers["x-ms-correlation-request-id"] ?? "", /^[0-9a-f-]{36}$/)
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("as a path is not found, in plain text", () =>
    Effect.gen(function* () {
      for (const path of ["/", "/nothing", "/acr/v2/_catalog", "/v3/"]) {
        const reply = yield* askAsAdmin("GET", path)
        assert.deepStrictEqual([reply.status, reply.text], [404, "404 page not found\n"])
      }
    }).pipe(Effect.provide(emulator()))
  )

  it.live("as a name is a path that does not exist", () =>
    Effect.gen(function* () {
      for (const [method, path] of [
        ["GET", "/acr/v1/UPPER"],
        ["PUT", "/v2/UPPER/manifests/v1"],
        ["POST", "/v2/a..b/blobs/uploads/"],
        ["GET", "/v2/%E0%A4%A/manifests/v1"],
        ["GET", `/v2/${"a".repeat(256)}/manifests/v1`]
      ] as const) {
        const reply = yield* askAsAdmin(method, path)
        assert.deepStrictEqual([reply.status, reply.text], [404, "404 page not found\n"], path)
      }
      const catalog = yield* askAsAdmin("GET", "/acr/v1/_catalog")
      assert.strictEqual(catalog.text, '{"repositories":null}')
    }).pipe(Effect.provide(emulator()))
  )
})
