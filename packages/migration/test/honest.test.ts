/**
 * What must not look like success.
 */
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Registries from "@effect-acr/client/Registries"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as Migration from "../src/Migration.ts"
import * as MigrationReport from "../src/MigrationReport.ts"
import { makeWorld, tagsOf, withoutLists } from "./support/world.ts"

describe("a run", () => {
  it.live("is not complete where the target confirms manifests and does not have them", () =>
    Effect.gen(function* () {
      const { report, run, seed, status, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      const fault = yield* target.inject({
        method: "PUT",
        path: "/v2/shop/api/manifests/",
        times: "always",
        consequence: { _tag: "Answer", status: 201 }
      })
      yield* run()
      const lost = yield* status
      assert.isFalse(MigrationReport.isComplete(lost), JSON.stringify(lost.totals))
      assert.strictEqual(lost.phase, "done")
      assert.deepEqual(
        (yield* report).map(({ state, tags }) => [state, tags]),
        [["planned", ["1.0"]]]
      )
      yield* target.removeFault(fault)
      yield* run()
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("is not complete where a tag of the target names something else, and the rules say that it must not", () =>
    Effect.gen(function* () {
      const { report, run, seed, status, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["ours"] })
      yield* target.seed({ repository: "shop/api", tags: ["1.0"], layers: ["theirs"] })
      const before = yield* tagsOf(target)
      yield* run({ onTag: "fail" })
      assert.deepEqual(yield* tagsOf(target), before)
      assert.isFalse(MigrationReport.isComplete(yield* status))
      const [outcome] = yield* report
      assert.deepInclude(outcome, { state: "failed", class: "exists" })
    }).pipe(Effect.scoped)
  )

  it.live("looks once more where the rules keep the tags of the target, and says which were kept", () =>
    Effect.gen(function* () {
      const { report, run, seed, status, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["ours"] })
      yield* target.seed({ repository: "shop/api", tags: ["1.0"], layers: ["theirs"] })
      const before = yield* tagsOf(target)
      yield* run({ onTag: "keep" })
      assert.deepEqual(yield* tagsOf(target), before)
      assert.deepInclude(yield* status, { pass: 2 })
      assert.deepInclude((yield* report)[0], { state: "skipped", class: "exists" })
    }).pipe(Effect.scoped)
  )

  it.live("says which tags were kept also where the target has the artifact, or lists no manifests", () =>
    Effect.gen(function* () {
      const { folder, route, run, seed, services, target } = yield* makeWorld()
      const image = { repository: "shop/api", tags: ["1.0", "latest"], layers: ["ours"], onTag: "overwrite" } as const
      const outcomeOf = (name: string) =>
        Effect.provide(
          Effect.map(Stream.runCollect(Migration.report(name)), (all) => all.find(({ tags }) => tags.length > 0)),
          services
        )
      yield* seed({ ...image, layers: ["theirs"] })
      const layouts = { layouts: join(folder, "layouts") }
      yield* run({ routes: [{ from: route.from, to: layouts }] }, "before")
      yield* target.seed({ ...image, layers: ["theirs"] })
      yield* target.seed({ ...image, tags: ["1.0"] })
      yield* seed(image)
      yield* run({ onTag: "keep" })
      assert.deepInclude(yield* outcomeOf("test"), {
        state: "present",
        class: "exists",
        detail: "the target keeps its own latest"
      })
      yield* run({ onTag: "keep", routes: [{ from: route.from, to: layouts }] }, "again")
      assert.deepInclude(yield* outcomeOf("again"), { state: "skipped", class: "exists" })
    }).pipe(Effect.scoped)
  )

  it.live("is not complete where the lists of the source have tags that cannot be read, and copies the others", () =>
    Effect.gen(function* () {
      const { report, run, seed, source, status } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] }, { repository: "shop/web", tags: ["1.0"] })
      const record = { createdTime: "2026-01-01T00:00:00Z", lastUpdateTime: "2026-01-01T00:00:00Z", signed: false }
      const [one] = yield* Stream.runCollect(
        Effect.map(source.contents("shop/api"), (found) => Option.getOrThrow(found).tags).pipe(
          Stream.fromIterableEffect
        )
      )
      const changeableAttributes = { deleteEnabled: true, writeEnabled: true, readEnabled: true, listEnabled: true }
      const tags = ["1.0", "-not a tag-"].map((name) => ({
        name,
        digest: one?.digest,
        ...record,
        changeableAttributes
      }))
      yield* source.inject({
        path: "/acr/v1/shop%2Fapi/_tags",
        times: "always",
        consequence: {
          _tag: "Answer",
          status: 200,
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ registry: source.loginServer, imageName: "shop/api", tags })
        }
      })
      yield* run()
      const summary = yield* status
      assert.isFalse(MigrationReport.isComplete(summary))
      assert.deepEqual(
        summary.problems.map(({ detail, problem, source: name }) => [name, problem, detail]),
        [["shop/api", "leftOut", "1 record of its lists cannot be read, and is not copied"]]
      )
      assert.deepEqual(
        (yield* report).map(({ source: name, state, tags: names }) => [name, state, names]),
        [
          ["shop/api", "verified", ["1.0"]],
          ["shop/web", "verified", ["1.0"]]
        ]
      )
    }).pipe(Effect.scoped)
  )

  it.live(
    "with an invalid tag and without digests counts it once, and so does a layout with an entry that cannot be read",
    () =>
      Effect.gen(function* () {
        const { decode, folder, route, run, seed, services, source, status } = yield* makeWorld()
        yield* withoutLists(source)
        yield* seed({ repository: "shop/api", tags: ["1.0"] })
        const id = yield* source.inject({
          path: "/v2/shop/api/tags/list",
          times: "always",
          consequence: {
            _tag: "Answer",
            status: 200,
            headers: { "content-type": "application/json" },
            body: '{"name":"shop/api","tags":["1.0","-not a tag-"]}'
          }
        })
        const details = Effect.map(status, ({ problems }) => problems.map(({ detail }) => detail))
        yield* run()
        assert.deepEqual(yield* details, ["1 record of its lists cannot be read, and is not copied"])
        yield* source.removeFault(id)
        const layouts = join(folder, "layouts")
        yield* run({ routes: [{ from: route.from, to: { layouts } }] }, "out")
        const index = join(layouts, "shop", "api", "index.json")
        writeFileSync(index, readFileSync(index, "utf8").replace('"manifests":[', '"manifests":[{"digest":"none"},'))
        const plan = yield* Effect.flatMap(
          decode({ routes: [{ from: { layouts }, to: route.to }] }),
          Migration.plan
        ).pipe(Effect.provide(services))
        assert.deepEqual(
          plan.problems.map(({ detail }) => detail),
          ["1 record of its lists cannot be read, and is not copied"]
        )
      }).pipe(Effect.scoped)
  )

  for (const kind of ["layouts", "archives"]) {
    it.live(`is not complete where a folder of ${kind} has a link that leads nowhere, and copies the others`, () =>
      Effect.gen(function* () {
        const { folder, route, run, seed, status } = yield* makeWorld()
        yield* seed({ repository: "shop/api", tags: ["1.0"] })
        const place = { [kind]: join(folder, kind) }
        yield* run({ routes: [{ from: route.from, to: place }] }, "out")
        symlinkSync(join(folder, "nothing"), join(folder, kind, "link"))
        yield* run({ routes: [{ from: place, to: route.to }] })
        const summary = yield* status
        assert.isFalse(MigrationReport.isComplete(summary))
        assert.deepEqual(
          summary.problems.map(({ problem, source }) => [source, problem]),
          [["*", "leftOut"]]
        )
        assert.deepInclude(summary.totals[0], { state: "verified", count: 1 })
      }).pipe(Effect.scoped)
    )
  }

  it.live("is not complete where a layout has lost its index or its version", () =>
    Effect.gen(function* () {
      const { folder, route, run, seed, status } = yield* makeWorld()
      yield* Effect.forEach(["base", "shop/api", "shop/web"], (repository) => seed({ repository, tags: ["1.0"] }))
      const place = { layouts: join(folder, "layouts") }
      yield* run({ routes: [{ from: route.from, to: place }] }, "out")
      rmSync(join(folder, "layouts", "shop", "api", "index.json"))
      rmSync(join(folder, "layouts", "shop", "web", "oci-layout"))
      yield* run({ routes: [{ from: place, to: route.to }] })
      const summary = yield* status
      assert.isFalse(MigrationReport.isComplete(summary))
      assert.deepEqual(
        summary.problems.map(({ problem, source }) => [source, problem]),
        [
          ["shop/api", "notListed"],
          ["shop/web", "notListed"]
        ]
      )
      assert.include(summary.problems[0]?.detail, "index.json is missing")
      assert.include(summary.problems[1]?.detail, "no file oci-layout")
      assert.deepInclude(summary.totals[0], { state: "verified", count: 1 })
    }).pipe(Effect.scoped)
  )

  it.live(
    "is not complete where the list of repositories has names that cannot be read, also if nothing is logged",
    () =>
      Effect.gen(function* () {
        const { run, seed, source, status } = yield* makeWorld()
        yield* seed({ repository: "shop/api", tags: ["1.0"] })
        const fault = yield* source.inject({
          path: /_catalog/,
          times: "always",
          consequence: {
            _tag: "Answer",
            status: 200,
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ repositories: ["NOT A NAME", "shop/api"] })
          }
        })
        yield* Effect.provideService(run(), References.MinimumLogLevel, "None")
        const summary = yield* status
        assert.isFalse(MigrationReport.isComplete(summary))
        assert.deepEqual(
          summary.problems.map(({ detail, problem, source: name }) => [name, problem, detail]),
          [["*", "leftOut", "1 record of the list of repositories cannot be read, and is not copied"]]
        )
        assert.deepInclude(summary.totals[0], { state: "verified", count: 1 })
        yield* source.removeFault(fault)
        yield* run()
        assert.isTrue(MigrationReport.isComplete(yield* status))
      }).pipe(Effect.scoped)
  )

  it.live("copies a repository that only the lists of Azure Container Registry lack", () =>
    Effect.gen(function* () {
      const { report, run, seed, source } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      // Another registry may answer its unknown paths like this.
      yield* source.inject({
        path: "/acr/v1/shop",
        times: "always",
        consequence: { _tag: "Answer", status: 404, body: '{"errors":[{"code":"NAME_UNKNOWN","message":"unknown"}]}' }
      })
      yield* run()
      assert.deepEqual(
        (yield* report).map(({ state, tags }) => [state, tags]),
        [["verified", ["1.0"]]]
      )
    }).pipe(Effect.scoped)
  )

  it.live("is not complete where a list of referrers has records that cannot be read, until they can be", () =>
    Effect.gen(function* () {
      const { report, run, seed, source, status, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], referrers: [{ artifactType: "application/spdx+json" }] })
      const manifestsOf = (registry: typeof source) =>
        Effect.map(registry.contents("shop/api"), (found) => Option.getOrThrow(found).manifests)
      const manifests = yield* manifestsOf(source)
      const image = manifests.find(({ tags }) => tags.length > 0)
      const referrer = manifests.find(({ tags }) => tags.length === 0)
      const records = [referrer, { ...referrer, digest: "not a digest" }].map((record) => ({
        mediaType: MediaType.ociImageManifest,
        digest: record?.digest,
        size: record?.size,
        artifactType: "application/spdx+json"
      }))
      const fault = yield* source.inject({
        path: `/v2/shop/api/referrers/${image?.digest}`,
        times: "always",
        consequence: {
          _tag: "Answer",
          status: 200,
          headers: { "content-type": MediaType.ociImageIndex },
          body: JSON.stringify({ schemaVersion: 2, mediaType: MediaType.ociImageIndex, manifests: records })
        }
      })
      const detail = "1 record of the lists of its referrers cannot be read, and is not copied"
      for (let call = 0; call < 2; call++) {
        yield* run()
        assert.isFalse(MigrationReport.isComplete(yield* status))
        assert.deepInclude((yield* report)[0], { tags: ["1.0"], state: "failed", class: "leftOut", detail })
        assert.lengthOf(yield* manifestsOf(target), 2)
      }
      yield* source.removeFault(fault)
      yield* run()
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )
})

