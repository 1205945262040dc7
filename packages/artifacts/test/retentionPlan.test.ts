/**
 * Decisions of a plan: what is kept with what, what is judged, and the plan as data.
 */
import type * as Manifest from "@effect-acr/client/Manifest"
import { Locked, RegistryError } from "@effect-acr/client/RegistryError"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Retention from "../src/Retention.ts"
import * as RetentionPlan from "../src/RetentionPlan.ts"
import type { RetentionTarget } from "../src/RetentionTarget.ts"
import {
  fallbackTag,
  image,
  index,
  planFor,
  type Push,
  referrer,
  rulesOf,
  signatureTag,
  start
} from "./support/retention.ts"
import {
  decisionOf,
  deleting,
  type Fields,
  holding,
  manifestsThatGo,
  type Names,
  planOf,
  tagDecisionOf,
  tagged,
  tagsThatGo,
  tagsThatStay
} from "./support/retentionPlans.ts"

const amd64 = image("amd64")
const arm64 = image("arm64")
const app = index("app", [amd64, arm64])
const signature = referrer("signature", app, "application/vnd.example.signature")
const timestamp = referrer("timestamp of the signature", signature, "application/vnd.example.timestamp")
const sbom = referrer("SBOM of amd64", amd64)
const other = image("other")

const names: Names = { amd64, arm64, app, signature, timestamp, sbom, other }

const old = (manifest: Manifest.Raw, others: Omit<Push, "manifest"> = {}): Push => ({ manifest, age: 60, ...others })

/** The images of the index, without the index. */
const platforms = [old(amd64), old(arm64)]

/** Deletes whatever may be deleted. */
const everything: ReadonlyArray<Fields> = [{ of: ["tags", "untagged", "orphans"], action: "delete" }]

const untagged = { of: ["untagged"], action: "delete" }

const going = (pushes: ReadonlyArray<Push>, rules: ReadonlyArray<Fields>, others: Fields = {}, known = names) =>
  Effect.map(planOf(pushes, rules, others), (plan) => manifestsThatGo(plan, known))

