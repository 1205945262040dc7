/**
 * Registries that change, refuse or mislead during a migration.
 */
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Registries from "@effect-acr/client/Registries"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Migration from "../src/Migration.ts"
import * as MigrationReport from "../src/MigrationReport.ts"
import { makeWorld, tagsOf, withoutLists } from "./support/world.ts"

const error = (code: string) => `{"errors":[{"code":"${code}","message":"injected"}]}`

describe("a source that changes meanwhile", () => {
  it.live("with a tag that moves: the target has what it names at the end, and the report what it named", () =>
    Effect.gen(function* () {
      const { decode, report, seed, services, source, target } = yield* makeWorld()
      const [first, second] = yield* seed(
        { repository: "shop/api", tags: ["1.0", "latest"], layers: ["1.0"] },
        { repository: "shop/api", tags: ["1.1"], layers: ["1.1"] }
      )
      const move = Effect.flatMap(Registries.open(`${source.loginServer}/shop/api`), ({ content }) =>
        content.retag("shop/api", "1.1", "latest")
      )
      yield* Migration.run("test", yield* decode({ limits: { copies: 1 } })).pipe(
        Stream.tap((event) => (event._tag === "Planned" && event.pass === 1 ? move : Effect.void)),
        Stream.runDrain,
        Effect.provide(services)
      )
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
      assert.sameDeepMembers(
        (yield* report).map(({ digest, state, tags }): ReadonlyArray<unknown> => [digest, tags, state]),
        [
          [first ?? "", ["1.0"], "verified"],
          [second ?? "", ["1.1", "latest"], "verified"]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("with a repository that is deleted: its artifacts vanished, and the others arrive", () =>
    Effect.gen(function* () {
      const { report, run, seed, services, source, status } = yield* makeWorld()
      yield* seed(
        { repository: "shop/api", tags: ["1.0"], layers: ["api"] },
        { repository: "shop/web", tags: ["1.0"], layers: ["web"] }
      )
      // The lists still have it when its manifests are gone.
      yield* source.inject({
        path: "/v2/shop/api/",
        times: "always",
        consequence: { _tag: "Answer", status: 404, body: error("NAME_UNKNOWN") }
      })
      const outcomes = Effect.map(report, (all) => all.map((one) => [one.source, one.state, one.class]))
      yield* run()
      assert.deepEqual(yield* outcomes, [
        ["shop/api", "failed", "gone"],
        ["shop/web", "verified", undefined]
      ])
      assert.isFalse(MigrationReport.isComplete(yield* status))
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${source.loginServer}/shop/api`), ({ registry }) =>
          registry.deleteRepository("shop/api")
        ),
        services
      )
      yield* run()
      assert.deepEqual(yield* outcomes, [
        ["shop/api", "vanished", undefined],
        ["shop/web", "verified", undefined]
      ])
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("with pages that repeat a repository and miss another one: each is copied once", () =>
    Effect.gen(function* () {
      const { report, run, seed, source } = yield* makeWorld()
      yield* seed(
        { repository: "shop/api", tags: ["1.0"], layers: ["api"] },
        { repository: "shop/web", tags: ["1.0"], layers: ["web"] }
      )
      yield* source.inject({
        path: "/v2/_catalog",
        times: 1,
        consequence: {
          _tag: "Answer",
          status: 200,
          headers: { "content-type": "application/json" },
          body: '{"repositories":["shop/api","shop/api"]}'
        }
      })
      yield* run()
      assert.deepEqual(
        (yield* report).map(({ attempts, source: name, state }) => [name, state, attempts]),
        [
          ["shop/api", "verified", 1],
          ["shop/web", "verified", 1]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("with pages that repeat a tag: it is copied once", () =>
    Effect.gen(function* () {
      const { report, run, seed, source, status } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      const answer = (path: string, status: number, body: string) =>
        source.inject({
          path,
          times: "always",
          consequence: { _tag: "Answer", status, headers: { "content-type": "application/json" }, body }
        })
      yield* answer("/acr/", 404, "404 page not found")
      yield* answer("/v2/shop/api/tags/list", 200, '{"name":"shop/api","tags":["1.0","1.0"]}')
      yield* run()
      assert.isTrue(MigrationReport.isComplete(yield* status))
      assert.deepEqual(
        (yield* report).map(({ state, tags }) => [state, tags]),
        [["verified", ["1.0"]]]
      )
    }).pipe(Effect.scoped)
  )

  it.live("with a list of repositories that is denied: the rules name them", () =>
    Effect.gen(function* () {
      const { report, route, run, seed, source } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["api"] })
      yield* source.inject({
        path: "/v2/_catalog",
        times: "always",
        consequence: { _tag: "Answer", status: 403, body: error("DENIED") }
      })
      const refused = yield* Effect.flip(run({}, "unnamed"))
      assert.propertyVal(refused, "problem", "PlaceFailed")
      assert.include(refused.message, "name them in the rules")
      yield* run({ routes: [{ ...route, repositories: { names: ["shop/api"] } }] })
      assert.deepEqual(
        (yield* report).map(({ state }) => state),
        ["verified"]
      )
    }).pipe(Effect.scoped)
  )
})

describe("a run", () => {
  it.live("renews tokens that end in the middle", () =>
    Effect.gen(function* () {
      const { decode, report, seed, services, source, target } = yield* makeWorld()
      yield* seed(
        ...Array.from({ length: 12 }, (_, index) => ({
          repository: "shop/api",
          tags: [`1.${index}`],
          layers: [`${index}`]
        }))
      )
      const revoke = Effect.andThen(source.revokeAccessTokens, target.revokeAccessTokens)
      let isRevoked = false
      yield* Migration.run("test", yield* decode({ limits: { copies: 1 } })).pipe(
        Stream.tap(({ _tag }) => {
          if (_tag !== "ArtifactDone" || isRevoked) return Effect.void
          isRevoked = true
          return revoke
        }),
        Stream.runDrain,
        Effect.provide(services)
      )
      assert.isTrue(isRevoked)
      assert.isTrue((yield* report).every(({ state }) => state === "verified"))
      assert.lengthOf(yield* report, 12)
    }).pipe(Effect.scoped)
  )

  it.live("finds no change twice once the source is frozen, and writes nothing", () =>
    Effect.gen(function* () {
      const { run, seed, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["api"] })
      yield* run()
      yield* target.clearJournal
      for (const _ of [1, 2]) {
        const planned = (yield* run()).flatMap((event) => (event._tag === "Planned" ? [event.artifacts] : []))
        assert.deepEqual(planned, [0])
      }
      const writes = (yield* target.journal).filter(
        ({ method, path }) => path.startsWith("/v2/") && method !== "GET" && method !== "HEAD"
      )
      assert.deepEqual(writes, [])
    }).pipe(Effect.scoped)
  )

  it.live("reports the type that the target refuses, and goes on", () =>
    Effect.gen(function* () {
      const { report, run, seed, target } = yield* makeWorld()
      yield* seed(
        { repository: "shop/chart", tags: ["1.0"], layers: ["chart"] },
        { repository: "shop/web", tags: ["1.0"], layers: ["web"] }
      )
      yield* target.inject({
        method: "PUT",
        path: "/v2/shop/chart/manifests/",
        times: "always",
        consequence: { _tag: "Answer", status: 400, body: error("MANIFEST_INVALID") }
      })
      yield* run()
      assert.deepEqual(
        (yield* report).map(({ class: kind, source, state }) => [source, state, kind]),
        [
          ["shop/chart", "refused", "refused"],
          ["shop/web", "verified", undefined]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live("copies a repository whose name collided, once the source has deleted the other one", () =>
    Effect.gen(function* () {
      const { route, run, seed, services, source, status, target } = yield* makeWorld()
      yield* seed(
        { repository: "old/api", tags: ["1.0"], layers: ["old"] },
        { repository: "shop/api", tags: ["1.0"], layers: ["api"] }
      )
      const routes = [{ ...route, rename: [{ prefix: "old/", replaceBy: "shop/" }] }]
      yield* run({ routes })
      assert.lengthOf((yield* status).problems, 2)
      const remove = Effect.flatMap(Registries.open(`${source.loginServer}/old/api`), ({ registry }) =>
        registry.deleteRepository("old/api")
      )
      yield* Effect.provide(remove, services)
      yield* run({ routes })
      assert.isTrue(MigrationReport.isComplete(yield* status))
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
    }).pipe(Effect.scoped)
  )

  it.live("takes referrers of referrers along, from the API to tags of digests and back", () =>
    Effect.gen(function* () {
      const { route, run, seed, services, source, target } = yield* makeWorld({ target: { referrers: { api: false } } })
      const [root] = yield* seed({
        repository: "shop/api",
        tags: ["1.0"],
        layers: ["api"],
        referrers: [{ artifactType: "application/spdx+json", referrers: [{ artifactType: "application/vnd.note" }] }]
      })
      const rename = [{ prefix: "", replaceBy: "copy/" }]
      yield* run()
      yield* run({ routes: [{ from: route.to, to: route.from, rename }] }, "back")
      const listedIn = (registry: typeof source, repository: string) =>
        Effect.provide(
          Effect.gen(function* () {
            const { content } = yield* Registries.open(`${registry.loginServer}/${repository}`)
            const of = (digest: string) => Stream.runCollect(content.referrers(repository, digest))
            const [sbom] = yield* of(root ?? "")
            return [sbom, ...(yield* of(sbom?.digest ?? ""))].map((found) => String(found?.artifactType))
          }),
          services
        )
      assert.deepEqual(yield* listedIn(target, "shop/api"), ["application/spdx+json", "application/vnd.note"])
      assert.deepEqual(yield* listedIn(source, "copy/shop/api"), ["application/spdx+json", "application/vnd.note"])
    }).pipe(Effect.scoped)
  )

  it.live("keeps the target's list of referrers where the source has an image under its tag, and says so", () =>
    Effect.gen(function* () {
      const { report, run, seed, services, status, target } = yield* makeWorld({
        target: { referrers: { api: false } }
      })
      const image = { repository: "shop/api", layers: ["api"] }
      const [digest = ""] = yield* seed({ ...image, tags: ["1.0"] })
      // cosign gives a copy the tag of its own digest.
      yield* seed({
        ...image,
        tags: [digest.replace(":", "-")],
        referrers: [{ artifactType: "application/spdx+json" }]
      })
      const listed = Effect.provide(
        Effect.flatMap(Registries.open(`${target.loginServer}/shop/api`), ({ content }) =>
          Stream.runCollect(content.referrers("shop/api", digest))
        ),
        services
      )
      for (const _ of ["the first call", "another call"]) {
        yield* run()
        assert.lengthOf(yield* listed, 1)
        assert.include(yield* tagsOf(target), `shop/api:1.0 ${digest}`)
        assert.isFalse(MigrationReport.isComplete(yield* status))
        assert.deepEqual(
          (yield* report).map((one) => [one.state, one.class, one.detail?.includes("lists of referrers")]),
          [["failed", "exists", true]]
        )
      }
    }).pipe(Effect.scoped)
  )

  it.live("takes referrers of referrers along that only the list of manifests shows", () =>
    Effect.gen(function* () {
      const { report, run, seed, source, target } = yield* makeWorld({ source: { referrers: { api: false } } })
      const note = { artifactType: "application/vnd.note" }
      yield* seed(
        ...["1.0", "1.1", "1.2", "1.3"].map((tag) => ({
          repository: "shop/api",
          tags: [tag],
          layers: [tag],
          referrers: [{ artifactType: "application/spdx+json", referrers: [{ ...note, referrers: [note] }] }]
        }))
      )
      const digestsIn = ({ contents }: typeof source) =>
        Effect.map(contents("shop/api"), (found) =>
          Option.getOrThrow(found)
            .manifests.map(({ digest }) => digest)
            .toSorted()
        )
      yield* run()
      assert.deepEqual(yield* digestsIn(target), yield* digestsIn(source))
      assert.deepEqual(
        (yield* report).filter(({ state }) => state === "skipped"),
        []
      )
    }).pipe(Effect.scoped)
  )

  it.live("makes lists of referrers anew: folders have their own, and a registry keeps what only it has", () =>
    Effect.gen(function* () {
      const { folder, route, run, seed, services, target } = yield* makeWorld({
        target: { referrers: { api: false } }
      })
      const image = { tags: ["1.0"], layers: ["api"] }
      const [subject] = yield* seed(
        { ...image, repository: "shop/api", referrers: [{ artifactType: "application/spdx+json" }] },
        { ...image, repository: "shop/signed", referrers: [{ artifactType: "application/vnd.note" }] }
      )
      const move = (from: unknown, name: string, replaceBy: string, named: string) =>
        run(
          { routes: [{ from, to: route.to, repositories: { names: [name] }, rename: [{ prefix: name, replaceBy }] }] },
          named
        )
      yield* move(route.from, "shop/api", "shop/api", "out")
      for (const kind of ["layouts", "archives"]) {
        if (kind === "archives") yield* withoutLists(target)
        yield* run({ routes: [{ from: route.to, to: { [kind]: join(folder, kind) } }] }, kind)
        assert.isTrue(MigrationReport.isComplete(yield* Effect.provide(Migration.status(kind), services)))
      }
      assert.isTrue(existsSync(join(folder, "archives", "shop", "api.tar")))
      const copy = move(route.to, "shop/api", "copy", "copy")
      yield* copy
      yield* move(route.from, "shop/signed", "copy", "signed")
      const events = yield* copy
      assert.deepEqual(
        events.flatMap((event) => (event._tag === "Listed" ? event.extraTags : [])),
        []
      )
      const referrers = yield* Registries.open(`${target.loginServer}/copy`).pipe(
        Effect.flatMap(({ content }) => Stream.runCollect(content.referrers("copy", subject ?? ""))),
        Effect.provide(services)
      )
      assert.sameMembers(
        referrers.map(({ artifactType }) => String(artifactType)),
        ["application/spdx+json", "application/vnd.note"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("copies an index whose tag looks like that of a list of referrers, if there is no subject", () =>
    Effect.gen(function* () {
      const { run, seed, source, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["api"] })
      yield* seed({
        repository: "shop/api",
        tags: [`sha256-${"a".repeat(64)}`],
        platforms: ["linux/amd64", "linux/s390x"]
      })
      yield* seed({
        repository: "shop/web",
        tags: [`sha256-${"b".repeat(64)}`],
        platforms: ["linux/amd64", "linux/s390x"]
      })
      yield* run()
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
      yield* withoutLists(source)
      yield* seed({
        repository: "shop/web",
        tags: [`sha256-${"c".repeat(64)}`],
        platforms: ["linux/arm64", "linux/s390x"]
      })
      yield* run({}, "plain")
      assert.deepEqual(yield* tagsOf(target), yield* tagsOf(source))
    }).pipe(Effect.scoped)
  )

  it.live(
    "leaves out the tag of a list of referrers where another tag of the index looks like one, and has no subject",
    () =>
      Effect.gen(function* () {
        const { run, seed, source, target } = yield* makeWorld()
        const [digest = ""] = yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["api"] })
        const list = digest.replace(":", "-")
        // Empty lists are equal.
        yield* seed({
          repository: "shop/api",
          tags: [list, `sha256-${"a".repeat(64)}`],
          platforms: ["linux/amd64", "linux/arm64"]
        })
        const wanted = (yield* tagsOf(source)).filter((tag) => !tag.includes(`:${list} `))
        yield* run()
        assert.deepEqual(yield* tagsOf(target), wanted)
        yield* withoutLists(source)
        yield* run({}, "plain")
        assert.deepEqual(yield* tagsOf(target), wanted)
      }).pipe(Effect.scoped)
  )

  it.live("keeps an index as it is where the rules want some platforms of it and the target takes that", () =>
    Effect.gen(function* () {
      const { folder, report, route, run, seed } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], platforms: ["linux/amd64", "linux/arm64"] })
      yield* run({
        routes: [{ from: route.from, to: { layouts: join(folder, "layouts") } }],
        platforms: ["linux/amd64"],
        index: "sparse"
      })
      const [outcome] = (yield* report).filter(({ tags }) => tags.length > 0)
      assert.strictEqual(outcome?.state, "verified")
      assert.strictEqual(outcome?.targetDigest ?? outcome?.digest, outcome?.digest)
    }).pipe(Effect.scoped)
  )

  it.live("counts layers apart that may not be distributed", () =>
    Effect.gen(function* () {
      const { folder, report, route, run, seed } = yield* makeWorld()
      const mediaType = MediaType.MediaType.make("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip")
      yield* seed({ repository: "shop/windows", tags: ["1.0"], layers: [{ content: "base", mediaType }, "own"] })
      yield* run({ routes: [{ from: route.from, to: { layouts: join(folder, "layouts") } }] })
      const [outcome] = yield* report
      assert.strictEqual(outcome?.state, "verified")
      assert.strictEqual(outcome?.class, "foreign")
      assert.include(outcome?.detail, "1 layer")
    }).pipe(Effect.scoped)
  )
})
