/**
 * The repositories of a registry of any kind.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import { RegistryContent } from "../src/RegistryContent.ts"
import { content } from "./support/content.ts"
import { behindOAuth, Journal, json, type Script } from "./support/registry.ts"

type Options = Parameters<RegistryContent["Service"]["repositories"]>[0]

const listed = (options?: Options) =>
  Effect.flatMap(RegistryContent, (content) =>
    Effect.map(Stream.runCollect(content.repositories(options)), (names) => names.map(String))
  )

const queries = Effect.map(Journal, (journal) => journal.map(({ url }) => `${url.pathname}${url.search}`))

const all = ["a", "b/c", "d", "e", "f"]

/** A catalog with pagination. Without a page size, a page has two names. */
const catalog =
  (links: boolean): Script =>
  ({ url }) => {
    const size = Number(url.searchParams.get("n") ?? 2)
    const last = url.searchParams.get("last")
    const from = last === null ? 0 : all.indexOf(last) + 1
    const names = all.slice(from, from + size)
    const link = `</v2/_catalog?n=${size}&last=${encodeURIComponent(names.at(-1) ?? "")}>; rel="next"`
    return json({ repositories: names }, links && from + size < all.length ? { headers: { link } } : {})
  }

describe("RegistryContent.repositories", () => {
  it.effect("follows links", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* listed(), all)
      assert.deepStrictEqual(yield* queries, ["/v2/_catalog", "/v2/_catalog?n=2&last=b%2Fc", "/v2/_catalog?n=2&last=e"])
    }).pipe(Effect.provide(content(catalog(true))))
  )

  it.effect("continues after the last name of a full page without a link", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* listed({ pageSize: 2 }), all)
      assert.deepStrictEqual(yield* queries, [
        "/v2/_catalog?n=2",
        "/v2/_catalog?n=2&last=b%2Fc",
        "/v2/_catalog?n=2&last=e"
      ])
    }).pipe(Effect.provide(content(catalog(false))))
  )

  it.effect("begins after a name", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* listed({ pageSize: 10, continueFrom: "b/c" }), ["d", "e", "f"])
      assert.deepStrictEqual(yield* queries, ["/v2/_catalog?n=10&last=b%2Fc"])
    }).pipe(Effect.provide(content(catalog(true))))
  )

  it.effect("ends if a registry without pagination sends the same again", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* listed({ pageSize: 2 }), all)
    }).pipe(Effect.provide(content(() => json({ repositories: all }))))
  )

  it.effect("requests the right to list that the registry's challenge names", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* listed(), ["a"])
      const bodies = (yield* Journal).map(({ body }) => new URLSearchParams(body).get("scope"))
      assert.include(bodies, "registry:catalog:*")
    }).pipe(Effect.provide(content(behindOAuth("registry:catalog:*", () => json({ repositories: ["a"] })))))
  )

  it.effect("leaves out a name that cannot be read, with a warning", () =>
    Effect.gen(function* () {
      const lines: Array<string> = []
      const names = yield* Effect.provide(
        listed(),
        Logger.layer([Logger.make(({ message }) => void lines.push(String(message)))])
      )
      assert.deepStrictEqual(names, ["a", "b"])
      assert.match(lines.join(), /^RegistryContent\.repositories left out 2 of 4 records, which cannot be read/)
    }).pipe(Effect.provide(content(() => json({ repositories: ["a", "UPPER", null, "b"] }))))
  )

  for (const repositories of [null, []]) {
    it.effect(`is empty if the list is ${JSON.stringify(repositories)}`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* listed(), [])
      }).pipe(Effect.provide(content(() => json({ repositories }))))
    )
  }

  const failures: ReadonlyArray<readonly [string, Script, string]> = [
    ["a list of another format", () => json({ repositories: [{ name: "a" }] }), "InvalidResponse"],
    ["a path that the server does not know", () => new Response("404 page not found\n", { status: 404 }), "NotFound"],
    [
      "a list that the registry does not offer",
      () => json({ errors: [{ code: "UNSUPPORTED" }] }, { status: 405 }),
      "Unsupported"
    ]
  ]
  for (const [what, script, tag] of failures) {
    it.effect(`fails with ${tag} for ${what}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(listed())
        assert.deepStrictEqual([error.operation, error.reason._tag], ["RegistryContent.repositories", tag])
        if (error.reason._tag === "NotFound") assert.strictEqual(error.reason.resource, "endpoint")
      }).pipe(Effect.provide(content(script)))
    )
  }

  it.effect("refuses a page size of 0 before it sends a request", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(listed({ pageSize: 0 }))
      assert.deepInclude(error.reason, { _tag: "InvalidRequest", argument: "pageSize" })
      assert.deepStrictEqual(yield* Journal, [])
    }).pipe(Effect.provide(content(catalog(true))))
  )
})
