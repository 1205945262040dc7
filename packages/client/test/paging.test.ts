/**
 * Lists: which pages are requested, when, and how odd pages are handled.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { content } from "./support/content.ts"
import * as Pages from "../src/internal/http/pages.ts"
import { Transport } from "../src/Transport.ts"
import { behindOAuth, Journal, json, registry, type Script } from "./support/registry.ts"

const scope = "registry:catalog:*"

/** The queries of the pages that were requested with a token, in order. */
const pages = Effect.map(Journal, (journal) =>
  journal
    .filter(({ authorization, url }) => authorization !== undefined && url.pathname.startsWith("/acr"))
    .map(({ url }) => decodeURIComponent(url.search))
)

/** `count` names in pages of `size`, with links as ACR writes them. */
const catalog = (count: number, size: number): Script =>
  behindOAuth(scope, ({ url }) => {
    const first = Number(url.searchParams.get("last")?.slice(1) ?? -1) + 1
    const names = Array.from({ length: Math.min(size, count - first) }, (_, index) => `r${first + index}`)
    const last = names.at(-1)
    return json(
      { repositories: names },
      first + size < count ? { headers: { link: `</acr/v1/_catalog?last=${last}&n=${size}>; rel="next"` } } : {}
    )
  })

const names = (count: number) => Array.from({ length: count }, (_, index) => `r${index}`)

/** An endless list, whose links all differ. Only each `every`-th page has an item. */
const endless = (every: number): Script =>
  behindOAuth(scope, ({ url }) => {
    const number = Number(url.searchParams.get("last") ?? 0) + 1
    const link = `</acr/v1/_catalog?last=${number}&padding=${"x".repeat(4000)}>; rel="next"`
    return json({ repositories: number % every === 0 ? [`r${number}`] : null }, { headers: { link } })
  })