/** Asserts that rules for one more route select nothing by it, and that nothing is copied. */
const assertNothing = (rules: Record<string, unknown>, message: string) =>
  Effect.gen(function* () {
    const { decode, route, run, seed, services, status, target } = yield* makeWorld()
    yield* seed({ repository: "shop/api", tags: ["1.0"] }, { repository: "base", tags: ["1.0"] })
    const routes = [
      { ...route, repositories: { include: ["base"] } },
      { ...route, ...rules }
    ]
    for (const problem of [
      yield* Effect.flip(Effect.provide(Effect.flatMap(decode({ routes }), Migration.plan), services)),
      yield* Effect.flip(run({ routes }))
    ]) {
      assert.deepInclude(problem, { _tag: "MigrationError", problem: "NothingSelected" })
      assert.include(problem.message, message)
    }
    assert.deepEqual(yield* target.repositories, [])
    assert.propertyVal(yield* Effect.flip(status), "problem", "UnknownRun")
    // The name is free for rules that are right.
    yield* run()
    assert.isTrue(MigrationReport.isComplete(yield* status))
    assert.lengthOf(yield* target.repositories, 2)
  }).pipe(Effect.scoped)

describe("rules that select nothing", () => {
  it.live("say so where a glob matches none of the repositories", () =>
    assertNothing(
      { repositories: { include: ["shpo/**"] } },
      "routes[1].repositories matches none of the 2 repositories of"
    )
  )

  it.live("say so where one of several globs matches no repository", () =>
    assertNothing(
      { repositories: { include: ["shop/**", "biling/**"] } },
      "routes[1].repositories.include[1] matches none of the 2 repositories of 127.0.0.1"
    )
  )

  it.live("say so where a glob matches no tag", () =>
    assertNothing(
      { repositories: { include: ["shop/**"] }, tags: { include: ["v*"] } },
      "routes[1].tags matches no tag of the repositories of"
    )
  )

  it.live("say so where a prefix of rename is misspelt, or comes after one that already matches", () =>
    Effect.gen(function* () {
      const misspelt = [{ prefix: "shpo/", replaceBy: "store/" }]
      yield* assertNothing(
        { rename: misspelt },
        'routes[1].rename[0] renames no repository of the route: none begins with "shpo/"'
      )
      const late = [
        { prefix: "", replaceBy: "old/" },
        { prefix: "shop/", replaceBy: "store/" }
      ]
      yield* assertNothing(
        { repositories: { names: ["shop/api"] }, rename: late },
        'routes[1].rename[1] renames no repository of the route: an entry before it matches all that begin with "shop/"'
      )
    })
  )

  it.live("continue once the repositories are gone that a prefix of rename or a glob matched", () =>
    Effect.gen(function* () {
      const { route, run, seed, services, source, status } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] }, { repository: "base", tags: ["1.0"] })
      const repositories = { include: ["shop/*", "base"] }
      const routes = [{ ...route, repositories, rename: [{ prefix: "shop/", replaceBy: "store/" }] }]
      yield* run({ routes })
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${source.loginServer}/shop/api`), ({ registry }) =>
          registry.deleteRepository("shop/api")
        ),
        services
      )
      yield* run({ routes })
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("continue once the only repository of a route is gone, which another one left no name for", () =>
    Effect.gen(function* () {
      const { report, route, run, seed, services, source, status } = yield* makeWorld()
      yield* seed(...["shop/api", "shop/web", "old/api"].map((repository) => ({ repository, tags: ["1.0"] })))
      const rename = [{ prefix: "old/", replaceBy: "shop/" }]
      const routes = [
        { ...route, repositories: { include: ["shop/*"] } },
        { ...route, repositories: { include: ["old/*"] }, rename }
      ]
      yield* run({ routes })
      assert.isFalse(MigrationReport.isComplete(yield* status))
      yield* Effect.provide(
        Effect.flatMap(Registries.open(`${source.loginServer}/old/api`), ({ registry }) =>
          registry.deleteRepository("old/api")
        ),
        services
      )
      for (const _ of [1, 2]) yield* run({ routes })
      assert.isTrue(MigrationReport.isComplete(yield* status))
      assert.sameMembers(
        (yield* report).map((artifact) => artifact.source),
        ["shop/api", "shop/web"]
      )
    }).pipe(Effect.scoped)
  )

  it.live("say so where a registry lists no repository", () =>
    Effect.gen(function* () {
      const { run, source } = yield* makeWorld()
      assert.include((yield* Effect.flip(run())).message, `${source.loginServer} lists no repositories`)
    }).pipe(Effect.scoped)
  )

  it.live("leave a run incomplete where they name a repository that is not there", () =>
    Effect.gen(function* () {
      const { folder, route, run, seed, status } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      const layouts = { layouts: join(folder, "layouts") }
      yield* run({ routes: [{ ...route, to: layouts }] }, "out")
      const repositories = { names: ["shop/api", "shop/apii"] }
      yield* run({
        routes: [
          { ...route, repositories },
          { from: layouts, to: route.to, repositories, rename: [{ prefix: "", replaceBy: "layouts/" }] }
        ]
      })
      const summary = yield* status
      assert.deepEqual(
        summary.problems.map(({ problem, route: number, source }) => [number, source, problem]),
        [
          [0, "shop/apii", "notListed"],
          [1, "shop/apii", "notListed"]
        ]
      )
      assert.isFalse(MigrationReport.isComplete(summary))
    }).pipe(Effect.scoped)
  )
})

describe("a login that is refused", () => {
  const denial = {
    _tag: "Answer",
    status: 401,
    body: '{"errors":[{"code":"UNAUTHORIZED","message":"injected"}]}'
  } as const

  it.live(
    "stops the run where the target lists nothing to it, and leaves one repository out where it lists others",
    () =>
      Effect.gen(function* () {
        const { run, seed, status, target } = yield* makeWorld()
        yield* seed({ repository: "shop/api", tags: ["1.0"] }, { repository: "shop/web", tags: ["1.0"] })
        const all = yield* target.inject({ path: "/acr/v1/", times: "always", consequence: denial })
        const refused = yield* Effect.flip(run())
        const deniedBy = { side: "target" as const, registry: target.loginServer }
        assert.deepInclude(refused, { _tag: "MigrationError", problem: "Denied", deniedBy })
        assert.include(refused.message, `the target ${target.loginServer} refuses the login: `)
        yield* target.removeFault(all)
        yield* target.inject({ path: "/acr/v1/shop%2Fweb/", times: "always", consequence: denial })
        const events = yield* run()
        const summary = yield* status
        assert.deepEqual(
          summary.problems.map(({ problem, source }) => [source, problem]),
          [["shop/web", "targetNotListed"]]
        )
        assert.isFalse(events.some((event) => event._tag === "Listed" && event.source === "shop/web"))
        assert.deepInclude(summary.totals[0], { state: "verified", count: 1 })
      }).pipe(Effect.scoped)
  )
})

describe("a route inside one registry", () => {
  it.live("does not copy its own copies", () =>
    Effect.gen(function* () {
      const { route, run, seed, services, source, status } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      const rename = [{ prefix: "", replaceBy: "backup/" }]
      const routes = [{ from: route.from, to: route.from, rename }]
      const names = Effect.map(source.repositories, (found) => found.map(({ name }) => name).toSorted())
      yield* run({ routes })
      assert.deepEqual(yield* names, ["backup/shop/api", "shop/api"])
      assert.isTrue(MigrationReport.isComplete(yield* status))
      // Another run does not know what the first one made.
      yield* run({ routes }, "other")
      assert.deepEqual(yield* names, ["backup/shop/api", "shop/api"])
      // What no listed name explains is a copy of this run all the same.
      const remove = Effect.flatMap(Registries.open(`${source.loginServer}/shop/api`), ({ registry }) =>
        registry.deleteRepository("shop/api")
      )
      yield* Effect.provide(remove, services)
      yield* run({ routes })
      assert.deepEqual(yield* names, ["backup/shop/api"])
    }).pipe(Effect.scoped)
  )

  it.live("goes on once a repository is gone that would have got the name of a copy", () =>
    Effect.gen(function* () {
      const { route, run, seed, services, source, status } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] }, { repository: "store/web", tags: ["1.0"] })
      const rename = ["shop/", "store/"].map((prefix) => ({ prefix, replaceBy: "all/" }))
      const routes = [{ from: route.from, to: route.from, rename }]
      yield* run({ routes })
      yield* seed({ repository: "store/api", tags: ["2.0"] }, { repository: "shop/web2", tags: ["1.0"] })
      yield* run({ routes })
      assert.deepEqual(
        (yield* status).problems.map(({ source: name }) => name),
        ["shop/api", "store/api"]
      )
      const remove = Effect.flatMap(Registries.open(`${source.loginServer}/store/api`), ({ registry }) =>
        registry.deleteRepository("store/api")
      )
      yield* Effect.provide(remove, services)
      yield* run({ routes })
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  for (const [what, shape] of [
    [
      "another one that it moves",
      [
        { prefix: "shop/", replaceBy: "store/" },
        { prefix: "store/", replaceBy: "old/" }
      ]
    ],
    [
      "each other",
      [
        { prefix: "shop/", replaceBy: "store/" },
        { prefix: "store/", replaceBy: "shop/" }
      ]
    ]
  ] as const) {
    it.live(`does not overwrite repositories with ${what}`, () =>
      Effect.gen(function* () {
        const { route, run, seed, source, status } = yield* makeWorld()
        yield* seed(
          { repository: "shop/api", tags: ["1.0"], layers: ["of the shop"] },
          { repository: "store/api", tags: ["1.0"], layers: ["of the store"] },
          // The run has a second pass.
          { repository: "shop/web", tags: ["1.0"] }
        )
        const tags = Effect.map(
          source.contents("store/api"),
          Option.map(({ tags: found }) => found)
        )
        const before = yield* tags
        const routes = [{ from: route.from, to: route.from, rename: shape }]
        yield* run({ routes })
        yield* run({ routes })
        assert.deepEqual(yield* tags, before)
        const summary = yield* status
        assert.isFalse(MigrationReport.isComplete(summary))
        assert.deepEqual(
          summary.problems.map(({ problem, source: name }) => [name, problem]),
          [
            ["shop/api", "collision"],
            ["store/api", "collision"]
          ]
        )
        assert.include(yield* Effect.map(source.repositories, (found) => found.map(({ name }) => name)), "store/web")
      }).pipe(Effect.scoped)
    )
  }
})
