/**
 * The trash, by scripts: the requests, their scopes, and odd answers. The paths and the bodies are those of the Azure
 * CLI (`az acr manifest list-deleted`, `az acr manifest restore`).
 */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Digest from "../src/Digest.ts"
import * as RepositoryName from "../src/RepositoryName.ts"
import { never } from "../src/RetryPolicy.ts"
import { SoftDeletedManifest, SoftDeletedRepository, SoftDeletedTag } from "../src/SoftDeleted.ts"
import * as Tag from "../src/Tag.ts"
import { sha256 } from "./support/content.ts"
import { refusal } from "./support/lenient.ts"
import { behindOAuth, Journal, json, registry, type Script } from "./support/registry.ts"

const digest = Digest.Digest.make(sha256("a"))
const other = Digest.Digest.make(sha256("b"))
const repositoryName = RepositoryName.RepositoryName.make("library/alpine")

const times = { createdAt: "2026-03-07T02:03:10.5343706Z", deletedAt: "2026-04-01T00:00:00Z" }
const read = {
  createdOn: DateTime.makeUnsafe("2026-03-07T02:03:10.534Z"),
  deletedOn: DateTime.makeUnsafe("2026-04-01T00:00:00Z")
}

/** The requests except those for tokens, and the scopes of the tokens. */
const asked = Effect.map(Journal, (journal) => ({
  requests: journal
    .filter(({ authorization }) => authorization !== undefined)
    .map(({ body, method, url }) => `${method} ${url.pathname}${url.search} ${body}`.trim()),
  scopes: journal
    .filter(({ url }) => url.pathname === "/oauth2/token")
    .map(({ body }) => new URLSearchParams(body).getAll("scope").join(" "))
}))

const behind = (scope: string, script: Script) => registry(behindOAuth(scope, script), { retry: never })

/** Answers a list in two pages. */
const inPages =
  (pages: readonly [object, object], link: string): Script =>
  ({ url }) =>
    url.searchParams.has("last")
      ? json(pages[1])
      : json(pages[0], { headers: { link: `<${link}?last=x&n=1&orderby=>; rel="next"` } })

