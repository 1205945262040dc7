/**
 * Hostile and unusual repositories, registries and rules, with which a retention must do no harm.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import * as Digest from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Manifest from "@effect-acr/client/Manifest"
import * as Referrer from "@effect-acr/client/Referrer"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { Forbidden, Locked, RegistryError, Unavailable } from "@effect-acr/client/RegistryError"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import type { Fault } from "@effect-acr/emulator/Fault"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as Retention from "../src/Retention.ts"
import type { Plan } from "../src/RetentionPlan.ts"
import * as RetentionReport from "../src/RetentionReport.ts"
import type { ManifestState, RetentionTarget } from "../src/RetentionTarget.ts"
import { config, rawOf } from "./support/artifacts.ts"
import { image, index, planFor, referrer, rulesOf, signatureTag, type TestRegistry } from "./support/retention.ts"
import { deleting, holding, planOf, tagged, tagsThatGo, tagsThatStay } from "./support/retentionPlans.ts"

const app = image("app")
const { digest } = app.descriptor

const cannotBeRead = new RegistryError({
  operation: "manifest",
  reason: new Locked({ by: "lock", description: "in quarantine" })
})

const outage = (operation: string) =>
  new RegistryError({ operation, reason: new Unavailable({ description: `${operation} broke` }) })

/** The registry, as one that lists no manifests. */
const listingTagsAlone = ({ store, target }: TestRegistry): RetentionTarget => ({
  ...target,
  contents: Effect.succeedNone,
  listing: {
    _tag: "Tagged",
    referrers: (subject) => Stream.orDie(Stream.map(store.referrers(subject), (one) => one.digest))
  }
})

/** The target with other manifests in its list. */
const withManifests = (
  target: RetentionTarget,
  change: (list: Stream.Stream<ManifestState, RegistryError>) => Stream.Stream<ManifestState, RegistryError>
): RetentionTarget =>
  target.listing._tag === "Tagged"
    ? target
    : { ...target, listing: { ...target.listing, manifests: change(target.listing.manifests) } }

const twice = <A, E>(list: Stream.Stream<A, E>) => Stream.flatMap(list, (one) => Stream.make(one, one))

const refused = (held: TestRegistry, plan: Plan) =>
  Effect.gen(function* () {
    const failure = yield* Effect.flip(Retention.apply(held.target, plan, plan.rules))
    assert.propertyVal(failure, "problem", "InconsistentPlan")
    assert.strictEqual(held.tags().size, 3)
  })

const manifestsOf = ({ target: { listing } }: TestRegistry) =>
  listing._tag === "Tagged" ? Effect.succeed([]) : Stream.runCollect(listing.manifests)

