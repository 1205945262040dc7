/**
 * Migrations from registry to registry: what arrives, what it costs, and what the report says.
 */
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Migration from "../src/Migration.ts"
import * as Registries from "@effect-acr/client/Registries"
import * as MigrationReport from "../src/MigrationReport.ts"
import { makeWorld, tagsOf, withoutLists } from "./support/world.ts"

describe("a migration", () => {
  it.live("copies repositories with their tags, and says what became of each artifact", () =>
    Effect.gen(function* () {
      const { report, run, seed, status, target } = yield* makeWorld()
      yield* seed(
        { repository: "shop/api", tags: ["1.0"], layers: ["base", "api"] },
        { repository: "shop/api", tags: ["1.1", "latest"], layers: ["base", "api 1.1"] },
        { repository: "shop/web", tags: ["2.0"], layers: ["base", "web"] }
      )
      const events = yield* run()
      const outcomes = yield* report
      assert.deepEqual(outcomes.map(({ source, state, tags }) => [source, tags, state]).toSorted(), [
        ["shop/api", ["1.0"], "verified"],
        ["shop/api", ["1.1", "latest"], "verified"],
        ["shop/web", ["2.0"], "verified"]
      ])
      const summary = yield* status
      assert.isTrue(MigrationReport.isComplete(summary))
      assert.strictEqual(summary.pass, 2)
      const api = Option.getOrThrow(yield* target.contents("shop/api"))
      assert.sameMembers(
        api.tags.map(({ name }) => name),
        ["1.0", "1.1", "latest"]
      )
      assert.deepEqual(events.filter(({ _tag }) => _tag === "PassBegan").length, 2)
    }).pipe(Effect.scoped)
  )

  it.live("takes signatures and SBOMs along, also those that come later", () =>
    Effect.gen(function* () {
      const { report, run, seed, target } = yield* makeWorld()
      const image = {
        repository: "shop/api",
        tags: ["1.0"],
        platforms: ["linux/amd64", "linux/arm64"],
        referrers: [{ artifactType: "application/spdx+json", referrers: [{ artifactType: "application/vnd.note" }] }]
      }
      yield* seed(image)
      yield* run()
      const [outcome] = yield* report
      assert.strictEqual(outcome?.state, "verified")
      const referrersOf = Effect.map(
        target.contents("shop/api"),
        (contents) => Option.getOrThrow(contents).manifests.length
      )
      assert.strictEqual(yield* referrersOf, 5)
      yield* seed({ ...image, referrers: [...image.referrers, { artifactType: "application/vnd.scan" }] })
      yield* run()
      assert.strictEqual(yield* referrersOf, 6)
      assert.lengthOf(yield* report, 2)
    }).pipe(Effect.scoped)
  )

  it.live("takes signatures along that come later, also where no registry lists manifests", () =>
    Effect.gen(function* () {
      const { decode, report, run, seed, services, source, status, target } = yield* makeWorld()
      yield* Effect.forEach([source, target], withoutLists)
      const image = { repository: "shop/api", tags: ["1.0"] }
      yield* seed(image)
      yield* run()
      yield* seed({ ...image, referrers: [{ artifactType: "application/vnd.scan" }] })
      yield* run()
      assert.isTrue(MigrationReport.isComplete(yield* status))
      assert.lengthOf(Option.getOrThrow(yield* target.contents("shop/api")).manifests, 2)
      yield* run()
      assert.deepEqual(
        (yield* report).map(({ state }) => state),
        ["present"]
      )
      const plan = Effect.provide(Effect.flatMap(decode({}), Migration.plan), services)
      assert.deepInclude(yield* plan, { artifacts: 0, present: 1 })
    }).pipe(Effect.scoped)
  )

  it.live("costs the pages of both lists when nothing changed", () =>
    Effect.gen(function* () {
      const { run, seed, source, target } = yield* makeWorld()
      yield* seed(
        ...["api", "web", "base"].map((name) => ({
          repository: `shop/${name}`,
          tags: ["1.0"],
          platforms: ["linux/amd64", "linux/arm64"],
          referrers: [{ artifactType: "application/spdx+json" }]
        }))
      )
      yield* run()
      yield* source.clearJournal
      yield* target.clearJournal
      yield* run()
      /** What a registry answered, without the requests that led to a token. */
      const lists = ({ journal }: typeof source) =>
        Effect.map(journal, (entries) =>
          entries
            .filter(({ path, status }) => status !== 401 && !path.startsWith("/oauth2"))
            .map(({ method, path }) => `${method} ${decodeURIComponent(path)}`)
        )
      const repositoryLists = ["api", "web", "base"].flatMap((name) => [
        `GET /acr/v1/shop/${name}/_tags`,
        `GET /acr/v1/shop/${name}/_manifests`
      ])
      assert.sameMembers(yield* lists(source), ["GET /v2/_catalog", ...repositoryLists])
      assert.sameMembers(yield* lists(target), repositoryLists)
    }).pipe(Effect.scoped)
  )

  it.live("sends a blob that many repositories have once, and mounts it in the others", () =>
    Effect.gen(function* () {
      const { run, seed, target } = yield* makeWorld()
      const names = Array.from({ length: 20 }, (_, index) => `shop/service-${index}`)
      yield* seed(
        ...names.map((repository) => ({ repository, tags: ["1.0"], layers: ["the layer that all have", repository] }))
      )
      const events = yield* run()
      const journal = yield* target.journal
      const mounts = journal.filter(
        ({ method, path, status }) => method === "POST" && path.endsWith("/blobs/uploads/") && status === 201
      )
      assert.isAtLeast(mounts.length, 19)
      const shared = events.flatMap((event) => (event._tag === "ArtifactDone" ? [event.sentBytes] : [])).toSorted()
      assert.lengthOf(shared, 20)
    }).pipe(Effect.scoped)
  )

  it.live("asks a repository once for a blob that many of its artifacts have", () =>
    Effect.gen(function* () {
      const { report, run, seed, target } = yield* makeWorld()
      const numbers = Array.from({ length: 12 }, (_, index) => `1.${index}`)
      yield* seed(...numbers.map((tag) => ({ repository: "shop/api", tags: [tag], layers: ["the base", tag] })))
      yield* run()
      assert.deepEqual(new Set((yield* report).map(({ state }) => state)), new Set(["verified"]))
      const asked = (yield* target.journal).flatMap(({ method, path, status }) =>
        method === "HEAD" && path.includes("/blobs/") && status !== 401 ? [path] : []
      )
      assert.isAtLeast(new Set(asked).size, numbers.length)
      assert.lengthOf(asked, new Set(asked).size)
    }).pipe(Effect.scoped)
  )

  it.live("brings back what is missing, and moves tags that moved", () =>
    Effect.gen(function* () {
      const { report, run, seed, services, source, target } = yield* makeWorld()
      const [first] = yield* seed(
        { repository: "shop/api", tags: ["1.0", "latest"], layers: ["1.0"] },
        { repository: "shop/web", tags: ["1.0"], layers: ["web"] }
      )
      yield* run()
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${target.loginServer}/shop/api`), ({ registry }) =>
          registry.deleteManifest("shop/api", first ?? "")
        ),
        services
      )
      yield* seed({ repository: "shop/api", tags: ["1.1"], layers: ["1.1"] })
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${source.loginServer}/shop/api`), ({ content }) =>
          content.retag("shop/api", "1.1", "latest")
        ),
        services
      )
      yield* run()
      const contents = Option.getOrThrow(yield* target.contents("shop/api"))
      assert.deepEqual(Object.fromEntries(contents.tags.map(({ digest, name }) => [name, digest === first])), {
        "1.0": true,
        "1.1": false,
        latest: false
      })
      assert.deepEqual(
        (yield* report).map(({ state }) => state),
        ["verified", "verified", "verified"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("goes on where one artifact is damaged, one is refused, and names collide", () =>
    Effect.gen(function* () {
      const { report, route, run, seed, source, status, target } = yield* makeWorld()
      const [, , poison] = yield* seed(
        { repository: "shop/api", tags: ["1.0"], layers: ["api"] },
        { repository: "old/api", tags: ["1.0"], layers: ["old api"] },
        { repository: "shop/web", tags: ["1.0"], layers: ["web 1.0"] },
        { repository: "shop/web", tags: ["1.1"], layers: ["web 1.1"] },
        { repository: "shop/db", tags: ["1.0"], layers: ["db"] }
      )
      yield* target.seed({
        repository: "shop/db",
        tags: ["1.0"],
        layers: ["other"],
        locks: { tags: { writeEnabled: false } }
      })
      yield* source.inject({
        method: "GET",
        path: `/v2/shop/web/manifests/${poison}`,
        times: "always",
        consequence: { _tag: "CorruptBody", atByte: 10 }
      })
      yield* run({ routes: [{ ...route, rename: [{ prefix: "old/", replaceBy: "shop/" }] }] })
      const summary = yield* status
      assert.deepEqual(
        summary.problems.map(({ problem, source: name }) => [name, problem]),
        [
          ["old/api", "collision"],
          ["shop/api", "collision"]
        ]
      )
      assert.isFalse(MigrationReport.isComplete(summary))
      assert.sameDeepMembers(
        (yield* report).map(({ class: kind, source: name, state, tags }) => [name, ...tags, state, kind]),
        [
          ["shop/web", "1.0", "failed", "content"],
          ["shop/web", "1.1", "verified", undefined],
          ["shop/db", "1.0", "refused", "refused"]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("takes many batches", () =>
    Effect.gen(function* () {
      const { report, run, seed } = yield* makeWorld()
      yield* seed(
        ...Array.from({ length: 24 }, (_, index) => ({
          repository: `shop/service-${index % 5}`,
          tags: [`1.${index}`],
          layers: [`layer ${index}`]
        }))
      )
      const events = yield* run({ limits: { batch: 4 } })
      const [planned] = events.flatMap((event) => (event._tag === "Planned" ? [event] : []))
      assert.deepInclude(planned, { artifacts: 24, pass: 1 })
      assert.isAtLeast(planned?.batches ?? 0, 6)
      const outcomes = yield* report
      assert.lengthOf(outcomes, 24)
      assert.isTrue(outcomes.every(({ attempts, state }) => state === "verified" && attempts === 1))
    }).pipe(Effect.scoped)
  )

  it.live("goes to a tree of layouts and from there to another registry", () =>
    Effect.gen(function* () {
      const { folder, report, route, run, seed, services, source, target } = yield* makeWorld()
      yield* seed(
        { repository: "shop/api", tags: ["1.0"], platforms: ["linux/amd64", "linux/arm64"], layers: ["api"] },
        { repository: "shop/api", tags: ["1.1", "latest"], layers: ["api 1.1"] },
        {
          repository: "shop/api/tools",
          tags: ["1.0"],
          layers: ["tools"],
          referrers: [{ artifactType: "application/x" }]
        }
      )
      const layouts = { layouts: join(folder, "layouts") }
      yield* run({ routes: [{ from: route.from, to: layouts }] }, "out")
      yield* run({ routes: [{ from: layouts, to: route.to }] })
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
      assert.isTrue((yield* report).every(({ state }) => state === "verified"))
      const again = yield* Effect.provide(Stream.runCollect(Migration.report("out")), services)
      assert.deepEqual(
        again.map(({ state }) => state),
        ["verified", "verified", "verified"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("makes layouts in the folders of others, whichever comes first", () =>
    Effect.gen(function* () {
      const { folder, report, route, run, seed } = yield* makeWorld()
      // The largest comes first: the one whose folder has the other one in it comes later.
      yield* seed(
        ...["1.0", "1.1", "1.2"].map((tag) => ({ repository: "shop/api/tools", tags: [tag], layers: [tag] })),
        { repository: "shop/api", tags: ["1.0"], layers: ["api"] }
      )
      yield* run({
        routes: [{ from: route.from, to: { layouts: join(folder, "layouts") } }],
        limits: { batch: 1, copies: 1 }
      })
      assert.deepEqual(
        (yield* report).map(({ state }) => state),
        ["verified", "verified", "verified", "verified"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("makes a layout in whose folder an earlier call made another one", () =>
    Effect.gen(function* () {
      const { decode, folder, report, route, run, seed, services } = yield* makeWorld()
      const routes = [{ from: route.from, to: { layouts: join(folder, "layouts") } }]
      yield* seed({ repository: "shop/api/tools", tags: ["1.0"], layers: ["tools"] })
      yield* run({ routes })
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["api"] })
      const plan = yield* Effect.provide(Effect.flatMap(decode({ routes }), Migration.plan), services)
      assert.deepEqual([plan.artifacts, plan.problems], [1, []])
      yield* run({ routes })
      assert.deepEqual(
        (yield* report).map(({ source, state }) => `${source} ${state}`),
        ["shop/api verified", "shop/api/tools verified"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("takes the platforms of the rules, and finds them whole in the next pass", () =>
    Effect.gen(function* () {
      const { report, run, seed } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], platforms: ["linux/amd64", "linux/arm64"] })
      yield* run({ platforms: ["linux/amd64"] })
      const outcomes = yield* report
      assert.sameDeepMembers(
        outcomes.map(({ digest, state, targetDigest }) => [
          state,
          targetDigest === undefined || targetDigest === digest
        ]),
        [
          ["verified", false],
          ["skipped", true]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("takes of each index the platforms of the rules that it has, and whole what is no index", () =>
    Effect.gen(function* () {
      const { report, run, seed, status } = yield* makeWorld()
      const repository = "shop/api"
      yield* seed(
        { repository, tags: ["both"], platforms: ["linux/amd64", "linux/arm64"] },
        { repository, tags: ["one"], platforms: ["linux/amd64", "linux/s390x"], layers: ["one"] },
        { repository, tags: ["none"], platforms: ["linux/s390x", "linux/ppc64le"], layers: ["none"] },
        { repository, tags: ["image"], platforms: ["linux/s390x"], layers: ["image"] },
        { repository, tags: ["chart"], artifactType: "application/vnd.cncf.helm.config.v1+json" }
      )
      yield* run({ platforms: ["linux/amd64", "linux/arm64"] })
      const outcomes = (yield* report).filter(({ tags }) => tags.length > 0)
      assert.sameDeepMembers(
        outcomes.map(({ class: kind, digest, state, tags, targetDigest = digest }) => [
          tags[0],
          state,
          kind,
          targetDigest === digest
        ]),
        [
          ["both", "verified", undefined, true],
          ["one", "verified", undefined, false],
          ["none", "skipped", "platform", true],
          ["image", "verified", undefined, true],
          ["chart", "verified", undefined, true]
        ]
      )
      const none = outcomes.find(({ tags }) => tags.includes("none"))
      assert.match(none?.detail ?? "", /^no image for .+: there are linux\/s390x, linux\/ppc64le$/)
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("says what it cannot list, and that a tag is kept", () =>
    Effect.gen(function* () {
      const { report, route, run, seed, source, status, target } = yield* makeWorld()
      yield* seed(
        { repository: "shop/api", tags: ["1.0"], layers: ["ours"] },
        { repository: "shop/web", tags: ["1.0"] }
      )
      yield* target.seed({ repository: "shop/api", tags: ["1.0"], layers: ["theirs"] })
      yield* source.inject({
        path: /^\/acr\/v1\/shop%2Fweb/,
        times: "always",
        consequence: { _tag: "Answer", status: 403, body: '{"errors":[{"code":"DENIED","message":"not allowed"}]}' }
      })
      yield* run({
        onTag: "keep",
        routes: [{ ...route, repositories: { names: ["shop/api", "shop/web", "shop/gone"] } }]
      })
      const summary = yield* status
      assert.deepEqual(
        summary.problems.map(({ problem, source: name }) => [name, problem]),
        [
          ["shop/gone", "notListed"],
          ["shop/web", "notListed"]
        ]
      )
      assert.isFalse(MigrationReport.isComplete(summary))
      const [outcome] = yield* report
      assert.strictEqual(outcome?.class, "exists")
    }).pipe(Effect.scoped)
  )

  it.live("is refused with other rules under the same name, and is not known under another", () =>
    Effect.gen(function* () {
      const { run, seed, services, status } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      yield* run()
      assert.strictEqual(
        (yield* Effect.flip(run({ referrers: false }))).message,
        "the run test has other rules: choose another name for these"
      )
      // Limits say how fast, not what.
      yield* run({ limits: { copies: 2 } })
      assert.strictEqual((yield* status).pass, 3)
      const unknown = yield* Effect.flip(Effect.provide(Migration.status("other"), services))
      assert.include(unknown.message, "no run other")
    }).pipe(Effect.scoped)
  )

  it.live("is planned without a write: what is to be copied, and how long that takes at least", () =>
    Effect.gen(function* () {
      const { decode, run, seed, services, source, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] }, { repository: "shop/web", tags: ["1.0"] })
      const limits = { registries: { [target.loginServer]: { write: 1 } } }
      const plan = Effect.provide(Effect.flatMap(decode({ limits }), Migration.plan), services)
      const first = yield* plan
      assert.deepInclude(first, { repositories: 2, artifacts: 2, present: 0, problems: [] })
      assert.deepEqual(first.requests, [
        { loginServer: source.loginServer, read: 12, write: 0, referrers: 2 },
        { loginServer: target.loginServer, read: 12, write: 18, referrers: 0 }
      ])
      // The limit allows the requests of the first minute at once.
      assert.strictEqual(Duration.toMinutes(first.leastDuration ?? Duration.infinity), 1)
      assert.isAbove(first.bytes, 0)
      const writes = (yield* target.journal).filter(({ method }) => method !== "GET" && method !== "HEAD")
      assert.deepEqual(
        writes.filter(({ path }) => path.startsWith("/v2/")),
        []
      )
      yield* target.seed({ repository: "shop/api", tags: ["1.0"], layers: ["theirs"] })
      assert.deepInclude(yield* plan, { artifacts: 2, otherTags: 1, unknownTags: 0 })
      yield* run()
      assert.deepInclude(yield* plan, { artifacts: 0, present: 2, bytes: 0, otherTags: 0 })
    }).pipe(Effect.scoped)
  )

  it.live("is planned by the tags themselves where the target lists no digests", () =>
    Effect.gen(function* () {
      const { decode, run, seed, services, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] }, { repository: "shop/web", tags: ["1.0", "2.0"] })
      yield* run()
      yield* withoutLists(target)
      const plan = Effect.provide(Effect.flatMap(decode({}), Migration.plan), services)
      assert.deepInclude(yield* plan, { artifacts: 0, present: 2, otherTags: 0, unknownTags: 0 })
      yield* seed({ repository: "shop/web", tags: ["3.0"], layers: ["ours"] })
      yield* target.seed({ repository: "shop/web", tags: ["3.0"], layers: ["theirs"] })
      assert.deepInclude(yield* plan, { artifacts: 1, present: 2, otherTags: 1, unknownTags: 0 })
    }).pipe(Effect.scoped)
  )

  it.live("stops where a registry refuses the login in the middle, and continues afterwards", () =>
    Effect.gen(function* () {
      const { report, run, seed, target } = yield* makeWorld()
      yield* seed(
        ...Array.from({ length: 6 }, (_, index) => ({
          repository: "shop/api",
          tags: [`1.${index}`],
          layers: [`${index}`]
        }))
      )
      const refused = yield* target.inject({
        method: "PUT",
        path: /^\/v2\/shop\/api\/manifests\//,
        skip: 2,
        times: "always",
        consequence: { _tag: "Answer", status: 401, body: '{"errors":[{"code":"UNAUTHORIZED","message":"no more"}]}' }
      })
      const deniedBy = { side: "target" as const, registry: target.loginServer }
      assert.deepInclude(yield* Effect.flip(run()), { problem: "Denied", deniedBy })
      yield* target.removeFault(refused)
      yield* run()
      assert.isTrue((yield* report).every(({ state }) => state === "verified" || state === "present"))
      assert.lengthOf(yield* report, 6)
    }).pipe(Effect.scoped)
  )

  it.live("stops when its reader does, and continues in the next call", () =>
    Effect.gen(function* () {
      const { decode, report, run, seed, services, source, target } = yield* makeWorld()
      yield* seed(
        ...Array.from({ length: 40 }, (_, index) => ({
          repository: `shop/service-${index % 4}`,
          tags: [`1.${index}`],
          layers: [`${index}`]
        }))
      )
      const limits = { batch: 5, copies: 2 }
      const [rules, started] = [yield* decode({ limits }), yield* Clock.currentTimeMillis]
      yield* Migration.run("test", rules).pipe(
        Stream.takeUntil(({ _tag }) => _tag === "ArtifactDone"),
        Stream.runDrain,
        Effect.provide(services)
      )
      assert.isBelow((yield* Clock.currentTimeMillis) - started, 30_000)
      yield* run({ limits })
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
      assert.lengthOf(yield* report, 40)
    }).pipe(Effect.scoped)
  )

  it.live("sends a blob where the repository that had it has lost it", () =>
    Effect.gen(function* () {
      const { report, run, seed, services, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["the layer that both have"] })
      yield* run()
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${target.loginServer}/shop/api`), ({ registry }) =>
          registry.deleteRepository("shop/api")
        ),
        services
      )
      yield* seed({ repository: "shop/web", tags: ["1.0"], layers: ["the layer that both have", "web"] })
      yield* run()
      assert.isTrue((yield* report).every(({ state }) => state === "verified"))
      assert.lengthOf(yield* report, 2)
    }).pipe(Effect.scoped)
  )

  it.live("sends the blobs of a manifest again that the target refuses since it lost one, without saying which", () =>
    Effect.gen(function* () {
      const { report, run, seed, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["api"] })
      yield* target.inject({
        method: "PUT",
        path: /\/manifests\//,
        times: 1,
        consequence: {
          _tag: "Answer",
          status: 404,
          body: '{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown to registry"}]}'
        }
      })
      yield* run({ verify: { sample: 0 } })
      const committed = (yield* target.journal).flatMap(({ method, query }) =>
        method === "PUT" && query.includes("digest=") ? [query.replace(/.*digest=/, "")] : []
      )
      assert.isAbove(committed.length, 0)
      assert.strictEqual(committed.length, 2 * new Set(committed).size)
      assert.deepEqual(
        (yield* report).map(({ state }) => state),
        ["verified"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("says what vanished at the source before it was copied, and keeps what was", () =>
    Effect.gen(function* () {
      const { report, run, seed, services, source } = yield* makeWorld()
      const [kept, gone] = yield* seed(
        { repository: "shop/api", tags: ["1.0"], layers: ["1.0"] },
        { repository: "shop/api", tags: ["1.1"], layers: ["1.1"] }
      )
      yield* source.inject({
        path: new RegExp(`^/v2/shop/api/manifests/${gone}`),
        times: "always",
        consequence: { _tag: "Answer", status: 404, body: '{"errors":[{"code":"MANIFEST_UNKNOWN","message":"gone"}]}' }
      })
      yield* run()
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${source.loginServer}/shop/api`), ({ registry }) =>
          registry.deleteRepository("shop/api")
        ),
        services
      )
      yield* run()
      assert.sameDeepMembers(
        (yield* report).map(({ digest, state }) => [digest === kept, state]),
        [
          [true, "verified"],
          [false, "vanished"]
        ]
      )
    }).pipe(Effect.scoped)
  )
})