describe("the list of deleted", () => {
  const catalog = "/acr/v1/_deleted/_catalog"
  const tags = "/acr/v1/_deleted/library%2Falpine/_tags"
  const manifests = "/acr/v1/_deleted/library%2Falpine/_manifests"

  it.effect("repositories is read page by page, with a separate right", () =>
    Effect.gen(function* () {
      const service = yield* ContainerRegistry
      const records = yield* Stream.runCollect(service.deletedRepositories({ pageSize: 1 }))
      assert.deepStrictEqual(records, [
        { name: repositoryName, ...read, raw: { repository: "library/alpine", ...times } },
        { name: RepositoryName.RepositoryName.make("b"), ...read, raw: { repository: "b", ...times, novel: 1 } }
      ])
      const { requests, scopes } = yield* asked
      assert.deepStrictEqual(requests, [`GET ${catalog}?n=1`, `GET ${catalog}?last=x&n=1&orderby=`])
      assert.deepStrictEqual(scopes, ["registry:deleted_catalog:*"])
    }).pipe(
      Effect.provide(
        behind(
          "registry:deleted_catalog:*",
          inPages(
            [
              { repositories: [{ repository: "library/alpine", ...times }] },
              { repositories: [{ repository: "b", ...times, novel: 1 }] }
            ],
            catalog
          )
        )
      )
    )
  )

  it.effect("manifests is read page by page, with a separate right", () =>
    Effect.gen(function* () {
      const service = yield* ContainerRegistry
      const records = yield* Stream.runCollect(service.deletedManifests("library/alpine"))
      assert.deepStrictEqual(
        records,
        [digest, other].map((digest) => ({ repositoryName, digest, ...read, raw: { digest, ...times } }))
      )
      const { requests, scopes } = yield* asked
      assert.deepStrictEqual(requests, [`GET ${manifests}?n=100`, `GET ${manifests}?last=x&n=1&orderby=`])
      assert.deepStrictEqual(scopes, ["repository:library/alpine:deleted_read"])
    }).pipe(
      Effect.provide(
        behind(
          "repository:library/alpine:deleted_read",
          inPages([{ manifests: [{ digest, ...times }] }, { manifests: [{ digest: other, ...times }] }], manifests)
        )
      )
    )
  )

  it.effect("tags has each deletion of a tag", () =>
    Effect.gen(function* () {
      const service = yield* ContainerRegistry
      const records = yield* Stream.runCollect(service.deletedTags("library/alpine", { pageSize: 7 }))
      assert.deepStrictEqual(
        records,
        [digest, other].map((digest) => ({
          repositoryName,
          name: Tag.Tag.make("v1"),
          digest,
          ...read,
          raw: { tag: "v1", digest, ...times }
        }))
      )
      const { requests, scopes } = yield* asked
      assert.deepStrictEqual(requests, [`GET ${tags}?n=7`, `GET ${tags}?last=x&n=1&orderby=`])
      assert.deepStrictEqual(scopes, ["repository:library/alpine:deleted_read"])
    }).pipe(
      Effect.provide(
        behind(
          "repository:library/alpine:deleted_read",
          inPages(
            [{ tags: [{ tag: "v1", digest, ...times }] }, { tags: [{ tag: "v1", digest: other, ...times }] }],
            tags
          )
        )
      )
    )
  )

  const everything = Effect.gen(function* () {
    const service = yield* ContainerRegistry
    return {
      repositories: yield* Effect.result(Stream.runCollect(service.deletedRepositories())),
      manifests: yield* Effect.result(Stream.runCollect(service.deletedManifests("a"))),
      tags: yield* Effect.result(Stream.runCollect(service.deletedTags("a")))
    }
  })

  for (const body of [{}, { repositories: null, manifests: null, tags: null }]) {
    it.effect(`things is empty if the answer is ${JSON.stringify(body)}`, () =>
      Effect.gen(function* () {
        for (const list of Object.values(yield* everything)) {
          assert.deepStrictEqual(list._tag === "Success" ? list.success : list.failure, [])
        }
      }).pipe(Effect.provide(registry(() => json(body))))
    )
  }

  it.effect("things leaves out records that cannot be read", () =>
    Effect.gen(function* () {
      for (const list of Object.values(yield* everything)) {
        assert.lengthOf(list._tag === "Success" ? list.success : [], 1)
      }
    }).pipe(
      Effect.provide(
        registry(() =>
          json({
            repositories: [{ repository: "a", ...times }, { repository: "b", ...times, deletedAt: "soon" }, null],
            manifests: [
              { digest: "x", ...times },
              { digest, ...times }
            ],
            tags: [{ tag: "v1", digest, ...times }, { tag: "v1", digest: 7, ...times }, "v2"]
          })
        )
      )
    )
  )

  // A program that reads another format as an empty trash would restore nothing, and report success.
  it.effect("things fails if the answer has another format", () =>
    Effect.gen(function* () {
      for (const list of Object.values(yield* everything)) {
        assert.strictEqual(list._tag === "Failure" ? list.failure.reason._tag : "", "InvalidResponse")
      }
    }).pipe(
      Effect.provide(
        registry(({ url }) =>
          url.pathname.endsWith("_catalog") ? json({ repositories: ["a", "b"] }) : json({ items: [{ digest }] })
        )
      )
    )
  )
})

