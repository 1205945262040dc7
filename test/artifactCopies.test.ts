/**
 * Copies between repositories: which requests they take, what they mount, and what becomes of registries that lie or fail.
 */
import { createHash } from "node:crypto"
import type { ContentStore } from "@effect-acr/artifacts/ContentStore"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as MemoryStore from "@effect-acr/artifacts/MemoryStore"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Hasher from "@effect-acr/client/Hasher"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Reference from "@effect-acr/client/Reference"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Registry from "@effect-acr/client/Registry"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type { RetryPolicy } from "@effect-acr/client/RetryPolicy"
import { AcrEmulator } from "@effect-acr/emulator"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { attach, completeAt, putArtifact } from "./support/artifacts.ts"

const retry: RetryPolicy = { schedule: Schedule.recurs(3), maxRetryAfter: "2 seconds", attemptTimeout: "10 seconds" }

/** A registry, its repositories as stores, and what it was asked since the last look, without tokens. */
const registry = (options: AcrEmulator.Options = {}) =>
  Effect.gen(function* () {
    const emulator = yield* AcrEmulator.make(options)
    const services = yield* Layer.build(
      AcrEmulator.layerRegistry({ retry }).pipe(Layer.provide(Layer.succeed(AcrEmulator.AcrEmulator, emulator)))
    )
    const content = Context.get(services, RegistryContent.RegistryContent)
    const open = (repository: string) =>
      Effect.map(
        Effect.orDie(Effect.fromResult(Reference.parse(`${emulator.loginServer}/${repository}`))),
        (reference) => Repository.make(content, reference)
      )
    const requests = Effect.map(emulator.journal, (entries) =>
      entries
        .filter(({ path, status }) => path.startsWith("/v2/") && status !== 401)
        .map(({ method, path, query, status }) => `${method} ${decodeURIComponent(path)}${query} ${status}`)
    )
    const asked = Effect.tap(requests, () => emulator.clearJournal)
    return { emulator, open, asked }
  })

const seeded = Effect.gen(function* () {
  const source = yield* registry()
  const target = yield* registry()
  const store = yield* source.open("shop/api")
  const copy = yield* target.open("mirror/api")
  const artifact = yield* putArtifact(store, "v1")
  yield* source.emulator.clearJournal
  return { source, target, store, copy, artifact }
})

/** How many requests have such a beginning. */
const count = (requests: ReadonlyArray<string>, pattern: RegExp): number =>
  requests.filter((request) => pattern.test(request)).length

const manifests = /\/manifests\//
const isPut = (request: string) => request.startsWith("PUT") && manifests.test(request)

