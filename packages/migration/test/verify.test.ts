/**
 * What a migration finds at the target that is not as it should be, and what it repairs.
 */
import { createHash } from "node:crypto"
import * as Digest from "@effect-acr/client/Digest"
import * as Registries from "@effect-acr/client/Registries"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Migration from "../src/Migration.ts"
import * as MigrationReport from "../src/MigrationReport.ts"
import { brokenTags, makeWorld, tagsOf, withoutLists } from "./support/world.ts"

const layer = "the bytes of a layer that a disk will change"

const digestOf = (content: string) => Digest.Digest.make(`sha256:${createHash("sha256").update(content).digest("hex")}`)

/** A target that answers with other bytes for a layer, until it is deleted and pushed again. */
const makeDamaging = Effect.gen(function* () {
  const digest = digestOf(layer)
  const deleted = yield* Deferred.make<void>()
  const world = yield* makeWorld({
    target: {
      onRequest: ({ method, status }) => {
        if (method === "DELETE" && status === 202) Deferred.doneUnsafe(deleted, Effect.void)
      }
    }
  })
  yield* world.seed({ repository: "shop/api", tags: ["1.0"], layers: [{ content: layer }] })
  const id = yield* world.target.inject({
    method: "GET",
    path: new RegExp(`/blobs/${digest}`),
    times: "always",
    consequence: { _tag: "CorruptBody", atByte: 3 }
  })
  yield* Effect.forkScoped(Effect.andThen(Deferred.await(deleted), world.target.removeFault(id)))
  return { ...world, digest }
})