describe("an index", () => {
  it.effect("that is locked keeps its images, with a tag and without", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* going([...platforms, old(app, { tags: ["v1"], isLocked: true })], everything), [])
      assert.deepStrictEqual(yield* going([...platforms, old(app, { isLocked: true }), old(other)], everything), [
        "other"
      ])
    })
  )

  it.effect("that a locked tag names is kept with its images", () =>
    Effect.gen(function* () {
      const pushes = [...platforms, old(app, { tags: ["v1", "v2"], lockedTags: ["v1"] })]
      const plan = yield* planOf(pushes, everything)
      assert.deepStrictEqual(manifestsThatGo(plan, names), [])
      assert.deepStrictEqual(tagsThatGo(plan), ["v2"])
      assert.strictEqual(tagDecisionOf(plan, "v1").by, "lock")
    })
  )

  it.effect("that is the newest untagged one keeps its images, which are not counted", () =>
    Effect.gen(function* () {
      const older = image("older")
      const before = index("before", [older])
      const pushes = [{ manifest: older, age: 70 }, { manifest: before, age: 70 }, ...platforms, old(app)]
      const plan = [{ of: ["untagged"], newest: { count: 1 }, action: "keep" }, untagged]
      assert.deepStrictEqual(yield* going(pushes, plan, {}, { ...names, older, before }), ["before", "older"])
    })
  )

  it.effect("does not delete an image that another index needs", () =>
    Effect.gen(function* () {
      const shared = index("shared", [arm64])
      const pushes = [...platforms, old(app, { tags: ["v1"] }), old(shared, { tags: ["v2"] })]
      assert.deepStrictEqual(yield* going(pushes, [{ tags: ["v1"], action: "delete" }], {}, { ...names, shared }), [
        "amd64",
        "app"
      ])
    })
  )

  it.effect("in an index is kept and deleted with it, and so are its images", () =>
    Effect.gen(function* () {
      const outer = index("outer", [app])
      const pushes = [...platforms, old(app), old(outer, { tags: ["v1"] })]
      assert.deepStrictEqual(yield* going(pushes, [untagged], {}, { ...names, outer }), [])
      assert.deepStrictEqual(yield* going(pushes, everything, {}, { ...names, outer }), [
        "amd64",
        "app",
        "arm64",
        "outer"
      ])
    })
  )

  it.effect("without one of its images is reported as broken, and the rest is planned", () =>
    Effect.gen(function* () {
      const plan = yield* planOf([old(amd64), old(app, { tags: ["v1"] }), old(other)], [untagged])
      assert.deepStrictEqual(plan.broken, [{ digest: app.descriptor.digest, missing: [arm64.descriptor.digest] }])
      assert.deepStrictEqual(manifestsThatGo(plan, names), ["other"])
      assert.include(Retention.format(plan), `${app.descriptor.digest} lacks ${arm64.descriptor.digest}`)
    })
  )

  it.effect("is deleted without an image that has its own tag", () =>
    Effect.gen(function* () {
      const pushes = [old(amd64, { tags: ["amd64"] }), old(arm64), old(app, { tags: ["v1"] })]
      const plan = yield* planOf(pushes, [{ tags: ["v1"], action: "delete" }])
      assert.deepStrictEqual(manifestsThatGo(plan, names), ["app", "arm64"])
      assert.deepStrictEqual(tagsThatStay(plan), ["amd64"])
      // And that tag may be deleted while the index is kept.
      const reverse = yield* planOf(pushes, [{ tags: ["amd64"], action: "delete" }])
      assert.deepStrictEqual(manifestsThatGo(reverse, names), [])
      assert.deepStrictEqual(tagsThatGo(reverse), ["amd64"])
    })
  )

  it.effect("keeps the attestations of a build, which are its children", () =>
    Effect.gen(function* () {
      const attestation = image("attestation of amd64")
      const built = index("built", [amd64, attestation])
      const pushes = [old(amd64), old(attestation), old(built, { tags: ["v1"] })]
      const known = { amd64, attestation, built }
      assert.deepStrictEqual(yield* going(pushes, [untagged], {}, known), [])
      assert.deepStrictEqual(yield* going(pushes, everything, {}, known), ["amd64", "attestation", "built"])
    })
  )
})