describe("a restore", () => {
  const restore = (options?: { readonly tag?: string; readonly force?: boolean }) =>
    Effect.flatMap(ContainerRegistry, (service) => service.restoreManifest("library/alpine", digest, options))
  const path = `/acr/v1/_deleted/library%2Falpine/_manifests/${encodeURIComponent(digest)}`
  const scope = "repository:library/alpine:deleted_read,deleted_restore"

  for (const [options, query, body] of [
    [undefined, "force=False", '{"tag":null}'],
    [{ tag: "v1" }, "force=False", '{"tag":"v1"}'],
    [{ tag: "v1", force: true }, "force=True", '{"tag":"v1"}']
  ] as const) {
    it.effect(`with ${JSON.stringify(options) ?? "no options"} is sent as the Azure CLI does`, () =>
      Effect.gen(function* () {
        const tag = Option.map(Option.fromUndefinedOr(options?.tag), (name) => Tag.Tag.make(name))
        assert.deepStrictEqual(yield* restore(options), { digest, tag })
        const { requests, scopes } = yield* asked
        assert.deepStrictEqual(requests, [`POST ${path}?${query} ${body}`])
        assert.deepStrictEqual(scopes, [scope])
      }).pipe(Effect.provide(behind(scope, ({ body }) => json({ digest, tag: null, ...parsed(body) }))))
    )
  }

  it.effect("whose answer names another manifest does not count as done", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(restore())).reason._tag, "InvalidResponse")
    }).pipe(Effect.provide(registry(() => json({ digest: other, tag: "v1" }))))
  )

  it.effect("whose answer is empty does not count as done", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(restore())).reason._tag, "InvalidResponse")
    }).pipe(Effect.provide(registry(() => json({}))))
  )

  it.effect("whose answer is lost is not retried", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* Effect.flip(restore())).reason._tag, "Unavailable")
      assert.lengthOf(yield* Journal, 1)
    }).pipe(Effect.provide(registry(() => "reset")))
  )

  for (const [status, code, reason] of [
    [404, "MANIFEST_UNKNOWN", "NotFound"],
    [409, "TAG_EXISTS", "InvalidRequest"],
    [405, "REGISTRY_DISALLOWED_OPERATION", "Locked"],
    [403, "DENIED", "Forbidden"]
  ] as const) {
    it.effect(`that is refused with ${status} fails with ${reason}`, () =>
      Effect.gen(function* () {
        const error = yield* Effect.flip(restore({ tag: "v1" }))
        assert.deepStrictEqual([error.operation, error.reason._tag], ["ContainerRegistry.restoreManifest", reason])
      }).pipe(Effect.provide(registry(() => refusal(status, code))))
    )
  }
})

const parsed = (body: string): object => JSON.parse(body)

describe("the result of a scan", () => {
  it.effect("is written with the attributes, and omitted fields are not sent", () =>
    Effect.gen(function* () {
      const service = yield* ContainerRegistry
      const update = (changes: Parameters<typeof service.updateManifest>[2]) =>
        service.updateManifest("a", digest, changes)
      const properties = yield* update({ quarantineState: "Failed", quarantineDetails: "{}", canDelete: false })
      assert.deepInclude(properties, { quarantineState: "Failed", quarantineDetails: "{}" })
      yield* update({ quarantineState: "Passed" })
      yield* update({ canRead: true })
      assert.deepStrictEqual(
        (yield* Journal).map(({ body }) => body),
        [
          '{"deleteEnabled":false,"quarantineState":"Failed","quarantineDetails":"{}"}',
          '{"quarantineState":"Passed"}',
          '{"readEnabled":true}'
        ]
      )
    }).pipe(
      Effect.provide(
        registry(() =>
          json({
            registry: "myregistry.azurecr.io",
            imageName: "a",
            manifest: {
              digest,
              createdTime: times.createdAt,
              lastUpdateTime: times.createdAt,
              quarantineState: "Failed",
              quarantineDetails: "{}"
            }
          })
        )
      )
    )
  )
})

describe("a record", () => {
  it("for a test need only these fields", () => {
    const repository = { name: repositoryName, ...read }
    const manifest = { repositoryName, digest, ...read }
    const tag = { ...manifest, name: Tag.Tag.make("v1") }
    assert.deepStrictEqual(SoftDeletedRepository.make(repository), { ...repository, raw: {} })
    assert.deepStrictEqual(SoftDeletedManifest.make(manifest), { ...manifest, raw: {} })
    assert.deepStrictEqual(SoftDeletedTag.make(tag), { ...tag, raw: {} })
  })
})