describe("a list", () => {
  it.effect("requests nothing before it is read", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const list = registry.repositories()
      yield* Stream.runDrain(list.pipe(Stream.take(0)))
      assert.deepStrictEqual(yield* Journal, [])
    }).pipe(Effect.provide(registry(catalog(10, 3))))
  )

  it.effect("follows links to the end, in order, and starts from the beginning each time it runs", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const list = registry.repositories()
      assert.deepStrictEqual((yield* Stream.runCollect(list)).map(String), names(10))
      assert.deepStrictEqual((yield* Stream.runCollect(list)).map(String), names(10))
      assert.strictEqual((yield* pages).length, 8)
    }).pipe(Effect.provide(registry(catalog(10, 3))))
  )

  for (const [taken, asked] of [
    [1, 1],
    [3, 1],
    [4, 2],
    [10, 4]
  ] as const) {
    it.effect(`of which ${taken} are taken requests ${asked} pages`, () =>
      Effect.gen(function* () {
        const registry = yield* ContainerRegistry
        const seen = yield* registry.repositories().pipe(Stream.take(taken), Stream.runCollect)
        assert.deepStrictEqual(seen.map(String), names(taken))
        assert.strictEqual((yield* pages).length, asked)
      }).pipe(Effect.provide(registry(catalog(10, 3))))
    )
  }

  it.effect("passes on page size, order, start and digest", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const digest = `sha256:${"a".repeat(64)}`
      yield* Stream.runDrain(registry.repositories({ pageSize: 7, continueFrom: "library/alpine" }))
      yield* Stream.runDrain(registry.tags("alpine", { digest, continueFrom: "v1", pageSize: 1 }))
      yield* Stream.runDrain(registry.tags("alpine", { digest, orderBy: "newest" }))
      yield* Stream.runDrain(registry.manifests("alpine", { orderBy: "oldest" }))
      assert.deepStrictEqual(yield* pages, [
        "?n=7&last=library/alpine&api-version=2021-07-01",
        `?n=1&last=v1&digest=${digest}&api-version=2021-07-01`,
        `?n=999&orderby=timedesc&digest=${digest}&api-version=2021-07-01`,
        "?n=999&orderby=timeasc&api-version=2021-07-01"
      ])
    }).pipe(
      Effect.provide(
        registry(
          behindOAuth(scope, () =>
            json({
              registry: "myregistry.azurecr.io",
              imageName: "alpine",
              repositories: null,
              tags: null,
              manifests: null
            })
          )
        )
      )
    )
  )

  for (const pageSize of [0, -1, 1.5, Number.NaN, Infinity]) {
    it.effect(`with a page size of ${pageSize} is an InvalidRequest, and not sent`, () =>
      Effect.gen(function* () {
        const registry = yield* ContainerRegistry
        const error = yield* Effect.flip(Stream.runCollect(registry.repositories({ pageSize })))
        assert.strictEqual(error.reason._tag, "InvalidRequest")
        assert.deepStrictEqual(yield* Journal, [])
      }).pipe(Effect.provide(registry(catalog(10, 3))))
    )
  }

  it.effect("continues after an empty page with a link", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const seen = yield* Stream.runCollect(registry.repositories())
      assert.deepStrictEqual(seen.map(String), ["alpine"])
    }).pipe(
      Effect.provide(
        registry(
          behindOAuth(scope, ({ url }) =>
            url.searchParams.has("last")
              ? json({ repositories: ["alpine"] })
              : json({ repositories: [] }, { headers: { link: '</acr/v1/_catalog?last=a>; rel="next"' } })
          )
        )
      )
    )
  )

  it.effect("fails after a thousand empty pages in a row", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const error = yield* Effect.flip(Stream.runCollect(registry.repositories()))
      assert.strictEqual(error.reason._tag, "InvalidResponse")
      assert.include(error.message, "1000 pages")
      assert.strictEqual((yield* pages).length, 1000)
    }).pipe(Effect.provide(registry(endless(Number.POSITIVE_INFINITY))))
  )

  for (const count of [1, 2]) {
    it.effect(`fails after a thousand pages in a row of ${count} that repeat, each under another link`, () => {
      let number = 0
      const again = behindOAuth(scope, () =>
        json(
          { repositories: [`r${number % count}`] },
          { headers: { link: `</acr/v1/_catalog?last=a&page=${++number}>; rel="next"` } }
        )
      )
      return Effect.gen(function* () {
        const registry = yield* ContainerRegistry
        const error = yield* Effect.flip(Stream.runCollect(registry.repositories()))
        assert.strictEqual(error.reason._tag, "InvalidResponse")
        assert.include(error.message, "1000 pages in a row have no new items")
      }).pipe(Effect.provide(registry(again)))
    })
  }

  it.effect("continues over fewer empty pages than that", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const seen = yield* Stream.runCollect(registry.repositories().pipe(Stream.take(2)))
      assert.deepStrictEqual(seen.map(String), ["r1000", "r2000"])
    }).pipe(Effect.provide(registry(endless(1000))))
  )

  it("distinguishes 200,000 pages with similar addresses", () => {
    for (const path of [
      (number: number) => `/acr/v1/_catalog?last=r${number}&n=999&orderby=`,
      (number: number) => `/v2/${number.toString(36)}/tags/list?n=1`,
      (number: number) => `/v2/a/tags/list?last=${"ab".repeat(number % 40)}${number}`
    ]) {
      const follow = Pages.watch("/")
      for (let number = 0; number < 200_000; number++) {
        if (follow(path(number)) !== undefined) assert.fail(path(number))
      }
      assert.strictEqual(follow(path(77_777)), "the pages of the list repeat")
    }
  })

  it.effect("fails at a link of more than 8 KiB, instead of ending early", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const error = yield* Effect.flip(Stream.runCollect(registry.repositories()))
      assert.strictEqual(error.reason._tag, "InvalidResponse")
      assert.include(error.message, "8192 characters")
    }).pipe(
      Effect.provide(
        registry(
          behindOAuth(scope, () =>
            json(
              { repositories: ["a"] },
              { headers: { link: `</acr/v1/_catalog?last=${"a".repeat(8192)}>; rel="next"` } }
            )
          )
        )
      )
    )
  )

  it.effect("of a custom operation fails at such a link as well", () =>
    Effect.gen(function* () {
      const { list } = yield* Transport
      const error = yield* Effect.flip(
        Stream.runCollect(
          list({
            name: "Test.list",
            method: "GET",
            path: "/list",
            scopes: [],
            bucket: "read",
            missing: "endpoint",
            success: [200],
            repeat: "always",
            decode: () => Effect.succeed({ items: ["a"], next: Option.some(`/list?last=${"a".repeat(8192)}`) })
          })
        )
      )
      assert.strictEqual(error.reason._tag, "InvalidResponse")
    }).pipe(Effect.provide(registry(behindOAuth(scope, () => json({})))))
  )

  it.effect("that fails half-way yields the items before", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const seen: Array<string> = []
      const error = yield* registry.repositories().pipe(
        Stream.runForEach((name) => Effect.sync(() => seen.push(name))),
        Effect.flip
      )
      assert.strictEqual(error.reason._tag, "Forbidden")
      assert.strictEqual(error.operation, "ContainerRegistry.repositories")
      assert.deepStrictEqual(seen, names(3))
    }).pipe(
      Effect.provide(
        registry((asked, count) =>
          asked.url.searchParams.get("last") === "r2" ? json({}, { status: 403 }) : catalog(10, 3)(asked, count)
        )
      )
    )
  )
})