describe("a referrer", () => {
  const signed = [...platforms, old(app, { tags: ["v1"] }), old(signature), old(timestamp), old(sbom)]

  it.effect("of a kept manifest is kept, at any depth, also of an image of an index", () =>
    Effect.gen(function* () {
      const plan = yield* planOf(signed, [untagged, { of: ["orphans"], action: "delete" }])
      assert.deepStrictEqual(manifestsThatGo(plan, names), [])
      assert.deepInclude(decisionOf(plan, timestamp), { by: "referrer", of: signature.descriptor.digest })
      assert.deepInclude(decisionOf(plan, sbom), { by: "referrer", of: amd64.descriptor.digest })
    })
  )

  it.effect("is deleted with its subject, and the plan says so", () =>
    Effect.gen(function* () {
      const plan = yield* planOf(signed, [{ tags: ["v1"], action: "delete" }])
      assert.deepStrictEqual(manifestsThatGo(plan, names), ["amd64", "app", "arm64", "sbom", "signature", "timestamp"])
      assert.deepInclude(decisionOf(plan, signature), { by: "follows", of: app.descriptor.digest })
    })
  )

  it.effect("that is an index is kept with its subject, and so are its children", () =>
    Effect.gen(function* () {
      const part = image("part")
      const report = index("report", [part], other)
      const pushes = [old(other, { tags: ["v1"] }), old(part), old(report)]
      const known = { other, part, report }
      assert.deepStrictEqual(yield* going(pushes, [untagged, { of: ["orphans"], action: "delete" }], {}, known), [])
      assert.deepStrictEqual(yield* going(pushes, everything, {}, known), ["other", "part", "report"])
    })
  )

  it.effect("for streaming an image is deleted and kept with it", () =>
    Effect.gen(function* () {
      const streaming = referrer("streaming", other, "application/vnd.azure.artifact.streaming.v1")
      const pushes = [old(other, { tags: ["v1"] }), old(streaming)]
      const known = { other, streaming }
      assert.deepStrictEqual(yield* going(pushes, [untagged, { of: ["orphans"], action: "delete" }], {}, known), [])
      assert.deepStrictEqual(yield* going(pushes, everything, {}, known), ["other", "streaming"])
    })
  )

  it.effect("whose subject is gone is deleted only by a rule for orphans, at the age of the rule", () =>
    Effect.gen(function* () {
      const young = referrer("young", image("gone"))
      const aged = referrer("aged", image("gone"))
      const pushes = [
        { manifest: young, age: 50 },
        { manifest: aged, age: 200 }
      ]
      const known = { young, aged }
      assert.deepStrictEqual(yield* going(pushes, [untagged, { action: "delete" }], {}, known), [])
      const orphans = { of: ["orphans"], olderThan: "100 days", action: "delete" }
      assert.deepStrictEqual(yield* going(pushes, [orphans], {}, known), ["aged"])
    })
  )

  it.effect("that is kept by a lock or by its own tag keeps its subject, with which a registry would delete it", () =>
    Effect.gen(function* () {
      const locked = [...platforms, old(app, { tags: ["v1"] }), old(signature, { isLocked: true })]
      const plan = yield* planOf(locked, everything)
      assert.deepStrictEqual(manifestsThatGo(plan, names), [])
      assert.deepStrictEqual(tagsThatGo(plan), ["v1"])
      assert.deepInclude(decisionOf(plan, app), { by: "subject", of: signature.descriptor.digest })
      const taggedOne = [...platforms, old(app), old(signature, { tags: ["signature"] })]
      assert.deepStrictEqual(yield* going(taggedOne, [untagged]), [])
    })
  )
})

describe("a tag by which something is attached", () => {
  const list = index("list of referrers", [signature])
  const attached = image("signature by cosign")

  for (const [what, tagFor] of [
    ["a signature of cosign", signatureTag],
    ["the list of referrers", fallbackTag]
  ] as const) {
    it.effect(`follows its image: ${what}`, () =>
      Effect.gen(function* () {
        const tag = tagFor(app)
        const pushes = [...platforms, old(app, { tags: ["v1"] }), old(attached, { tags: [tag] })]
        const known = { ...names, attached }
        const stays = yield* planOf(pushes, [{ tags: ["sha256-*"], action: "delete" }, untagged])
        assert.deepStrictEqual([tagsThatGo(stays), manifestsThatGo(stays, known)], [[], []])
        assert.strictEqual(tagDecisionOf(stays, tag).by, "attached")
        const goes = yield* planOf(pushes, [{ tags: ["v1"], action: "delete" }])
        assert.deepStrictEqual(tagsThatGo(goes), [tag, "v1"])
        assert.deepStrictEqual(manifestsThatGo(goes, known), ["amd64", "app", "arm64", "attached"])
        assert.strictEqual(tagDecisionOf(goes, tag).by, "follows")
      })
    )

    it.effect(`is an orphan if its image is not there: ${what}`, () =>
      Effect.gen(function* () {
        const tag = tagFor(app)
        const pushes = [old(attached, { tags: [tag] })]
        assert.deepStrictEqual(tagsThatGo(yield* planOf(pushes, [{ action: "delete" }, untagged])), [])
        const rule = { of: ["orphans"], action: "delete" }
        assert.deepStrictEqual(tagsThatGo(yield* planOf(pushes, [{ ...rule, olderThan: "90 days" }])), [])
        assert.deepStrictEqual(tagsThatGo(yield* planOf(pushes, [{ ...rule, olderThan: "30 days" }])), [tag])
        assert.deepStrictEqual(tagsThatGo(yield* planOf(pushes, [{ ...rule, kinds: ["image"] }])), [])
        const kinds = what === "the list of referrers" ? ["fallbackTag"] : ["signatureTag"]
        assert.deepStrictEqual(tagsThatGo(yield* planOf(pushes, [{ ...rule, kinds }])), [tag])
      })
    )
  }

  it.effect("never lists deleted manifests: a referrer is kept as long as its subject", () =>
    Effect.gen(function* () {
      const pushes = [
        ...platforms,
        old(app, { tags: ["v1"] }),
        old(signature, { tags: ["extra"] }),
        old(list, { tags: [fallbackTag(app)] })
      ]
      const rules = [{ tags: ["extra"], action: "delete" }, untagged, { of: ["orphans"], action: "delete" }]
      const plan = yield* planOf(pushes, rules)
      assert.deepStrictEqual([tagsThatGo(plan), manifestsThatGo(plan, { ...names, list })], [["extra"], []])
    })
  )
})