describe("a copy between two registries", () => {
  it.live("takes the requests that it needs, blobs first and the tag last", () =>
    Effect.gen(function* () {
      const { artifact, copy, source, store, target } = yield* seeded
      yield* Copy.run(store, copy, "v1")
      const read = yield* source.asked
      // The tag, five manifests, the referrers of each, and five blobs: what an empty descriptor names is not read.
      assert.strictEqual(count(read, /^HEAD .*\/manifests\/v1 200/), 1)
      assert.strictEqual(count(read, /^GET .*\/manifests\/sha256:/), 5)
      // Referrers may stand in the API and under a tag.
      assert.strictEqual(count(read, /\/referrers\/|\/manifests\/sha256-/), 5 + 5)
      assert.strictEqual(count(read, /^GET .*\/blobs\//), 7)
      assert.strictEqual(read.length, 1 + 5 + 10 + 7)
      const written = yield* target.asked
      assert.strictEqual(count(written, /^HEAD .*\/manifests\//), 6)
      // Each blob is looked for once, and sent by one POST and one PUT.
      assert.strictEqual(count(written, /^HEAD .*\/blobs\//), 8)
      for (const [method, requests] of [
        ["POST", 8],
        ["PATCH", 0],
        ["PUT", 8]
      ] as const) {
        assert.strictEqual(count(written, new RegExp(`^${method} .*/blobs/uploads/`)), requests)
      }
      const puts = written.filter(isPut)
      assert.lengthOf(puts, 6)
      assert.include(puts[5], "/manifests/v1 ")
      assert.isBelow(
        written.findLastIndex((request) => request.includes("/blobs/")),
        written.findIndex((request) => request.includes("PUT /v2/mirror/api/manifests/v1 "))
      )
      const at = (digest: string | undefined) => puts.findIndex((request) => request.includes(String(digest)))
      for (const { digest } of artifact.images) assert.isBelow(at(digest), at(artifact.index.digest))
      assert.isBelow(at(artifact.images[0]?.digest), at(artifact.sbom.digest))
      assert.isBelow(at(artifact.index.digest), at(artifact.signature.digest))
    }).pipe(Effect.scoped)
  )

  it.live("again takes one look at each tag, and the referrers", () =>
    Effect.gen(function* () {
      const { artifact, copy, source, store, target } = yield* seeded
      yield* Copy.run(store, copy, "v1", { referrers: false })
      yield* source.asked
      yield* target.asked
      yield* Copy.run(store, copy, "v1", { referrers: false })
      assert.deepStrictEqual(yield* source.asked, ["HEAD /v2/shop/api/manifests/v1 200"])
      assert.deepStrictEqual(yield* target.asked, ["HEAD /v2/mirror/api/manifests/v1 200"])
      yield* Copy.run(store, copy, "v1")
      yield* source.asked
      yield* target.asked
      yield* Copy.run(store, copy, "v1")
      const read = yield* source.asked
      // To know the images of the index, it is read.
      assert.strictEqual(count(read, /^GET .*\/manifests\/sha256:/), 1)
      assert.strictEqual(count(read, /\/referrers\//), 5)
      const written = yield* target.asked
      // Whether the target lists both.
      assert.strictEqual(count(written, /\/referrers\//), 2)
      assert.deepStrictEqual(
        written.filter((request) => !request.startsWith("GET")).toSorted(),
        ["v1", artifact.sbom.digest, artifact.signature.digest]
          .map((name) => `HEAD /v2/mirror/api/manifests/${name} 200`)
          .toSorted()
      )
    }).pipe(Effect.scoped)
  )

  it.live("never offers a mount from the other registry", () =>
    Effect.gen(function* () {
      const { copy, store, target } = yield* seeded
      yield* Copy.run(store, copy, "v1")
      assert.strictEqual(count(yield* target.asked, /mount=/), 0)
    }).pipe(Effect.scoped)
  )

  it.live("mounts from a repository of the target that is named", () =>
    Effect.gen(function* () {
      const { copy, source, store, target } = yield* seeded
      yield* Copy.run(store, copy, "v1")
      yield* source.asked
      yield* target.asked
      const second = yield* target.open("mirror/second")
      const report = yield* Copy.run(store, second, "v1", { mountFrom: [copy.origin] })
      assert.strictEqual(Copy.totals(report).mounted.nodes, 8)
      assert.strictEqual(count(yield* source.asked, /\/blobs\//), 0)
      assert.strictEqual(count(yield* target.asked, /^PATCH/), 0)
      yield* completeAt(second, "v1")
    }).pipe(Effect.scoped)
  )

  it.live("sends a layer that ten copies at once have in common once", () =>
    Effect.gen(function* () {
      const { copy, store, target } = yield* seeded
      const tags = Array.from({ length: 10 }, (_, number) => `t${number}`)
      yield* Effect.forEach(tags, (tag) => Copy.run(store, copy, "v1", { tags: [tag] }), { concurrency: "unbounded" })
      assert.strictEqual(count(yield* target.asked, /^PUT .*\/blobs\//), 8)
      for (const tag of tags) assert.isTrue(Option.isSome(yield* completeAt(copy, tag)))
    }).pipe(Effect.scoped)
  )

  it.live("leaves the list of referrers to a target that has the API, and writes it elsewhere", () =>
    Effect.gen(function* () {
      for (const [from, to] of [
        [false, true],
        [true, false],
        [false, false]
      ] as const) {
        const source = yield* registry({ referrers: { api: from } })
        const target = yield* registry({ referrers: { api: to } })
        const store = yield* source.open("shop/api")
        const copy = yield* target.open("mirror/api")
        const { index, sbom } = yield* putArtifact(store, "v1")
        yield* Copy.run(store, copy, "v1")
        const tags = yield* Stream.runCollect(copy.tags)
        assert.strictEqual(tags.includes(Referrer.tag(index.digest)), !to, `${from} to ${to}`)
        const listed = yield* Stream.runCollect(copy.referrers(index.digest))
        assert.deepStrictEqual(
          listed.map(({ annotations, artifactType }) => [String(artifactType), annotations?.["text"]]),
          [["application/vnd.example.signature.v1+json", "a signature"]]
        )
        assert.isTrue(yield* copy.keeps(sbom))
      }
    }).pipe(Effect.scoped)
  )

  it.live("keeps the entries that the list of referrers has at the target", () =>
    Effect.gen(function* () {
      const source = yield* registry()
      const target = yield* registry({ referrers: { api: false } })
      const store = yield* source.open("shop/api")
      const copy = yield* target.open("mirror/api")
      const { index } = yield* putArtifact(store, "v1")
      yield* Copy.run(store, copy, "v1", { referrers: false })
      yield* attach(copy, index, MediaType.MediaType.make("application/vnd.theirs"), "theirs")
      yield* Copy.run(store, copy, "v1")
      const listed = yield* Stream.runCollect(copy.referrers(index.digest))
      assert.sameMembers(
        listed.map(({ annotations }) => annotations?.["text"]),
        ["theirs", "a signature"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("lists referrers that the target has and an earlier copy failed to list", () =>
    Effect.gen(function* () {
      const source = yield* registry()
      const target = yield* registry({ referrers: { api: false } })
      const store = yield* source.open("shop/api")
      const copy = yield* target.open("mirror/api")
      const { index } = yield* putArtifact(store, "v1")
      yield* target.emulator.inject({
        method: "PUT",
        path: /\/manifests\/sha256-/,
        times: 1,
        consequence: { _tag: "Answer", status: 403 }
      })
      assert.strictEqual((yield* Effect.flip(Copy.run(store, copy, "v1"))).side, "target")
      const { nodes } = yield* Copy.run(store, copy, "v1")
      assert.lengthOf(yield* Stream.runCollect(copy.referrers(index.digest)), 1)
      assert.isTrue(nodes.every(({ kind, outcome }) => kind === "manifest" || outcome === "present"))
    }).pipe(Effect.scoped)
  )

  it.live("lists a referrer with a tag of its own that the target has and an earlier copy failed to list", () =>
    Effect.gen(function* () {
      const source = yield* registry()
      const target = yield* registry({ referrers: { api: false } })
      const store = yield* source.open("shop/api")
      const copy = yield* target.open("mirror/api")
      const { index, signature } = yield* putArtifact(store, "v1")
      const copySignature = Copy.run(store, copy, signature.digest, { tags: ["signature"] })
      yield* target.emulator.inject({
        method: "PUT",
        path: /\/manifests\/sha256-/,
        times: 1,
        consequence: { _tag: "Answer", status: 403 }
      })
      assert.strictEqual((yield* Effect.flip(copySignature)).side, "target")
      yield* copySignature
      const listed = yield* Stream.runCollect(copy.referrers(index.digest))
      assert.deepStrictEqual(
        listed.map(({ digest }) => digest),
        [signature.digest]
      )
      yield* target.emulator.clearJournal
      yield* copySignature
      assert.isFalse((yield* target.asked).some(isPut))
    }).pipe(Effect.scoped)
  )

  it.live("waits for a source that is throttled", () =>
    Effect.gen(function* () {
      const { copy, source, store } = yield* seeded
      yield* source.emulator.inject({
        path: "/v2/",
        times: 2,
        consequence: { _tag: "Answer", status: 429, headers: { "retry-after": "0" } }
      })
      yield* Copy.run(store, copy, "v1")
      assert.isTrue(Option.isSome(yield* completeAt(copy, "v1")))
    }).pipe(Effect.scoped)
  )
})

/** How a copy fails, and that it leaves no tag and no session. */
const failing = (store: ContentStore<RegistryError>, copy: ContentStore<RegistryError>, target: AcrEmulator.Service) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(Copy.run(store, copy, "v1"))
    assert.deepStrictEqual(yield* Stream.runCollect(copy.tags), [])
    const open = yield* Effect.repeat(target.openUploads, {
      until: (uploads) => uploads === 0,
      schedule: Schedule.spaced("10 millis").pipe(Schedule.upTo({ times: 500 }))
    })
    assert.strictEqual(open, 0)
    return error
  })

const messageOf = (from: ContentStore<RegistryError>) =>
  Effect.map(Effect.flip(Copy.run(from, MemoryStore.make(), "v2")), ({ message }) => message)

describe("a copy fails", () => {
  it.live("at the source, if a manifest is not what its digest names", () =>
    Effect.gen(function* () {
      const { copy, source, store, target } = yield* seeded
      yield* source.emulator.inject({
        method: "GET",
        path: /\/manifests\/sha256/,
        times: 1000,
        consequence: { _tag: "CorruptBody", atByte: 10 }
      })
      const error = yield* failing(store, copy, target.emulator)
      assert.deepStrictEqual([error.side, error.isRetryable], ["source", false])
      const reason = yield* Effect.fail(error).pipe(
        Effect.catchReason("CopyError", "ContentMismatch", ({ _tag }) => Effect.succeed(_tag))
      )
      assert.strictEqual(reason, "ContentMismatch")
    }).pipe(Effect.scoped)
  )

  it.live("at the target, if that has another digest for a manifest", () =>
    Effect.gen(function* () {
      const { copy, store, target } = yield* seeded
      const other = `sha256:${"0".repeat(64)}`
      yield* target.emulator.inject({
        method: "PUT",
        path: /\/manifests\//,
        times: 1000,
        consequence: { _tag: "Headers", headers: { "docker-content-digest": other } }
      })
      const error = yield* failing(store, copy, target.emulator)
      assert.strictEqual(error.side, "target")
      assert.include(error.message, other)
      assert.isTrue(Option.isSome(error.node))
    }).pipe(Effect.scoped)
  )

  it.live("at the target, if that accepts another blob", () =>
    Effect.gen(function* () {
      const { copy, store, target } = yield* seeded
      const other = `sha256:${"0".repeat(64)}`
      yield* target.emulator.inject({
        method: "PUT",
        path: /\/blobs\/uploads\//,
        times: 1000,
        consequence: { _tag: "Headers", headers: { "docker-content-digest": other } }
      })
      const error = yield* failing(store, copy, target.emulator)
      assert.strictEqual(error.side, "target")
      assert.include(error.message, "accepted another blob")
      assert.include(error.message, other)
    }).pipe(Effect.scoped)
  )

  it.live("if a blob breaks off for good", () =>
    Effect.gen(function* () {
      const { copy, source, store, target } = yield* seeded
      yield* source.emulator.inject({ path: "/blobs/", times: 1000, consequence: { _tag: "CutBody", afterBytes: 5 } })
      const error = yield* failing(store, copy, target.emulator)
      assert.strictEqual(error.side, "source")
    }).pipe(Effect.scoped)
  )

  it.live("if a blob is not what its digest names", () =>
    Effect.gen(function* () {
      const { copy, source, store, target } = yield* seeded
      yield* source.emulator.inject({ path: "/blobs/", times: 1000, consequence: { _tag: "CorruptBody", atByte: 5 } })
      const error = yield* failing(store, copy, target.emulator)
      assert.include(error.message, "does not match its digest")
    }).pipe(Effect.scoped)
  )

  it.live("with the reason of the registry, if a right is missing", () =>
    Effect.gen(function* () {
      const { copy, store, target } = yield* seeded
      yield* target.emulator.inject({
        method: "POST",
        path: "/v2/",
        times: 1000,
        consequence: {
          _tag: "Answer",
          status: 403,
          body: JSON.stringify({ errors: [{ code: "DENIED", message: "no push" }] })
        }
      })
      const error = yield* failing(store, copy, target.emulator)
      assert.strictEqual(error.side, "target")
      const handled = yield* Effect.fail(error).pipe(
        Effect.catchReason("CopyError", "Forbidden", () => Effect.succeed("forbidden"))
      )
      assert.strictEqual(handled, "forbidden")
    }).pipe(Effect.scoped)
  )

  it.live("with another message for a repository that does not exist than for a tag", () =>
    Effect.gen(function* () {
      const { source, store } = yield* seeded
      assert.include(yield* messageOf(store), "has no tag or digest v2")
      assert.include(yield* messageOf(yield* source.open("nowhere")), "does it exist?")
    }).pipe(Effect.scoped)
  )
})

/** Repositories of two registries, by clients that count the bytes that they hash. */
const hashing = Effect.gen(function* () {
  const hashed = { bytes: 0 }
  const start: Hasher.Start = (algorithm) => {
    const hash = createHash(algorithm)
    return {
      update: (bytes) => {
        hashed.bytes += bytes.length
        hash.update(bytes)
      },
      hex: () => hash.digest("hex")
    }
  }
  const open = (repository: string) =>
    Effect.gen(function* () {
      const { endpoint, loginServer, logins } = yield* AcrEmulator.make()
      const entra = Credentials.layerEntra(Effect.succeed(logins.entraToken), {
        loginServers: [new URL(endpoint).hostname]
      })
      const services = yield* Layer.build(
        Registry.layer({ endpoint }).pipe(
          Layer.provide(Layer.succeed(Hasher.Hasher, start)),
          Layer.provide([entra, NodeRegistryHttpClient.layer])
        )
      )
      const reference = yield* Effect.fromResult(Reference.parse(`${loginServer}/${repository}`))
      return Repository.make(Context.get(services, RegistryContent.RegistryContent), reference)
    })
  return { hashed, source: yield* open("shop/api"), target: yield* open("mirror/api") }
})

it.live("a copy hashes each blob once", () =>
  Effect.gen(function* () {
    const { hashed, source, target } = yield* hashing
    yield* putArtifact(source, "v1", 1_000_000)
    hashed.bytes = 0
    yield* Copy.run(source, target, "v1")
    // Three layers, and a few KiB of manifests and configurations.
    assert.isAtLeast(hashed.bytes, 3_000_000)
    assert.isAtMost(hashed.bytes, 3_100_000)
  }).pipe(Effect.scoped)
)

describe("a copy within one registry", () => {
  it.live("mounts all blobs, and reads none", () =>
    Effect.gen(function* () {
      const { source, store } = yield* seeded
      const copy = yield* source.open("shop/released")
      const report = yield* Copy.run(store, copy, "v1")
      const { mounted, sent } = Copy.totals(report)
      assert.deepStrictEqual([mounted.nodes, sent.nodes], [8, 5])
      const asked = yield* source.asked
      assert.strictEqual(count(asked, /^POST .*mount=/), 8)
      assert.strictEqual(count(asked, /^(GET|PATCH) .*\/blobs\//), 0)
      yield* completeAt(copy, "v1")
    }).pipe(Effect.scoped)
  )

  it.live("and one repository sets the tag: one GET, one PUT", () =>
    Effect.gen(function* () {
      const { artifact, source, store } = yield* seeded
      yield* Copy.run(store, store, "v1", { tags: ["stable"] })
      assert.deepStrictEqual(yield* source.asked, [
        "HEAD /v2/shop/api/manifests/v1 200",
        "HEAD /v2/shop/api/manifests/stable 404",
        `GET /v2/shop/api/manifests/${artifact.index.digest} 200`,
        "PUT /v2/shop/api/manifests/stable 201"
      ])
    }).pipe(Effect.scoped)
  )
})