describe("a sample that is read back", () => {
  it.live("finds a layer that the target damaged, and sends it again", () =>
    Effect.gen(function* () {
      const { digest, report, run, services, status, target } = yield* makeDamaging
      const events = yield* run()
      const [read] = events.flatMap((event) => (event._tag === "ReadBack" ? [event] : []))
      assert.strictEqual(read?.outcome, "repaired")
      assert.include(read?.detail, digest)
      const [outcome] = yield* report
      assert.strictEqual(outcome?.state, "verified")
      assert.strictEqual(outcome?.class, "repaired")
      assert.isUndefined(outcome?.targetDigest)
      assert.isTrue(MigrationReport.isComplete(yield* status))
      const bytes = yield* Effect.provide(
        Effect.flatMap(Registries.open(`${target.loginServer}/shop/api`), ({ content }) =>
          content.blobBytes("shop/api", digest, { maxSize: 1000 })
        ),
        services
      )
      assert.strictEqual(new TextDecoder().decode(bytes), layer)
    }).pipe(Effect.scoped)
  )

  it.live(
    "is read also where both places list tags without digests, and is damaged until the target takes it anew",
    () =>
      Effect.gen(function* () {
        const { report, run, source, status, target } = yield* makeDamaging
        yield* Effect.forEach([source, target], withoutLists)
        const id = yield* target.inject({
          method: "DELETE",
          path: /\/blobs\//,
          times: "always",
          consequence: { _tag: "Answer", status: 405, body: '{"errors":[{"code":"UNSUPPORTED","message":"no"}]}' }
        })
        const outcomes = Effect.map(report, (found) => found.map(({ class: kind, state }) => [state, kind]))
        for (const _ of [1, 2]) {
          yield* run()
          assert.deepEqual(yield* outcomes, [["failed", "damaged"]])
          assert.isFalse(MigrationReport.isComplete(yield* status))
        }
        yield* target.removeFault(id)
        const events = yield* run()
        assert.isTrue(events.some((event) => event._tag === "ReadBack" && event.outcome === "repaired"))
        assert.isTrue(MigrationReport.isComplete(yield* status))
      }).pipe(Effect.scoped)
  )

  it.live("is sent again where the target has lost a blob and accepts it, although there is nothing to delete", () =>
    Effect.gen(function* () {
      const { report, run, seed, services, source, status, target } = yield* makeWorld()
      yield* Effect.forEach([source, target], withoutLists)
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: [{ content: layer }] })
      yield* run({ referrers: false, verify: { sample: 0 } })
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${target.loginServer}/shop/api`), ({ content }) =>
          content.deleteBlob("shop/api", digestOf(layer))
        ),
        services
      )
      yield* run({ referrers: false })
      assert.strictEqual((yield* report)[0]?.class, "repaired")
      assert.isTrue(MigrationReport.isComplete(yield* status))
      assert.deepEqual(yield* Effect.provide(brokenTags(target), services), [])
    }).pipe(Effect.scoped)
  )

  it.live("stays damaged where its source gets another tag, which the target gets too", () =>
    Effect.gen(function* () {
      const { report, run, services, source, status, target } = yield* makeDamaging
      yield* target.inject({
        method: "DELETE",
        path: /\/blobs\//,
        times: "always",
        consequence: { _tag: "Answer", status: 405, body: '{"errors":[{"code":"UNSUPPORTED","message":"no"}]}' }
      })
      yield* run()
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${source.loginServer}/shop/api`), ({ content }) =>
          content.retag("shop/api", "1.0", "1.1")
        ),
        services
      )
      yield* run({ verify: { sample: 0 } })
      assert.deepInclude((yield* report)[0], { state: "failed", class: "damaged", tags: ["1.0", "1.1"] })
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
      assert.isFalse(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("stays damaged where the next call cannot read it", () =>
    Effect.gen(function* () {
      const { digest, report, run, status, target } = yield* makeDamaging
      yield* target.inject({
        method: "DELETE",
        path: /\/blobs\//,
        times: "always",
        consequence: { _tag: "Answer", status: 405, body: '{"errors":[{"code":"UNSUPPORTED","message":"no"}]}' }
      })
      yield* run()
      const id = yield* target.inject({
        method: "GET",
        path: "/v2/shop/api/manifests/",
        times: "always",
        consequence: { _tag: "Answer", status: 403, body: '{"errors":[{"code":"DENIED","message":"push only"}]}' }
      })
      yield* run()
      const [unread] = yield* report
      assert.deepInclude(unread, { state: "failed", class: "damaged" })
      assert.include(unread?.detail, "push only")
      yield* target.removeFault(id)
      yield* run()
      const [damaged] = yield* report
      assert.deepInclude(damaged, { state: "failed", class: "damaged" })
      assert.include(damaged?.detail, digest)
      assert.isFalse(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("is not read back once the source has deleted it", () =>
    Effect.gen(function* () {
      const { report, run, seed, services, source, target } = yield* makeWorld()
      yield* Effect.forEach([source, target], withoutLists)
      yield* seed({ repository: "shop/api", tags: ["1.0"] }, { repository: "shop/api", tags: ["1.1"], layers: ["1.1"] })
      yield* run({ verify: { sample: 0 } })
      const removed = yield* report
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${source.loginServer}/shop/api`), ({ content }) =>
          Effect.forEach(removed.slice(0, 1), ({ digest }) => content.deleteManifest("shop/api", digest))
        ),
        services
      )
      const events = yield* run()
      assert.isFalse(events.some((event) => event._tag === "ReadBack" && event.digest === removed[0]?.digest))
      assert.deepInclude((yield* report)[0], { state: "copied", tags: [] })
    }).pipe(Effect.scoped)
  )

  it.live("is read by the next call where a process ends before it was", () =>
    Effect.gen(function* () {
      const { decode, report, run, seed, services, target } = yield* makeWorld()
      yield* seed(
        { repository: "shop/api", tags: ["1.0"], layers: ["one"] },
        { repository: "shop/web", tags: ["1.0"], layers: ["two"] }
      )
      const rules = yield* decode({ verify: { sample: 1 } })
      const stalled = yield* target.inject({
        method: "GET",
        path: /blobs/,
        times: "always",
        consequence: { _tag: "Stall" }
      })
      let lists = 0
      // Both repositories are listed in the second pass, and nothing is read back yet.
      yield* Migration.run("test", rules).pipe(
        Stream.takeUntil((event) => event._tag === "Listed" && ++lists === 4),
        Stream.runDrain,
        Effect.provide(services)
      )
      yield* target.removeFault(stalled)
      const events = yield* run({ verify: { sample: 1 } })
      assert.deepEqual(
        events.flatMap((event) => (event._tag === "ReadBack" ? [event.outcome] : [])),
        ["whole"]
      )
      assert.deepEqual(
        (yield* report).map(({ attempts, state }) => [state, attempts]),
        [
          ["verified", 1],
          ["verified", 1]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("says what the target does not take anew, until it does", () =>
    Effect.gen(function* () {
      const { report, run, status, target } = yield* makeDamaging
      const id = yield* target.inject({
        method: "DELETE",
        path: /\/blobs\//,
        times: "always",
        consequence: { _tag: "Answer", status: 405, body: '{"errors":[{"code":"UNSUPPORTED","message":"no"}]}' }
      })
      yield* run()
      const [outcome] = yield* report
      assert.strictEqual(outcome?.state, "failed")
      assert.strictEqual(outcome?.class, "damaged")
      assert.isFalse(MigrationReport.isComplete(yield* status))
      yield* run()
      assert.strictEqual((yield* report)[0]?.state, "failed")
      yield* target.removeFault(id)
      yield* run()
      assert.strictEqual((yield* report)[0]?.state, "verified")
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("finds manifests that the target lists and does not have, and sends them again if it takes them", () =>
    Effect.gen(function* () {
      const { report, run, seed, source, status, target } = yield* makeWorld()
      const platforms = ["linux/amd64", "linux/arm64"]
      yield* seed({ repository: "shop/api", tags: ["1.0"], platforms }, { repository: "shop/web", tags: ["1.0"] })
      const part = Option.getOrThrow(yield* source.contents("shop/api")).manifests.find(({ tags }) => tags.length === 0)
      const unknown = {
        _tag: "Answer",
        status: 404,
        body: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"lost"}]}'
      } as const
      const lost = yield* Effect.forEach(
        [`/v2/shop/api/manifests/${part?.digest}`, "/v2/shop/web/manifests/"],
        (path) => target.inject({ path, method: "GET", times: "always", consequence: unknown })
      )
      yield* run()
      assert.deepEqual(
        (yield* report).map(({ class: kind, state }) => [state, kind]),
        [
          ["failed", "damaged"],
          ["failed", "damaged"]
        ]
      )
      assert.isFalse(MigrationReport.isComplete(yield* status))
      yield* Effect.forEach(lost, target.removeFault)
      yield* run()
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("is not read if the rules want none, and is no reason to fail where the target cannot be read", () =>
    Effect.gen(function* () {
      const one = yield* makeDamaging
      const events = yield* one.run({ verify: { sample: 0 } })
      assert.isFalse(events.some(({ _tag }) => _tag === "ReadBack"))
      const two = yield* makeWorld()
      yield* two.seed({ repository: "shop/api", tags: ["1.0"], layers: ["api"] })
      yield* two.target.inject({
        method: "GET",
        path: /\/blobs\//,
        times: "always",
        consequence: { _tag: "Answer", status: 403, body: '{"errors":[{"code":"DENIED","message":"push only"}]}' }
      })
      yield* two.run()
      const [outcome] = yield* two.report
      assert.strictEqual(outcome?.state, "verified")
      assert.strictEqual(outcome?.class, "unread")
    }).pipe(Effect.scoped)
  )
})

describe("the lists of the target", () => {
  it.live("show a manifest that is missing, a tag that names another one, and tags that the source has not", () =>
    Effect.gen(function* () {
      const { report, run, seed, services, source, target } = yield* makeWorld()
      const [first] = yield* seed(
        { repository: "shop/api", tags: ["1.0"], layers: ["1.0"] },
        { repository: "shop/api", tags: ["1.1"], layers: ["1.1"] }
      )
      yield* run()
      yield* target.seed({ repository: "shop/api", tags: ["extra"], layers: ["extra"] })
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${target.loginServer}/shop/api`), ({ content, registry }) =>
          Effect.andThen(registry.deleteManifest("shop/api", first ?? ""), content.retag("shop/api", "extra", "1.1"))
        ),
        services
      )
      const events = yield* run()
      assert.deepEqual(
        events.flatMap((event) => (event._tag === "Listed" ? [[event.planned, event.extraTags]] : [])),
        [
          [2, ["extra"]],
          [0, ["extra"]]
        ]
      )
      const tags = Option.getOrThrow(yield* target.contents("shop/api")).tags
      assert.sameMembers(
        tags.map(({ name }) => name),
        ["1.0", "1.1", "extra"]
      )
      const wanted = yield* tagsOf(source)
      assert.includeMembers(yield* tagsOf(target), wanted)
      assert.isTrue((yield* report).every(({ state }) => state === "verified"))
    }).pipe(Effect.scoped)
  )

  it.live("have no digests: each call asks for those of the tags that it brought, and moves back what was moved", () =>
    Effect.gen(function* () {
      const { report, run, seed, source, target } = yield* makeWorld()
      yield* withoutLists(target)
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["1.0"] })
      yield* run()
      yield* target.seed({ repository: "shop/api", tags: ["1.0"], layers: ["theirs"], onTag: "overwrite" })
      assert.notDeepEqual(yield* tagsOf(target), yield* tagsOf(source))
      yield* run()
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
      assert.deepEqual(
        (yield* report).map(({ state }) => state),
        ["copied"]
      )
    }).pipe(Effect.scoped)
  )
})