describe("a manifest", () => {
  it.effect("with two tags stays if one of them does", () =>
    Effect.gen(function* () {
      const plan = yield* planOf([old(other, { tags: ["v1", "latest"] })], [{ tags: ["v1"], action: "delete" }])
      assert.deepStrictEqual([tagsThatGo(plan), manifestsThatGo(plan, names)], [["v1"], []])
      assert.strictEqual(decisionOf(plan, other).by, "tag")
    })
  )

  it.effect("is deleted with its last tag, or kept untagged, as the rule says", () =>
    Effect.gen(function* () {
      const pushes = [old(other, { tags: ["v1"] })]
      const deleted = yield* planOf(pushes, [{ action: "delete" }])
      assert.deepStrictEqual([tagsThatGo(deleted), manifestsThatGo(deleted, names)], [["v1"], ["other"]])
      const onlyUntagged = yield* planOf(pushes, [{ action: "untag" }])
      assert.deepStrictEqual([tagsThatGo(onlyUntagged), manifestsThatGo(onlyUntagged, names)], [["v1"], []])
      // A later run then deletes it.
      assert.deepStrictEqual(yield* going([old(other)], [untagged]), ["other"])
    })
  )

  it.effect("that is locked keeps its tags and what it needs, unless the rules include locked objects", () =>
    Effect.gen(function* () {
      const pushes = [...platforms, old(app, { tags: ["v1"], isLocked: true }), old(signature)]
      const plan = yield* planOf(pushes, everything)
      assert.deepStrictEqual([tagsThatGo(plan), manifestsThatGo(plan, names)], [[], []])
      const included = yield* planOf(pushes, everything, { locked: "include" })
      assert.deepStrictEqual(manifestsThatGo(included, names), ["amd64", "app", "arm64", "signature"])
    })
  )

  it.effect("that is younger than the safety age is kept, one day by default", () =>
    Effect.gen(function* () {
      const pushes = tagged({ hours: 0.9, days: 1.1 })
      const goes = (others: Fields) => Effect.map(planOf(pushes, everything, others), tagsThatGo)
      assert.deepStrictEqual(yield* goes({}), ["days"])
      assert.deepStrictEqual(yield* goes({ safetyAge: "2 days" }), [])
      assert.deepStrictEqual(yield* goes({ safetyAge: "none" }), ["days", "hours"])
      assert.deepInclude(tagDecisionOf(yield* planOf(pushes, everything), "hours"), { verdict: "keep", by: "age" })
    })
  )

  it.effect("that is old and has a young tag is kept", () =>
    Effect.gen(function* () {
      const held = yield* holding([old(other)])
      yield* held.push({ manifest: other, tags: ["v1"], age: 0.1 })
      const plan = yield* planFor(held, yield* rulesOf(everything))
      assert.deepStrictEqual([tagsThatGo(plan), manifestsThatGo(plan, names)], [[], []])
    })
  )
})