describe("a manifest that no rule judges stays", () => {
  it.effect("if its only tag is made of its own digest, as tools that relocate images do", () =>
    Effect.gen(function* () {
      const pushes = [{ manifest: app, tags: [`${Referrer.tag(digest)}.imgpkg`], age: 10 }]
      assert.strictEqual((yield* planOf(pushes, [])).frees.manifests, 0)
      // For rules it is a tag like others.
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
  it.effect("make no plan for a repository that they do not cover", () =>
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
  it.effect("with an unreadable manifest that may refer to others keeps everything that it may need", () =>
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

  it.effect("has each tag and manifest once, even if the pages of a list overlap", () =>
    Effect.gen(function* () {
      const held = yield* holding(tagged({ a: 10, b: 20, c: 30 }))
      const target = withManifests({ ...held.target, tags: twice(held.target.tags) }, twice)
      const plan = yield* planFor({ target }, yield* rulesOf([{ newest: { count: 3 }, action: "keep" }], deleting))
      assert.deepStrictEqual(tagsThatGo(plan), [])
      assert.strictEqual(plan.manifests.length, 3)
    })
  )

  it.effect("accepts any size that a manifest states", () =>
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
      assert.include(Retention.format(plan), "would delete 2 of 2 tags")
    })
  )
})

describe("an inventory that is partial", () => {
  it.effect("reports no index as broken: the child may be hidden", () =>
    Effect.gen(function* () {
      const held = yield* holding([
        { manifest: app, age: 10 },
        { manifest: index("many", [app]), tags: ["many"], age: 10 },
        { manifest: image("other"), tags: ["other"], age: 10 }
      ])
      const target = withManifests(held.target, (list) => Stream.filter(list, (one) => one.digest !== digest))
      const plan = yield* planFor({ target }, yield* rulesOf([{ isBroken: true, action: "delete" }]))
      assert.strictEqual(plan.coverage, "partial")
      assert.deepStrictEqual(tagsThatGo(plan), [])
    })
  )

  it.effect("has an unreadable child, also on a registry that lists no manifests", () =>
    Effect.gen(function* () {
      const nested = index("nested", [app])
      const held = yield* holding([
        { manifest: app, tags: ["old"], age: 10 },
        { manifest: nested, age: 10 },
        { manifest: index("outer", [nested]), tags: ["release"], age: 10 }
      ])
      held.before = ({ name, subject }) =>
        name === "manifest" && subject === nested.descriptor.digest ? Effect.fail(cannotBeRead) : Effect.void
      const rules = yield* rulesOf([{ tags: ["old"], action: "delete" }], { safetyAge: "none" })
      const plan = yield* planFor({ target: listingTagsAlone(held) }, rules)
      assert.strictEqual(plan.coverage, "partial")
      assert.strictEqual(plan.frees.manifests, 0)
    })
  )
})

describe("a time", () => {
  it.effect("of the year 1 counts as none: Go writes it for an unknown time", () =>
    Effect.gen(function* () {
      const held = yield* holding(tagged({ v1: 10 }))
      const zero = DateTime.makeUnsafe("0001-01-01T00:00:00Z")
      const unknown = <A>(list: Stream.Stream<A, RegistryError>) =>
        Stream.map(list, (one) => ({ ...one, createdOn: zero, updatedOn: zero }))
      const target = withManifests({ ...held.target, tags: unknown(held.target.tags) }, unknown)
      const rule = { olderThan: "1 hour", action: "delete" }
      assert.deepStrictEqual(tagsThatStay(yield* planFor({ target }, yield* rulesOf([rule]))), ["v1"])
      const careless = yield* planFor({ target }, yield* rulesOf([rule], { safetyAge: "none" }))
      assert.deepStrictEqual(tagsThatStay(careless), ["v1"])
      assert.include(careless.warnings.join(), "have no time")
    })
  )
})

describe("a plan that was edited", () => {
  const prepared = Effect.gen(function* () {
    const held = yield* holding([
      { manifest: app, tags: ["v1", "prod"], age: 10 },
      { manifest: image("other"), tags: ["other"], age: 10 }
    ])
    const rules = yield* rulesOf([{ tags: ["v1"], action: "delete" }])
    const plan = yield* planFor(held, rules)
    const manifests = plan.manifests.map((one) =>
      one.digest === digest ? { ...one, verdict: "delete" as const } : one
    )
    return { held, rules, plan, manifests }
  })

  it.effect("is refused if a tag of a deleted manifest was left out", () =>
    Effect.gen(function* () {
      const { held, manifests, plan } = yield* prepared
      yield* refused(held, { ...plan, manifests, tags: plan.tags.filter(({ name }) => name !== "prod") })
    })
  )

  it.effect("is refused if it has a tag or a manifest twice", () =>
    Effect.gen(function* () {
      const { held, manifests, plan } = yield* prepared
      const going = plan.tags.map((tag) => ({ ...tag, verdict: "delete" as const }))
      yield* refused(held, { ...plan, manifests, tags: [...plan.tags, ...going] })
      yield* refused(held, { ...plan, manifests: [...manifests, ...plan.manifests], tags: going })
    })
  )
})

describe("what is locked", () => {
  const allowed = { allowLocked: true }
  const deletingLocked = rulesOf([{ action: "delete" }], {
    locked: "include",
    limits: { maxFraction: 1, minRemaining: 0 }
  })
  const signature = referrer("signature", app)

  it.effect("and refers to what is deleted is locked again if the registry does not delete it along with that", () =>
    Effect.gen(function* () {
      const held = yield* holding(
        [
          { manifest: app, tags: ["v1"], age: 10 },
          { manifest: signature, age: 10, isLocked: true }
        ],
        { cascades: false }
      )
      const rules = yield* deletingLocked
      const plan = yield* planFor(held, rules)
      held.before = ({ name, subject }) =>
        name === "look" && subject === signature.descriptor.digest
          ? Effect.fail(
              new RegistryError({ operation: name, reason: new Forbidden({ description: "no", missing: [] }) })
            )
          : Effect.void
      yield* Retention.apply(held.target, plan, rules, allowed)
      held.before = () => Effect.void
      const left = yield* manifestsOf(held)
      assert.deepStrictEqual(
        left.map((one) => [one.digest, one.isLocked]),
        [[signature.descriptor.digest, true]]
      )
    })
  )

  it.effect("and cannot be locked again is named in the report", () =>
    Effect.gen(function* () {
      const held = yield* holding([{ manifest: app, tags: ["v1"], age: 10, isLocked: true }])
      const rules = yield* deletingLocked
      const plan = yield* planFor(held, rules)
      held.before = ({ name }) =>
        name === "relock" || name === "deleteManifest" ? Effect.fail(outage(name)) : Effect.void
      const { outcomes } = yield* Retention.apply(held.target, plan, rules, allowed)
      const [{ detail = "", outcome } = assert.fail("no outcome")] = outcomes
      assert.strictEqual(outcome, "failed")
      assert.include(detail, `${digest} could not be locked again: relock`)
    })
  )
})

describe("the check after a run on a registry that lists no manifests", () => {
  it.effect("does not call an untagged manifest missing", () =>
    Effect.gen(function* () {
      const held = yield* holding(tagged({ v1: 10 }))
      const target = listingTagsAlone(held)
      const rules = yield* rulesOf([{ action: "untag" }], { safetyAge: "none" })
      const report = yield* Retention.apply(target, yield* planFor({ target }, rules), rules)
      assert.strictEqual(RetentionReport.status(report), "done")
      assert.strictEqual(held.digests().size, 1)
    })
  )

  it.effect("reports an index that was pushed at the last moment and lacks its child", () =>
    Effect.gen(function* () {
      const late = index("late", [app])
      const held = yield* holding([{ manifest: app, tags: ["v1"], age: 10 }])
      const target = listingTagsAlone(held)
      const rules = yield* rulesOf([{ action: "delete" }], { safetyAge: "none" })
      const plan = yield* planFor({ target }, rules)
      held.before = ({ name }) =>
        name === "deleteManifest" ? Effect.orDie(held.push({ manifest: late, tags: ["late"] })) : Effect.void
      const { check } = yield* Retention.apply(target, plan, rules)
      assert.deepStrictEqual(check?.broken, [{ digest: late.descriptor.digest, missing: [digest] }])
      assert.deepStrictEqual(check?.present, [])
    })
  )
})

describe("deeply nested indexes", () => {
  it.effect("are put in order in linear time", () =>
    Effect.gen(function* () {
      const held = yield* holding([])
      const digests = Array.from({ length: 12_000 }, (_, depth) =>
        Digest.Digest.make(`sha256:${depth.toString(16).padStart(64, "0")}`)
      )
      const manifests = digests.map((one, depth) => ({
        digest: one,
        kind: "index" as const,
        isLocked: depth === 0,
        children: digests.slice(depth + 1, depth + 2)
      }))
      const read = yield* Retention.inventory(held.target)
      const rules = yield* rulesOf([{ of: ["untagged"], action: "delete" }], { locked: "include", safetyAge: "none" })
      const plan = yield* Effect.fromResult(Retention.plan({ ...read, manifests }, rules))
      assert.strictEqual(plan.frees.manifests, digests.length)
      // By then the locks of all steps are known.
      const failure = yield* Effect.flip(Retention.apply(held.target, plan, rules))
      assert.propertyVal(failure, "problem", "LocksNotAllowed")
    })
  )
})

const repository = "shop/api"

const emulated = AcrEmulator.layerRegistry({ retry: RetryPolicy.never }).pipe(Layer.provideMerge(AcrEmulator.layer({})))

const inject = (fault: Fault) => Effect.flatMap(AcrEmulator.AcrEmulator, (emulator) => emulator.inject(fault))

const pathTo = (what: string) => `/acr/v1/${encodeURIComponent(repository)}/${what}`

const push = Effect.fnUntraced(function* (manifest: Manifest.Raw, ...tags: ReadonlyArray<string>) {
  const content = yield* RegistryContent
  yield* content.putBlob(repository, config, BlobSource.fromString("{}"))
  yield* content.putManifest(repository, manifest, { tags })
})

describe("on ACR", () => {
  it.effect("a manifest is locked again if the response to its unlocking is lost", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      yield* push(app, "v1")
      yield* registry.updateManifest(repository, digest, { canDelete: false })
      yield* TestClock.adjust("10 days")
      const target = yield* Retention.target(repository)
      const rules = yield* rulesOf([{ action: "delete" }], { locked: "include" })
      const plan = yield* planFor({ target }, rules)
      yield* inject({ method: "PATCH", consequence: { _tag: "LostAnswer" } })
      const { outcomes } = yield* Retention.apply(target, plan, rules, { allowLocked: true })
      assert.deepStrictEqual(
        outcomes.map(({ outcome }) => outcome),
        ["failed"]
      )
      const { canDelete, canWrite } = yield* registry.manifestProperties(repository, digest)
      assert.deepStrictEqual({ canDelete, canWrite }, { canDelete: false, canWrite: true })
    }).pipe(Effect.provide(emulated))
  )

  it.effect("a 404 in the middle of a list does not end it", () =>
    Effect.gen(function* () {
      yield* push(app, "a", "b")
      yield* TestClock.adjust("10 days")
      const target = yield* Retention.target(repository)
      const path = pathTo("_tags")
      const body = JSON.stringify({ errors: [{ code: "NAME_UNKNOWN", message: "no such repository" }] })
      yield* inject({
        path,
        consequence: { _tag: "Headers", headers: { link: `<${path}?last=b>; rel="next"` } }
      })
      yield* inject({
        path,
        consequence: { _tag: "Answer", status: 404, headers: { "content-type": "application/json" }, body }
      })
      const failure = yield* Effect.flip(Retention.inventory(target))
      assert.strictEqual(failure._tag === "RegistryError" ? failure.reason._tag : "", "NotFound")
    }).pipe(Effect.provide(emulated))
  )
})

describe("on a registry without ACR's API", () => {
  it.effect("a 404 of a proxy does not say that there are no tags", () =>
    Effect.gen(function* () {
      const proxied: Fault["consequence"] = {
        _tag: "Answer",
        status: 404,
        headers: { "content-type": "text/html" },
        body: "<h1>Not here</h1>"
      }
      yield* push(app, "v1")
      yield* inject({ path: "/acr/v1/", times: 100, consequence: proxied })
      const target = yield* Retention.target(repository)
      const rules = yield* rulesOf([{ action: "delete" }], { safetyAge: "none" })
      const plan = yield* planFor({ target }, rules)
      assert.strictEqual(plan.coverage, "tagged")
      yield* push(app, "prod")
      yield* inject({ path: `/v2/${repository}/tags/list`, times: 100, consequence: proxied })
      const { outcomes } = yield* Retention.apply(target, plan, rules)
      assert.deepStrictEqual(
        outcomes.map(({ outcome }) => outcome),
        ["failed"]
      )
    }).pipe(Effect.provide(emulated))
  )
})
