/**
 * Rules as data: what they say, and what they refuse.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { nameProblems, type Named } from "../src/internal/names.ts"
import * as MigrationRules from "../src/MigrationRules.ts"
import { makeWorld } from "./support/world.ts"

const route = { from: { registry: "old.azurecr.io" }, to: { registry: "new.azurecr.io" } }

const messageOf = (rules: unknown) =>
  Effect.map(Effect.flip(MigrationRules.parse(JSON.stringify(rules))), ({ message }) => message)

describe("rules", () => {
  it.effect("leave at least one request a minute to a small share of a limit", () =>
    Effect.gen(function* () {
      const limits = { registries: { "new.azurecr.io": { write: 5 } }, share: 0.1 }
      const rules = yield* MigrationRules.parse(JSON.stringify({ routes: [route], limits }))
      assert.deepEqual(MigrationRules.rateLimits(rules, "new.azurecr.io"), { write: 1 })
    })
  )

  it("rename by the first prefix that a name begins with", () => {
    const rename = [
      { prefix: "shop/api/", replaceBy: "store/" },
      { prefix: "shop/", replaceBy: "old/" },
      { prefix: "", replaceBy: "rest/" }
    ]
    const names = ["shop/api/web", "shop/web", "web"].map((name) => MigrationRules.targetName({ rename }, name))
    assert.deepEqual(names, ["store/web", "old/web", "rest/web"])
  })

  it.effect("are read from JSON and written to it", () =>
    Effect.gen(function* () {
      const text = {
        routes: [
          {
            ...route,
            repositories: { include: ["shop/**"], exclude: ["shop/scratch/**"] },
            tags: { exclude: ["pr-*"] },
            rename: [{ prefix: "shop/", replaceBy: "store/" }]
          },
          { from: { layouts: "backup" }, to: { registry: "new.azurecr.io" }, repositories: { names: ["tools/lint"] } }
        ],
        platforms: ["linux/amd64"],
        onTag: "keep",
        limits: { registries: { "old.azurecr.io": "acrStandard", "new.azurecr.io": { write: 100 } }, share: 0.5 }
      }
      const rules = yield* MigrationRules.parse(JSON.stringify(text))
      assert.deepEqual<unknown>(rules, text)
      assert.strictEqual(MigrationRules.targetName(rules.routes[0], "shop/api"), "store/api")
      assert.strictEqual(MigrationRules.targetName(rules.routes[0], "base"), "base")
      assert.deepEqual(MigrationRules.rateLimits(rules, "new.azurecr.io"), { write: 50 })
      assert.strictEqual(MigrationRules.rateLimits(rules, "old.azurecr.io").write, 500)
      assert.deepEqual(MigrationRules.rateLimits(rules, "other.azurecr.io"), {})
    })
  )

  it.effect("name the member that is wrong", () =>
    Effect.gen(function* () {
      assert.include(yield* messageOf({ routes: [{ ...route, repository: {} }] }), "routes[0].repository")
      assert.include(yield* messageOf({ routes: [{ ...route, tags: { include: ["v1["] } }] }), "tags.include[0]")
      assert.include(yield* messageOf({ routes: [route], platforms: ["linux"] }), "platforms[0]")
      assert.include(yield* messageOf({ routes: [{ ...route, tags: { exclude: ["!v1"] } }] }), "tags.exclude[0]")
      const sparse = { routes: [{ ...route, to: { archives: "backup" } }], platforms: ["linux/amd64"], index: "sparse" }
      assert.include(yield* messageOf(sparse), "routes[0].to: archives have no sparse indexes")
      assert.include(yield* messageOf({ routes: [route], limits: { share: 2 } }), "limits.share")
      assert.include(yield* messageOf({ routes: [] }), "routes")
      assert.include(yield* messageOf({ routes: [{ ...route, to: route.from }] }), "one place")
      const shouting = { registry: "OLD.azurecr.io" }
      assert.include(yield* messageOf({ routes: [{ ...route, to: shouting }] }), "one place")
      const same = { from: { archives: "all" }, to: { archives: "./all/" } }
      assert.include(yield* messageOf({ routes: [same] }), "one place")
      for (const layouts of ["all/new", "./all/new"]) {
        const inside = { from: { layouts: "all" }, to: { layouts } }
        assert.include(yield* messageOf({ routes: [inside] }), "inside the folder that is read")
      }
      const mistyped = { registries: { "odl.azurecr.io": "acrBasic" } }
      assert.include(yield* messageOf({ routes: [route], limits: mistyped }), "odl.azurecr.io")
      const free = yield* messageOf({ routes: [route], limits: { registries: { "old.azurecr.io": "acrFree" } } })
      assert.include(free, '"acrBasic", "acrStandard" or "acrPremium", or requests per minute such as {"read": 1000')
      const beside = yield* messageOf({ routes: [{ ...route, from: { ...route.from, x: 1 } }] })
      assert.isTrue(beside.endsWith(": routes[0].from.x: there is no such key; known are registry"), beside)
      const both = { include: ["shop/**"], exclude: [], names: ["shop/api"] }
      const combined = yield* messageOf({ routes: [{ ...route, repositories: both }] })
      assert.isTrue(
        combined.endsWith(": routes[0].repositories.names: this key cannot be combined with include, exclude"),
        combined
      )
    })
  )

  const texts: ReadonlyArray<readonly [text: string, says: string]> = [
    ["{", "they are not JSON: "],
    ["[1,", "they are not JSON: "],
    ['{ "routes": [\n    {},\n  ]\n}', "(line 3 column 3)"],
    ['{ "routes": [] }\n}', "(line 2 column 1)"],
    ['{ "routes": [\n// comment\n] }', "(line 2 column 1)"]
  ]
  for (const [text, says] of texts) {
    it.effect(`are refused as ${JSON.stringify(text)}, and the message says where`, () =>
      Effect.gen(function* () {
        const { message } = yield* Effect.flip(MigrationRules.parse(text))
        assert.include(message, says)
        assert.notInclude(message, "\n")
      })
    )
  }
})

describe("the rules of a run", () => {
  it.live("may spell out defaults and change what affects no copy, in any order", () =>
    Effect.gen(function* () {
      const { route: own, run, seed, status } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      yield* run()
      const defaults = { index: "rewrite", referrers: true, cosignTags: false, untagged: false, onTag: "overwrite" }
      const whole = { rename: [], tags: { include: [] }, repositories: {}, to: own.to, from: own.from }
      yield* run({ ...defaults, verify: { sample: 0 }, limits: { copies: 1 }, routes: [whole] })
      assert.strictEqual((yield* status).pass, 3)
      for (const other of [
        { onTag: "keep" },
        { untagged: true },
        { routes: [{ ...own, tags: { include: ["2.*"] } }] }
      ]) {
        assert.include((yield* Effect.flip(run(other))).message, "the run test has other rules")
      }
    }).pipe(Effect.scoped)
  )
})

describe("a registry in rules", () => {
  it.effect("is a name without a login, which would be written to the database, and is not repeated", () =>
    Effect.gen(function* () {
      for (const registry of ["user:S3CRET@old.azurecr.io", "https://old.azurecr.io", "old.azurecr.io/S3CRET", ""]) {
        const message = yield* messageOf({ routes: [{ ...route, from: { registry } }] })
        assert.include(message, "rules cannot be used: routes[0].from.registry: Expected a login server such as")
        assert.notInclude(message, "archives")
        assert.notInclude(message, "S3CRET")
      }
    })
  )
})

const named = (source: string, target: string, to: MigrationRules.Place = route.to): Named => ({
  route: 0,
  source,
  from: { registry: "elsewhere.azurecr.io" },
  target,
  to
})

/** The repositories that a place does not take beside the others. */
const refusedOf = (to: MigrationRules.Place, ...targets: ReadonlyArray<string>) =>
  [...nameProblems(targets.map((target) => named(target, target, to))).keys()].map((index) => targets[index])