/** A repository that lists less than it has. */
const changed = (pushes: ReadonlyArray<Push>, change: (target: RetentionTarget) => Partial<RetentionTarget>) =>
  Effect.map(holding(pushes), ({ target }) => ({ target: { ...target, ...change(target) } }))

const cannotBeRead = new RegistryError({
  operation: "manifest",
  reason: new Locked({ by: "lock", description: "reading is locked" })
})

/** Tells no time of anything. */
const timeless = ({ listing, tags }: RetentionTarget): Partial<RetentionTarget> => ({
  tags: Stream.map(tags, ({ updatedOn: _updatedOn, ...tag }) => tag),
  ...(listing._tag === "Tagged"
    ? {}
    : {
        listing: {
          ...listing,
          manifests: Stream.map(
            listing.manifests,
            ({ createdOn: _createdOn, updatedOn: _updatedOn, ...manifest }) => manifest
          )
        }
      })
})

describe("missing information", () => {
  it.effect("keeps objects without a time, as if they were young, and the plan says so", () =>
    Effect.gen(function* () {
      const held = yield* changed(tagged({ v1: 60, v2: 60 }), timeless)
      const plan = yield* planFor(held, yield* rulesOf(everything))
      assert.deepStrictEqual(tagsThatStay(plan), ["v1", "v2"])
      assert.deepInclude(tagDecisionOf(plan, "v1"), { by: "age", because: "it has no time" })
      assert.include(plan.warnings.join(), "4 tags and manifests have no time")
    })
  )

  it.effect("does not match rules by age without a safety age either, and counts as the newest", () =>
    Effect.gen(function* () {
      const held = yield* changed(tagged({ v1: 60, v2: 60 }), timeless)
      const planned = (rules: ReadonlyArray<Fields>, others: Fields) =>
        Effect.flatMap(rulesOf(rules, { safetyAge: "none", ...others }), (decoded) => planFor(held, decoded))
      assert.deepStrictEqual(tagsThatGo(yield* planned([{ olderThan: "30 days", action: "delete" }], {})), [])
      const daily = { onePer: { period: "day", for: "7 days" }, action: "keep" }
      assert.deepStrictEqual(tagsThatStay(yield* planned([daily], deleting)), ["v1", "v2"])
    })
  )

  it.effect("keeps every manifest if the registry counts more than it lists, but still removes tags", () =>
    Effect.gen(function* () {
      const held = yield* changed(tagged({ v1: 60 }), () => ({
        contents: Effect.succeedSome({ tagCount: 1, manifestCount: 2, isLocked: false })
      }))
      const plan = yield* planFor(held, yield* rulesOf(everything))
      assert.strictEqual(plan.coverage, "partial")
      assert.deepStrictEqual([tagsThatGo(plan), manifestsThatGo(plan, names)], [["v1"], []])
      assert.include(plan.warnings.join(), "lists 1 manifests and counts 2")
    })
  )

  it.effect("keeps every manifest if an index cannot be read: it may name any of them", () =>
    Effect.gen(function* () {
      const pushes = [...platforms, old(app, { tags: ["v1"] }), old(other)]
      const held = yield* changed(pushes, ({ manifest }) => ({
        manifest: (digest) => (digest === app.descriptor.digest ? Effect.fail(cannotBeRead) : manifest(digest))
      }))
      const plan = yield* planFor(held, yield* rulesOf(everything))
      assert.deepStrictEqual(manifestsThatGo(plan, names), [])
      assert.include(plan.warnings.join(), `it is not known what ${app.descriptor.digest} names`)
    })
  )

  it.effect("keeps a manifest that has an unlisted tag", () =>
    Effect.gen(function* () {
      const held = yield* holding([old(other, { tags: ["v1", "secret"] }), old(amd64)])
      held.hide("secret")
      const plan = yield* planFor(held, yield* rulesOf(everything))
      assert.deepStrictEqual([tagsThatGo(plan), manifestsThatGo(plan, names)], [["v1"], ["amd64"]])
      assert.deepInclude(decisionOf(plan, other), { by: "hidden", hiddenTags: ["secret"] })
    })
  )

  it.effect("keeps everything in a locked repository", () =>
    Effect.gen(function* () {
      const held = yield* changed(tagged({ v1: 60 }), () => ({
        contents: Effect.succeedSome({ tagCount: 1, manifestCount: 1, isLocked: true })
      }))
      const plan = yield* planFor(held, yield* rulesOf(everything, { locked: "include" }))
      assert.deepStrictEqual(tagsThatGo(plan), [])
      assert.deepInclude(tagDecisionOf(plan, "v1"), { by: "lock", because: "the repository is locked" })
    })
  )

  it.effect("of an empty repository makes an empty plan", () =>
    Effect.gen(function* () {
      const plan = yield* planOf([], everything)
      assert.deepStrictEqual([plan.tags, plan.manifests, plan.exceeds], [[], [], []])
    })
  )
})