/** The tags in pages of a size, and how many pages were requested. */
const listed = (pageSize: number | undefined) =>
  Effect.gen(function* () {
    const service = yield* RegistryContent
    const seen = yield* Stream.runCollect(service.tags("alpine", pageSize === undefined ? {} : { pageSize }))
    const asked = (yield* Journal).filter(
      ({ authorization, url }) => authorization !== undefined && url.pathname.endsWith("/list")
    )
    return { seen: seen.map(String), requests: asked.length }
  })

describe("a list of a registry that sends no links", () => {
  const all = Array.from({ length: 57 }, (_, index) => `v${String(index).padStart(2, "0")}`)

  /** Tags, as many as `n` and after `last`, if the registry supports these. */
  const tags = (heeds: { readonly n: boolean; readonly last: boolean }, link?: string): Script =>
    behindOAuth("repository:alpine:pull", ({ url }) => {
      const begin = heeds.last ? all.findIndex((tag) => tag === url.searchParams.get("last")) + 1 : 0
      const n = Number(url.searchParams.get("n") ?? all.length)
      const page = all.slice(begin, heeds.n ? begin + n : undefined)
      return json({ name: "alpine", tags: page }, link === undefined ? {} : { headers: { link } })
    })

  for (const [pageSize, requests] of [
    [10, 6],
    [19, 4],
    [57, 2],
    [58, 1],
    [undefined, 1]
  ] as const) {
    it.effect(`is complete in pages of ${pageSize ?? "any size"}, with ${requests} requests`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* listed(pageSize), { seen: all, requests })
      }).pipe(Effect.provide(content(tags({ n: true, last: true }))))
    )
  }

  it.effect("is complete, and nothing is repeated, if the registry has no pagination at all", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* listed(10), { seen: all, requests: 2 })
    }).pipe(Effect.provide(content(tags({ n: false, last: false }))))
  )

  it.effect("ends if the registry ignores positions", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* listed(10), { seen: all.slice(0, 10), requests: 2 })
    }).pipe(Effect.provide(content(tags({ n: true, last: false }))))
  )

  it.effect("is an error if a link repeats", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent
      const error = yield* Effect.flip(Stream.runCollect(service.tags("alpine", { pageSize: 10 })))
      assert.strictEqual(error.reason._tag, "InvalidResponse")
    }).pipe(Effect.provide(content(tags({ n: true, last: true }, '</v2/alpine/tags/list?last=v09&n=10>; rel="next"'))))
  )

  it.effect("ends if two pages alternate", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* listed(2)).requests, 3)
    }).pipe(
      Effect.provide(
        content(
          behindOAuth("repository:alpine:pull", ({ url }) =>
            json({ tags: url.searchParams.get("last") === "b" ? ["c", "d"] : ["a", "b"] })
          )
        )
      )
    )
  )
})

