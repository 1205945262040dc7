/**
 * Repositories, registries and rules of a hostile or an odd kind, with which a retention must do no harm.
 */
import * as MediaType from "@effect-acr/client/MediaType"
import * as Manifest from "@effect-acr/client/Manifest"
import * as Referrer from "@effect-acr/client/Referrer"
import { Locked, RegistryError } from "@effect-acr/client/RegistryError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Retention from "../src/Retention.ts"
import { config, rawOf } from "./support/artifacts.ts"
import { image, index, planFor, referrer, rulesOf, signatureTag } from "./support/retention.ts"
import { deleting, holding, planOf, tagged, tagsThatGo } from "./support/retentionPlans.ts"

const app = image("app")
const { digest } = app.descriptor

const cannotBeRead = new RegistryError({
  operation: "manifest",
  reason: new Locked({ by: "lock", description: "in quarantine" })
})

describe("a manifest that no rule judges stays", () => {
  it.effect("if its only tag is made of its own digest, as tools that relocate images do", () =>
    Effect.gen(function* () {
      const pushes = [{ manifest: app, tags: [`${Referrer.tag(digest)}.imgpkg`], age: 10 }]
      assert.strictEqual((yield* planOf(pushes, [])).frees.manifests, 0)
      // It is a tag like others for rules.
      assert.strictEqual((yield* planOf(pushes, [{ tags: ["*.imgpkg"], action: "delete" }])).frees.manifests, 1)
    })
  )

  it.effect("if it is an index that has its subject as a child", () =>
    Effect.gen(function* () {
      const odd = index("odd", [app], app)
      const plan = yield* planOf(
        [
          { manifest: app, age: 10 },
          { manifest: odd, age: 10 },
          { manifest: index("list", [odd]), age: 10 }
        ],
        []
      )
      assert.strictEqual(plan.frees.manifests, 0)
    })
  )

  it.effect("if a tag attaches it to an image that it has as a child", () =>
    Effect.gen(function* () {
      const odd = index("odd", [app])
      const plan = yield* planOf(
        [
          { manifest: app, age: 10 },
          { manifest: odd, tags: [signatureTag(app)], age: 10 }
        ],
        []
      )
      assert.deepStrictEqual(plan.frees, { tags: 0, manifests: 0, atMostBytes: 0 })
    })
  )

  it.effect("if tags attach two images to each other", () =>
    Effect.gen(function* () {
      const other = image("other")
      const plan = yield* planOf(
        [
          { manifest: app, tags: [signatureTag(other)], age: 10 },
          { manifest: other, tags: [signatureTag(app)], age: 10 }
        ],
        []
      )
      assert.deepStrictEqual(plan.frees, { tags: 0, manifests: 0, atMostBytes: 0 })
    })
  )
})

describe("rules", () => {
  it.effect("make no plan for a repository that they are not for", () =>
    Effect.gen(function* () {
      const held = yield* holding(tagged({ v1: 10 }))
      const rules = yield* rulesOf([{ action: "delete" }], { repositories: ["**", "!app"] })
      const failure = yield* Effect.flip(planFor(held, rules))
      assert.propertyVal(failure, "problem", "OtherRepository")
    })
  )

  for (const glob of [
    "!(app|prod)",
    "!app,prod",
    "!^prod",
    "!prod$",
    "![prod",
    "!prod]",
    "!{prod,stable",
    "!prod}",
    "!prod ",
    "!v\\d"
  ]) {
    it.effect(`are refused for the glob ${glob}, which would exclude nothing`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(rulesOf([{ tags: [glob], action: "delete" }]))
        assert.strictEqual(exit._tag, "Failure")
      })
    )
  }

  for (const glob of ["{a,b{c,d}}*", "[!a-c]?", "[^x]*", "[[:digit:]]*", "[{,}]", "*"]) {
    it.effect(`may have the glob ${glob}`, () => Effect.asVoid(rulesOf([{ tags: [glob], action: "keep" }])))
  }
})

describe("an inventory", () => {
  it.effect("of which a manifest cannot be read that may refer to others: nothing that it may need goes", () =>
    Effect.gen(function* () {
      const sbom = referrer("sbom", app)
      const held = yield* holding([
        { manifest: app, tags: ["v1"], age: 10 },
        { manifest: sbom, tags: ["sbom"], age: 10 }
      ])
      held.before = ({ name, subject }) =>
        name === "manifest" && subject === sbom.descriptor.digest ? Effect.fail(cannotBeRead) : Effect.void
      const rules = yield* rulesOf([{ tags: ["v1"], action: "delete" }])
      yield* Retention.apply(held.target, yield* planFor(held, rules), rules)
      assert.deepStrictEqual(Array.from(held.tags().keys()), ["sbom"])
      assert.strictEqual(held.digests().size, 2)
    })
  )

  it.effect("has each tag and manifest once, though the pages of a list overlap", () =>
    Effect.gen(function* () {
      const held = yield* holding(tagged({ a: 10, b: 20, c: 30 }))
      const { listing, tags } = held.target
      if (listing._tag === "Tagged") return assert.fail("the registry lists manifests")
      const twice = <A, E>(list: Stream.Stream<A, E>) => Stream.flatMap(list, (one) => Stream.make(one, one))
      const target = { ...held.target, tags: twice(tags), listing: { ...listing, manifests: twice(listing.manifests) } }
      const plan = yield* planFor({ target }, yield* rulesOf([{ newest: { count: 3 }, action: "keep" }], deleting))
      assert.deepStrictEqual(tagsThatGo(plan), [])
      assert.strictEqual(plan.manifests.length, 3)
    })
  )

  it.effect("takes any size that a manifest states", () =>
    Effect.gen(function* () {
      const layers = [1, 2].map((less) => ({
        ...config,
        mediaType: MediaType.ociImageLayerGzip,
        size: Number.MAX_SAFE_INTEGER - less
      }))
      const huge = rawOf(MediaType.ociImageManifest, Manifest.format(Manifest.image({ config, layers })))
      const pushes = [
        { manifest: huge, tags: ["huge"], age: 10 },
        { manifest: app, tags: ["app"], age: 10 }
      ]
      const plan = yield* planOf(pushes, [{ action: "delete" }])
      assert.strictEqual(plan.frees.atMostBytes, Number.MAX_SAFE_INTEGER)
      assert.include(Retention.format(plan), "deletes 2 of 2 tags")
    })
  )
})