describe("names at the target", () => {
  it("are refused where two sources would become one, also by case", () => {
    const problems = nameProblems([named("a/api", "api"), named("b/api", "api"), named("web", "web")])
    assert.deepEqual([...problems.keys()], [0, 1])
    assert.include(problems.get(0)?.detail, "b/api")
    const elsewhere = { layouts: "backup" }
    assert.strictEqual(nameProblems([named("api", "api"), named("api", "api", elsewhere)]).size, 0)
    assert.strictEqual(nameProblems([named("one", "Api", elsewhere), named("two", "api", elsewhere)]).size, 2)
  })

  it("are refused with the route of the other source, which may have the same name", () => {
    const problems = nameProblems([named("api", "api"), { ...named("api", "api"), route: 1 }])
    assert.deepEqual(
      Array.from(problems.values(), ({ detail }) => detail),
      ["api is the target of api of routes[1] as well", "api is the target of api of routes[0] as well"]
    )
  })

  it("are refused where a source that gets another name in the same registry would be overwritten", () => {
    const within = (source: string, target: string) => ({ ...named(source, target), from: route.to })
    const problems = nameProblems([within("x", "y"), within("y", "z"), within("other", "another")])
    assert.deepEqual(Array.from(problems), [
      [0, { problem: "collision", detail: "y would be overwritten, and is to become z" }],
      [1, { problem: "collision", detail: "y would be overwritten by x" }]
    ])
    assert.deepEqual([...nameProblems([within("x", "y"), within("y", "x")]).keys()], [0, 1])
    // Nothing is to become of `y` in the registry that would overwrite it.
    assert.strictEqual(nameProblems([within("x", "y"), named("y", "z")]).size, 0)
  })

  it("are refused where the files of another repository are", () => {
    const layouts = { layouts: "backup" }
    assert.deepEqual(refusedOf(layouts, "shop", "shop/api", "shop/blobs", "shop/api/index.json/x"), [
      "shop/blobs",
      "shop/api/index.json/x"
    ])
    assert.deepEqual(refusedOf(layouts, "shop/blobs", "blobs", "shop.tar/x", "shop"), ["shop/blobs"])
    const archives = { archives: "backup" }
    assert.deepEqual(refusedOf(archives, "shop", "shop/api", "shop.tar", "shop.tar/x", "other.tar/x"), ["shop.tar/x"])
    assert.deepEqual(refusedOf(archives, "a/".repeat(80) + "a"), ["a/".repeat(80) + "a"])
    assert.deepEqual(refusedOf(route.to, "shop", "shop/blobs", "shop.tar/x"), [])
  })

  it("are refused where a registry takes no such name", () => {
    const problems = nameProblems([named("x", "Shop/Api"), named("y", "a".repeat(250)), named("z", "ok")])
    assert.deepEqual(
      [...problems.values()].map(({ problem }) => problem),
      ["invalidName", "invalidName"]
    )
    assert.include(problems.get(0)?.detail, "lower case")
    assert.include(problems.get(1)?.detail, "255")
  })
})
