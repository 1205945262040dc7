/**
 * The size of a blob if the answer to a HEAD states none, or a wrong one.
 */
import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as BlobSource from "../src/BlobSource.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { content, sha256 } from "./support/content.ts"
import { Journal, type Script } from "./support/registry.ts"

const bytes = "the bytes of a blob"
const digest = sha256(bytes)

/** Headers of a HEAD without a useful size. */
const heads: ReadonlyArray<readonly [string, { readonly [name: string]: string }]> = [
  ["a length of 0", { "content-length": "0" }],
  ["no length", {}],
  ["a length that is no number", { "content-length": "19 bytes" }]
]

type Get = (range: string | null) => Response

/** How registries answer a request for the first byte. */
const gets: ReadonlyArray<readonly [string, Get]> = [
  [
    "a part",
    () => new Response("t", { status: 206, headers: { "content-range": "bytes 0-0/19", "content-length": "1" } })
  ],
  ["the whole, with its length", () => new Response(bytes, { headers: { "content-length": "19" } })],
  ["the whole, without its length", () => new Response(bytes)],
  [
    "a part of an unknown whole",
    (range) =>
      range === null
        ? new Response(bytes)
        : new Response("t", { status: 206, headers: { "content-range": "bytes 0-0/*", "content-length": "1" } })
  ]
]

const registryOf =
  (head: { readonly [name: string]: string }, get: Get): Script =>
  ({ method, range, url }) => {
    if (method === "HEAD") return new Response(null, { headers: head })
    if (url.host === "storage.example") return get(range)
    return method === "POST"
      ? new Response(null, { status: 201 })
      : new Response(null, { status: 307, headers: { location: "https://storage.example/b" } })
  }

const methods = Effect.map(Journal, (journal) => journal.map(({ method }) => method))

describe("the size of a blob", () => {
  for (const [what, head] of heads) {
    for (const [how, get] of gets) {
      it.effect(`is that of a GET (${how}) if a HEAD answers with ${what}`, () =>
        Effect.gen(function* () {
          const registry = yield* RegistryContent
          assert.strictEqual((yield* registry.headBlob("alpine", digest)).size, 19)
          const there = yield* registry.uploadBlob("alpine", BlobSource.fromString(bytes), { digest })
          assert.strictEqual(there.size, 19)
          assert.notInclude(yield* methods, "POST")
        }).pipe(Effect.provide(content(registryOf(head, get))))
      )
    }

    it.effect(`is 0 for the empty blob, whose HEAD answers with ${what}`, () =>
      Effect.gen(function* () {
        const registry = yield* RegistryContent
        for (const algorithm of ["sha256", "sha512"]) {
          const empty = `${algorithm}:${createHash(algorithm).digest("hex")}`
          assert.strictEqual((yield* registry.headBlob("alpine", empty)).size, 0)
        }
        assert.deepStrictEqual(yield* methods, ["HEAD", "HEAD"])
      }).pipe(Effect.provide(content(registryOf(head, () => new Response(null, { status: 416 })))))
    )
  }

  it.effect("is that of the HEAD if it states one, without another request", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      assert.strictEqual((yield* registry.headBlob("alpine", digest)).size, 19)
      assert.deepStrictEqual(yield* methods, ["HEAD"])
    }).pipe(Effect.provide(content(registryOf({ "content-length": "19" }, () => new Response(bytes)))))
  )

  it.effect("of a mounted blob is found in the same way", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const mounted = yield* registry.uploadBlob("alpine", BlobSource.fromString(bytes), { digest, mountFrom: "base" })
      assert.strictEqual(mounted.size, 19)
    }).pipe(
      Effect.provide(
        content((asked, count) =>
          asked.method === "HEAD" && count === 0
            ? new Response(null, { status: 404 })
            : registryOf({ "content-length": "0" }, () => new Response(bytes))(asked, count)
        )
      )
    )
  )
})