/** The warnings of a registry whose clock is ahead of the tests' own, which is at 1970. */
const clockWarnings = (minutes: number) =>
  Effect.gen(function* () {
    const now = DateTime.addDuration(DateTime.makeUnsafe(0), Duration.minutes(minutes))
    const { target } = yield* changed([], () => ({ now: Effect.succeedSome(now) }))
    return (yield* Retention.inventory(target)).warnings
  })

describe("the clock", () => {
  it.effect("of this machine may differ by five minutes, and the plan warns of more", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* clockWarnings(5), [])
      assert.deepStrictEqual(yield* clockWarnings(-5), [])
      assert.include((yield* clockWarnings(6)).join(), "clock")
      assert.include((yield* clockWarnings(-24 * 60)).join(), "clock")
    })
  )

  it.effect("that counts is the registry's", () =>
    Effect.gen(function* () {
      // The tests' own clock is at 1970.
      const { at } = yield* Retention.inventory((yield* holding([])).target)
      assert.isTrue(DateTime.Equivalence(at, start))
      const none = yield* changed([], () => ({ now: Effect.succeedNone }))
      assert.strictEqual(DateTime.toEpochMillis((yield* Retention.inventory(none.target)).at), 0)
    })
  )
})

describe("a plan", () => {
  const pushes = [
    ...platforms,
    old(app, { tags: ["v1"], quarantineState: "Passed" }),
    old(signature),
    old(image("signature"), { tags: [signatureTag(app)] }),
    ...tagged({ v2: 10, main: 5 })
  ]
  const rules: ReadonlyArray<Fields> = [
    { tags: ["main"], newest: { count: 1 }, action: "keep" },
    { tags: [{ regex: "v(1)" }, { semver: ">=1" }], olderThan: "36 hours", action: "delete" }
  ]

  it.effect("is the same for any order of the registry's lists", () =>
    Effect.gen(function* () {
      const encode = Schema.encodeEffect(Schema.fromJsonString(RetentionPlan.Plan))
      const one = yield* encode(yield* planOf(pushes, rules))
      assert.strictEqual(yield* encode(yield* planOf(pushes.toReversed(), rules)), one)
      assert.strictEqual(yield* encode(yield* planOf(pushes, rules)), one)
    })
  )

  it.effect("can be stored as JSON, and carried out afterwards", () =>
    Effect.gen(function* () {
      const held = yield* holding(pushes)
      const decoded = yield* rulesOf(rules)
      const plan = yield* planFor(held, decoded)
      const Json = Schema.fromJsonString(RetentionPlan.Plan)
      const text = yield* Schema.encodeEffect(Json)(plan)
      const read = yield* Schema.decodeEffect(Json)(text)
      assert.deepStrictEqual(read, plan)
      const report = yield* Retention.apply(held.target, read, decoded)
      assert.isTrue(report.outcomes.every(({ outcome }) => outcome === "done"))
      assert.deepStrictEqual(Array.from(held.tags().keys()).toSorted(), ["main", "v2"])
    })
  )

  it.effect("reports what it frees, with the size of the images alone", () =>
    Effect.gen(function* () {
      const { frees, manifests } = yield* planOf(pushes, rules)
      const gone = manifests.filter(({ verdict }) => verdict === "delete")
      assert.deepStrictEqual([frees.tags, frees.manifests], [2, 5])
      assert.strictEqual(
        frees.atMostBytes,
        gone.reduce((sum, { sizeBytes = 0 }) => sum + sizeBytes, 0)
      )
      assert.isAbove(frees.atMostBytes, 0)
    })
  )

  it.effect("is formatted for people: deletions first, with reasons", () =>
    Effect.gen(function* () {
      const plan = yield* planOf(tagged({ v1: 60, main: 60 }), [
        { name: "old\nnews", because: "\u001b[31mit costs", tags: ["v*", "x*"], action: "delete" }
      ])
      const text = Retention.format(plan)
      const [digest] = plan.tags.filter(({ name }) => name === "v1").map((tag) => tag.digest)
      assert.match(
        text,
        /^memory\/app at 2026-06-30T12:00:00\.000Z\nwould delete 1 of 2 tags and 1 of 2 manifests, and free at most /
      )
      assert.isBelow(text.indexOf("delete  v1"), text.indexOf("keep    main"))
      assert.include(text, `delete  v1  ${digest}  (`)
      assert.notInclude(text, "\u001b")
      assert.notInclude(text, "old\nnews")
      assert.include(text, "patterns that match no tag")
    })
  )

  it.effect("reports which limits it exceeds: deletions, fractions, and the rest", () =>
    Effect.gen(function* () {
      const ten = tagged(Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`v${at}`, 60])))
      const exceeds = (delete_: string, limits: Fields | undefined) =>
        Effect.gen(function* () {
          const inventory = yield* Retention.inventory((yield* holding(ten)).target)
          const decoded = yield* rulesOf([{ tags: [delete_], action: "delete" }], { limits: limits ?? {} })
          return Result.getOrThrow(Retention.plan(inventory, decoded)).exceeds
        })
      // Six of ten tags, and six of ten manifests.
      assert.lengthOf(yield* exceeds("v[0-5]", undefined), 2)
      assert.lengthOf(yield* exceeds("v[0-4]", undefined), 0)
      assert.lengthOf(yield* exceeds("v[0-5]", { maxFraction: 0.6 }), 0)
      assert.include((yield* exceeds("v[0-4]", { maxDeletions: 9 })).join(), "maxDeletions 9")
      assert.lengthOf(yield* exceeds("v[0-4]", { maxDeletions: 10 }), 0)
      assert.include((yield* exceeds("v*", { maxFraction: 1 })).join(), "minRemaining 1")
      assert.include((yield* exceeds("v[0-4]", { minRemaining: 6 })).join(), "leaves 5 tags")
      assert.lengthOf(yield* exceeds("v[0-4]", { minRemaining: 5 }), 0)
      // Nothing is deleted, so that nothing is too much.
      assert.lengthOf(yield* exceeds("x*", { maxDeletions: 0, maxFraction: 0, minRemaining: 99 }), 0)
    })
  )

  it.effect("names the tags that a limit does not count", () =>
    Effect.gen(function* () {
      const signed = image("signed")
      const pushes = [old(signed, { tags: ["v1"] }), old(image("signature of it"), { tags: [signatureTag(signed)] })]
      const { exceeds } = yield* planOf(pushes, everything, { limits: { maxFraction: 0.1 } })
      const note = "not counting 1 tag of a signature or a referrer"
      assert.include(exceeds, `it deletes 1 of 1 tags, ${note}, more than maxFraction 0.1 allows`)
      assert.include(exceeds, `it leaves 0 tags, ${note}, fewer than minRemaining 1`)
    })
  )
})