describe("the tags of one manifest", () => {
  const digests = { one: `sha256:${"1".repeat(64)}`, other: `sha256:${"2".repeat(64)}` }
  const times = { createdTime: "2023-03-07T02:03:10.5343706Z", lastUpdateTime: "2023-03-07T02:03:10.5343706Z" }

  /** Twelve tags, four at a time, of two manifests alternately. `link` is the registry's link to the next page. */
  const twelve = (link: (last: string) => string, heeds: (name: string) => boolean): Script =>
    behindOAuth("repository:alpine:metadata_read", ({ url }) => {
      const wanted = (name: string) => (heeds(name) ? url.searchParams.get(name) : null)
      const all = Array.from({ length: 12 }, (_, index) => ({
        ...times,
        name: `v${String(index).padStart(2, "0")}`,
        digest: index % 2 === 0 ? digests.one : digests.other
      }))
      const ordered = wanted("orderby") === "timedesc" ? all.toReversed() : all
      const filtered = ordered.filter(({ digest }) => wanted("digest") === null || digest === wanted("digest"))
      const begin = filtered.findIndex(({ name }) => name === url.searchParams.get("last")) + 1
      const tags = filtered.slice(begin, begin + 4)
      return json(
        { registry: "myregistry.azurecr.io", imageName: "alpine", tags },
        begin + 4 < filtered.length ? { headers: { link: `<${link(tags.at(-1)?.name ?? "")}>; rel="next"` } } : {}
      )
    })

  const links: ReadonlyArray<readonly [string, (last: string) => string]> = [
    ["as ACR's do", (last) => `/acr/v1/alpine/_tags?last=${last}&n=4&orderby=`],
    ["without any query but the position", (last) => `?last=${last}`],
    ["as whole addresses", (last) => `https://myregistry.azurecr.io/acr/v1/alpine/_tags?last=${last}&orderby=#x`],
    ["with another digest", (last) => `/acr/v1/alpine/_tags?digest=${encodeURIComponent(digests.other)}&last=${last}`]
  ]
  for (const [how, link] of links) {
    for (const orderBy of [undefined, "newest"] as const) {
      it.effect(`are filtered on every page if links omit the filter ${how} (${orderBy ?? "by name"})`, () =>
        Effect.gen(function* () {
          const registry = yield* ContainerRegistry
          const tags = yield* Stream.runCollect(
            registry.tags("alpine", { digest: digests.one, ...(orderBy === undefined ? {} : { orderBy }) })
          )
          const expected = ["v00", "v02", "v04", "v06", "v08", "v10"]
          assert.deepStrictEqual(
            tags.map(({ name }) => String(name)),
            orderBy === undefined ? expected : expected.toReversed()
          )
        }).pipe(Effect.provide(registry(twelve(link, () => true))))
      )
    }
  }

  it.effect("are filtered on a registry that does not filter", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const tags = yield* Stream.runCollect(registry.tags("alpine", { digest: digests.one }))
      assert.lengthOf(tags, 6)
      for (const { digest } of tags) assert.strictEqual(String(digest), digests.one)
    }).pipe(
      Effect.provide(
        registry(
          twelve(
            (last) => `?last=${last}`,
            (name) => name !== "digest"
          )
        )
      )
    )
  )

  it.effect("by time do not continue from an item: ACR's position in them is not an item", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const options = Object.assign({ orderBy: "newest" } as const, { continueFrom: "v1" })
      for (const list of [
        // @ts-expect-error a list by time does not continue from an item
        Stream.runDrain(registry.tags("alpine", options)),
        // @ts-expect-error a list by time does not continue from an item
        Stream.runDrain(registry.manifests("alpine", options))
      ]) {
        const { reason } = yield* Effect.flip(list)
        assert.strictEqual(reason._tag, "InvalidRequest")
      }
      assert.deepStrictEqual(yield* Journal, [])
    }).pipe(Effect.provide(registry(catalog(1, 1))))
  )
})

describe("an invalid name", () => {
  for (const [what, call] of [
    ["repository", (r: ContainerRegistry["Service"]) => r.repositoryProperties("../secrets")],
    ["tag", (r: ContainerRegistry["Service"]) => r.deleteTag("alpine", "a/b")],
    ["digest", (r: ContainerRegistry["Service"]) => r.deleteManifest("alpine", "sha256:../../x")],
    ["list's repository", (r: ContainerRegistry["Service"]) => Stream.runDrain(r.tags("UPPER"))]
  ] as const) {
    it.effect(`(${what}) is an InvalidRequest, and not sent`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(Effect.asVoid(call(yield* ContainerRegistry)))
        assert.strictEqual(error.reason._tag, "InvalidRequest")
        assert.deepStrictEqual(yield* Journal, [])
      }).pipe(Effect.provide(registry(catalog(1, 1))))
    )
  }
})
