/**
 * How a plan is carried out: the check before each deletion, refusals before the first one, and the report.
 */
import type * as Manifest from "@effect-acr/client/Manifest"
import { Forbidden, NotFound, RegistryError, Unauthenticated, Unavailable } from "@effect-acr/client/RegistryError"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Retention from "../src/Retention.ts"
import type { Plan } from "../src/RetentionPlan.ts"
import * as RetentionReport from "../src/RetentionReport.ts"
import type { Rules } from "../src/RetentionRules.ts"
import {
  image,
  index,
  planFor,
  type Push,
  referrer,
  type Request,
  rulesOf,
  signatureTag,
  type TestRegistry
} from "./support/retention.ts"
import { type Fields, holding, tagged } from "./support/retentionPlans.ts"

const amd64 = image("amd64")
const arm64 = image("arm64")
const app = index("app", [amd64, arm64])
const signature = referrer("signature", app)
const cosigned = image("signature by cosign")

const names = { amd64, arm64, app, signature, cosigned }

const nameOf = (digest: string): string =>
  Object.entries(names).find(([, { descriptor }]) => descriptor.digest === digest)?.[0] ?? digest

const old = (manifest: Manifest.Raw, others: Omit<Push, "manifest"> = {}): Push => ({ manifest, age: 60, ...others })

/** A release with its signatures. */
const release: ReadonlyArray<Push> = [
  old(amd64),
  old(arm64),
  old(app, { tags: ["v1"] }),
  old(signature),
  old(cosigned, { tags: [signatureTag(app)] })
]

const everything: ReadonlyArray<Fields> = [{ of: ["tags", "untagged", "orphans"], action: "delete" }]

interface Planned {
  readonly held: TestRegistry
  readonly rules: Rules
  readonly plan: Plan
}

const planned = (
  pushes: ReadonlyArray<Push>,
  rules: ReadonlyArray<Fields> = everything,
  others: Fields = {},
  options: Parameters<typeof holding>[1] = {}
): Effect.Effect<Planned> =>
  Effect.gen(function* () {
    const held = yield* holding(pushes, options)
    const decoded = yield* rulesOf(rules, others)
    return { held, rules: decoded, plan: yield* Effect.orDie(planFor(held, decoded)) }
  })

const apply = ({ held, plan, rules }: Planned, options: Retention.ApplyOptions = {}) =>
  Retention.apply(held.target, plan, rules, options)

const isDeletion = ({ name }: Request): boolean => name === "deleteTag" || name === "deleteManifest"
const isWrite = (request: Request): boolean =>
  isDeletion(request) || request.name === "unlock" || request.name === "relock"

const deletions = ({ requests }: TestRegistry): ReadonlyArray<string> =>
  requests.filter(isDeletion).map(({ subject }) => nameOf(subject))

/** The outcome of each action: `app: changed`. */
const outcomesOf = ({ outcomes }: RetentionReport.Report): { readonly [name: string]: string } =>
  Object.fromEntries(outcomes.map(({ digest, outcome, tag }) => [tag ?? nameOf(digest), outcome]))

const detailOf = ({ outcomes }: RetentionReport.Report, { descriptor }: Manifest.Raw): string =>
  outcomes.find(({ digest, tag }) => digest === descriptor.digest && tag === undefined)?.detail ?? ""

const stayedNames = (held: TestRegistry): ReadonlyArray<string> => Array.from(held.digests(), nameOf).toSorted()

/** The release stays complete. */
const isWhole = (held: TestRegistry): void => {
  for (const name of Object.keys(names)) assert.include(stayedNames(held), name)
}

/** Why a run does not start. It sends no write requests. */
const refusalOf = (given: Planned, options: Retention.ApplyOptions = {}) =>
  Effect.gen(function* () {
    const before = given.held.digests()
    const error = yield* Effect.flip(apply(given, options))
    assert.deepStrictEqual(given.held.requests.filter(isWrite), [])
    assert.deepStrictEqual(given.held.digests(), before)
    return error._tag === "RetentionError" ? error.problem : error.reason._tag
  })

const fails = (reason: RegistryError["reason"]) => Effect.fail(new RegistryError({ operation: "test", reason }))

const unavailable = new Unavailable({ description: "away", code: "ECONNRESET" })

describe("the order of a run", () => {
  it.effect("is: tags alone, an index before its images, a subject before its referrers and signatures", () =>
    Effect.gen(function* () {
      const other = image("other")
      const given = yield* planned(
        [...release, old(other, { tags: ["v2", "latest"] })],
        [{ tags: ["v1", "v2"], action: "delete" }],
        {},
        { cascades: false }
      )
      const report = yield* apply(given, { concurrency: 1 })
      assert.strictEqual(RetentionReport.status(report), "done")
      const sent = deletions(given.held)
      assert.sameMembers(Array.from(sent), ["v2", "app", "amd64", "arm64", "signature", "cosigned"])
      assert.deepStrictEqual(sent.slice(0, 2), ["v2", "app"])
    })
  )

  it.effect("has one request for a manifest and all of its tags", () =>
    Effect.gen(function* () {
      const given = yield* planned([old(amd64, { tags: ["v1", "v2", "v3"] })])
      const report = yield* apply(given)
      assert.deepStrictEqual(deletions(given.held), ["amd64"])
      assert.deepStrictEqual(
        report.outcomes.map(({ outcome, tags }) => [outcome, tags]),
        [["done", ["v1", "v2", "v3"]]]
      )
    })
  )

  it.effect("has no request for a referrer that the registry deletes with its subject", () =>
    Effect.gen(function* () {
      const given = yield* planned(release)
      const report = yield* apply(given)
      assert.notInclude(deletions(given.held), "signature")
      assert.strictEqual(detailOf(report, signature), "the registry deleted it with its subject")
      assert.deepStrictEqual(stayedNames(given.held), [])
      assert.strictEqual(RetentionReport.status(report), "done")
    })
  )

  it.effect("has a check right before each deletion, and nothing in between", () =>
    Effect.gen(function* () {
      const given = yield* planned(
        [...release, old(image("other"), { tags: ["v2", "v3"] })],
        [{ tags: ["v1", "v2"], action: "delete" }]
      )
      given.held.requests.length = 0
      yield* apply(given, { concurrency: 1 })
      const sent = given.held.requests
      sent.forEach((request, at) => {
        if (!isDeletion(request)) return
        const name = request.name === "deleteTag" ? "tag" : "look"
        assert.deepStrictEqual(sent[at - 1], { name, subject: request.subject })
      })
    })
  )
})

/** Changes between the plan and the run, and the report on the index. */
const changes: ReadonlyArray<
  readonly [string, (held: TestRegistry) => Effect.Effect<unknown, unknown> | void, string]
> = [
  ["a new tag on it", ({ push }) => push({ manifest: app, tags: ["v2"] }), "it has new tags: v2"],
  ["a push of the same digest", ({ push }) => push({ manifest: app }), "it was pushed or changed again"],
  ["a lock", ({ lock }) => lock(app.descriptor.digest), "it was locked"],
  [
    "a new index that names it",
    ({ push }) => push({ manifest: index("outer", [app]), tags: ["v2"] }),
    "which needs it"
  ],
  [
    "a new index that names it by another new one",
    ({ push }) =>
      Effect.gen(function* () {
        const inner = index("inner", [app])
        yield* push({ manifest: inner })
        yield* push({ manifest: index("outer", [inner]), tags: ["v2"] })
      }),
    "which needs it"
  ],
  ["a new referrer", ({ push }) => push({ manifest: referrer("new SBOM", app) }), "which needs it"],
  ["a tag on its referrer", ({ push }) => push({ manifest: signature, tags: ["s"] }), "it has new tags: s"],
  [
    "a new signature by a tag",
    ({ push }) => push({ manifest: image("signed"), tags: [`${signatureTag(app).slice(0, -4)}.att`] }),
    ".att was pushed"
  ]
]

describe("a change since the plan", () => {
  for (const [what, change, detail] of changes) {
    it.effect(`keeps a manifest and all that it needs: ${what}`, () =>
      Effect.gen(function* () {
        const given = yield* planned(release)
        yield* Effect.orDie(change(given.held) ?? Effect.void)
        const report = yield* apply(given)
        assert.deepInclude(outcomesOf(report), { app: "changed", amd64: "needed", arm64: "needed", cosigned: "needed" })
        assert.include(detailOf(report, app), detail)
        isWhole(given.held)
        assert.strictEqual(RetentionReport.status(report), "changed")
      })
    )

    it.effect(`also if it came in the middle of the run: ${what}`, () =>
      Effect.gen(function* () {
        const given = yield* planned(
          [...release, old(image("other"), { tags: ["w1", "w2"] })],
          [{ tags: ["v1", "w1"], action: "delete" }]
        )
        let hasCome = false
        given.held.before = ({ name }) => {
          if (name !== "deleteTag" || hasCome) return Effect.void
          hasCome = true
          return Effect.orDie(Effect.asVoid(change(given.held) ?? Effect.void))
        }
        const report = yield* apply(given, { concurrency: 1 })
        assert.isTrue(hasCome)
        assert.deepStrictEqual(deletions(given.held), ["w1"])
        assert.strictEqual(outcomesOf(report)["app"], "changed")
        isWhole(given.held)
      })
    )
  }

  it.effect("keeps an image of a new index", () =>
    Effect.gen(function* () {
      const given = yield* planned(release)
      yield* given.held.push({ manifest: index("new", [amd64]), tags: ["v2"] })
      const report = yield* apply(given)
      assert.deepInclude(outcomesOf(report), { app: "done", amd64: "changed", arm64: "done" })
      assert.include(stayedNames(given.held), "amd64")
    })
  )

  it.effect("keeps a tag that was moved, locked or pushed again", () =>
    Effect.gen(function* () {
      const pushes = [old(amd64, { tags: ["moved", "locked", "again", "same", "gone", "stays"] })]
      const tags = ["moved", "locked", "again", "same", "gone"]
      const given = yield* planned(pushes, [{ tags, action: "delete" }])
      const { held } = given
      yield* held.push({ manifest: arm64, tags: ["moved"] })
      yield* held.push({ manifest: amd64, tags: ["again"] })
      held.lock("locked")
      yield* held.target.deleteTag("gone")
      const report = yield* apply(given)
      assert.deepStrictEqual(outcomesOf(report), {
        moved: "changed",
        locked: "changed",
        again: "changed",
        same: "done",
        gone: "gone"
      })
      assert.deepStrictEqual(Array.from(held.tags().keys()).toSorted(), ["again", "locked", "moved", "stays"])
    })
  )

  it.effect("does not keep the manifest that the tag named before", () =>
    Effect.gen(function* () {
      const given = yield* planned([old(amd64, { tags: ["v1"] })])
      yield* given.held.push({ manifest: arm64, tags: ["v1"] })
      const report = yield* apply(given)
      assert.deepStrictEqual(outcomesOf(report), { amd64: "done" })
      assert.deepStrictEqual(Array.from(given.held.tags()), [["v1", arm64.descriptor.digest]])
    })
  )

  it.effect("repeats the check if a manifest had to be read, and gives up if the changes never end", () =>
    Effect.gen(function* () {
      const pushes = [old(amd64, { tags: ["v1"] }), old(arm64, { tags: ["stays"] })]
      const given = yield* planned(pushes, [{ tags: ["v1"], action: "delete" }])
      const { held } = given
      const push = (name: string) => Effect.orDie(held.push({ manifest: index(name, [arm64]), tags: [name] }))
      yield* push("first")
      let count = 0
      held.before = ({ name }) => (name === "manifest" && count < 3 ? push(`new-${count++}`) : Effect.void)
      held.requests.length = 0
      assert.deepStrictEqual(outcomesOf(yield* apply(given)), { amd64: "done" })
      const looks = held.requests.filter(({ name, subject }) => name === "look" && subject === amd64.descriptor.digest)
      assert.lengthOf(looks, 5)

      const busy = yield* planned(pushes, [{ tags: ["v1"], action: "delete" }])
      let more = 0
      busy.held.before = ({ name }) =>
        name === "look" || name === "manifest"
          ? Effect.orDie(busy.held.push({ manifest: index(`${more++}`, [arm64]), tags: [`new-${more}`] }))
          : Effect.void
      const report = yield* apply(busy)
      assert.deepStrictEqual(outcomesOf(report), { amd64: "changed" })
      assert.include(detailOf(report, amd64), "faster than it can be checked")
    })
  )
})

describe("an object that is already gone", () => {
  it.effect("is reported as gone by the check or by the deletion, and what it needed is deleted", () =>
    Effect.gen(function* () {
      const given = yield* planned(release)
      yield* given.held.target.deleteManifest(app.descriptor.digest)
      const report = yield* apply(given)
      assert.deepInclude(outcomesOf(report), { app: "gone", amd64: "done", arm64: "done" })
      assert.strictEqual(RetentionReport.status(report), "done")

      const late = yield* planned(release)
      late.held.before = ({ name, subject }) =>
        name === "deleteManifest" && subject === app.descriptor.digest
          ? fails(new NotFound({ resource: "manifest", description: "gone" }))
          : Effect.void
      assert.deepInclude(outcomesOf(yield* apply(late)), { app: "gone", amd64: "done" })
    })
  )
})

describe("a registry that does not delete", () => {
  it.effect("because of a lock after the check is reported as refused, and the rest is done", () =>
    Effect.gen(function* () {
      const given = yield* planned([...release, ...tagged({ v2: 60 })])
      given.held.before = ({ name, subject }) =>
        Effect.sync(() => {
          if (name === "deleteManifest" && subject === app.descriptor.digest) given.held.lock(subject)
        })
      const report = yield* apply(given)
      assert.deepInclude(outcomesOf(report), { app: "refused", amd64: "needed" })
      assert.strictEqual(report.outcomes.filter(({ outcome }) => outcome === "done").length, 1)
      assert.strictEqual(RetentionReport.status(report), "failed")
      isWhole(given.held)
    })
  )

  it.effect("because it is unavailable is reported as failed, and the rest continues", () =>
    Effect.gen(function* () {
      const given = yield* planned([...release, ...tagged({ v2: 60 })])
      given.held.before = ({ name, subject }) =>
        name === "deleteManifest" && subject === app.descriptor.digest ? fails(unavailable) : Effect.void
      const report = yield* apply(given)
      assert.deepInclude(outcomesOf(report), { app: "failed", amd64: "needed" })
      assert.strictEqual(report.outcomes.filter(({ outcome }) => outcome === "done").length, 1)
      assert.strictEqual(RetentionReport.status(report), "failed")
    })
  )

  for (const reason of [new Unauthenticated({ description: "no" }), new Forbidden({ description: "no" })]) {
    it.effect(`since the login is refused ends the run: ${reason._tag}`, () =>
      Effect.gen(function* () {
        const given = yield* planned(tagged({ v1: 60, v2: 60, v3: 60, v4: 60 }))
        given.held.before = ({ name }) =>
          name === "deleteManifest" && deletions(given.held).length === 2 ? fails(reason) : Effect.void
        const report = yield* apply(given, { concurrency: 1 })
        assert.deepStrictEqual(
          report.outcomes.map(({ outcome }) => outcome),
          ["done", "failed", "notReached", "notReached"]
        )
        assert.isDefined(report.stopped)
        assert.strictEqual(RetentionReport.status(report), "stopped")
        assert.lengthOf(deletions(given.held), 2)
      })
    )
  }
})

describe("a locked object", () => {
  const locked = [old(amd64), old(arm64), old(app, { tags: ["v1"], isLocked: true, lockedTags: ["v1"] })]
  const include = { locked: "include" }

  it.effect("is deleted only if the rules and the run allow it", () =>
    Effect.gen(function* () {
      const kept = yield* planned(locked)
      assert.strictEqual(kept.plan.frees.manifests, 0)
      const given = yield* planned(locked, everything, include)
      assert.strictEqual(yield* refusalOf(given), "LocksNotAllowed")
      const report = yield* apply(given, { allowLocked: true })
      assert.strictEqual(RetentionReport.status(report), "done")
      assert.deepStrictEqual(stayedNames(given.held), [])
      assert.lengthOf(
        given.held.requests.filter(({ name }) => name === "relock"),
        0
      )
    })
  )

  it.effect("is locked again if it is not deleted, all of it", () =>
    Effect.gen(function* () {
      const given = yield* planned(locked, everything, include)
      const relocks = () =>
        given.held.requests.filter(({ name }) => name === "relock").map(({ subject }) => nameOf(subject))
      given.held.before = ({ name }) => (name === "deleteManifest" ? fails(unavailable) : Effect.void)
      const report = yield* apply(given, { allowLocked: true })
      assert.deepStrictEqual(outcomesOf(report), { app: "failed", amd64: "needed", arm64: "needed" })
      assert.sameMembers(relocks(), ["v1", "app"])
    })
  )

  it.effect("is locked again if the run is interrupted", () =>
    Effect.gen(function* () {
      const given = yield* planned(locked, everything, include)
      given.held.before = ({ name }) => (name === "deleteManifest" ? Effect.interrupt : Effect.void)
      const exit = yield* Effect.exit(apply(given, { allowLocked: true }))
      assert.isTrue(Exit.hasInterrupts(exit))
      const inventory = yield* Retention.inventory(given.held.target)
      assert.deepStrictEqual(
        [...inventory.tags, ...inventory.manifests.filter(({ kind }) => kind === "index")].map(
          ({ isLocked }) => isLocked
        ),
        [true, true]
      )
    })
  )

  it.effect("is not deleted if it cannot be unlocked, and what was unlocked before is locked again", () =>
    Effect.gen(function* () {
      const given = yield* planned(locked, everything, include)
      given.held.before = ({ name, subject }) =>
        name === "unlock" && subject === app.descriptor.digest ? fails(unavailable) : Effect.void
      const report = yield* apply(given, { allowLocked: true })
      assert.strictEqual(outcomesOf(report)["app"], "failed")
      assert.deepStrictEqual(deletions(given.held), [])
      const [tag] = (yield* Retention.inventory(given.held.target)).tags
      assert.deepInclude(tag, { name: "v1", isLocked: true })
    })
  )
})

describe("a run does not start", () => {
  it.effect("with a plan that was made by other rules", () =>
    Effect.gen(function* () {
      const given = yield* planned(release)
      const others: ReadonlyArray<ReadonlyArray<Fields>> = [
        [],
        [...everything, { tags: ["x"], action: "keep" }],
        everything.map((rule) => ({ ...rule, because: "another reason" })),
        everything.map((rule) => ({ ...rule, olderThan: "1 minute" }))
      ]
      for (const rules of others) {
        assert.strictEqual(yield* refusalOf({ ...given, rules: yield* rulesOf(rules) }), "OtherRules")
      }
      // The same rules, read again.
      assert.strictEqual(RetentionReport.status(yield* apply({ ...given, rules: yield* rulesOf(everything) })), "done")
    })
  )

  it.effect("with a plan for another registry or repository", () =>
    Effect.gen(function* () {
      const given = yield* planned(release)
      const { plan } = given
      assert.strictEqual(yield* refusalOf({ ...given, plan: { ...plan, registry: "other" } }), "OtherRepository")
      assert.strictEqual(yield* refusalOf({ ...given, plan: { ...plan, repository: "other" } }), "OtherRepository")
    })
  )

  it.effect("with a plan that is older than an hour by the registry's clock, unless the run allows it", () =>
    Effect.gen(function* () {
      const given = yield* planned(release)
      const { held } = given
      const later = (minutes: number) => DateTime.addDuration(given.plan.at, Duration.minutes(minutes))
      held.now = later(61)
      assert.strictEqual(yield* refusalOf(given), "TooOld")
      assert.strictEqual(yield* refusalOf(given, { maxAge: "1 minute" }), "TooOld")
      // Nor with one from the future.
      held.now = later(-61)
      assert.strictEqual(yield* refusalOf(given), "TooOld")
      held.now = later(61)
      assert.strictEqual(RetentionReport.status(yield* apply(given, { maxAge: "2 hours" })), "done")
      const young = yield* planned(release)
      young.held.now = later(60)
      assert.strictEqual(RetentionReport.status(yield* apply(young)), "done")
    })
  )

  it.effect("with a plan that exceeds a limit, also if the plan was edited to hide that", () =>
    Effect.gen(function* () {
      for (const limits of [{ maxDeletions: 5 }, { maxFraction: 0.9 }, { minRemaining: 1 }]) {
        const given = yield* planned(release, everything, { limits: { maxFraction: 1, minRemaining: 0, ...limits } })
        assert.isNotEmpty(given.plan.exceeds)
        assert.strictEqual(yield* refusalOf(given), "LimitExceeded")
        assert.strictEqual(yield* refusalOf({ ...given, plan: { ...given.plan, exceeds: [] } }), "LimitExceeded")
      }
      // The default limits.
      assert.strictEqual(yield* refusalOf(yield* planned(release, everything, { limits: {} })), "LimitExceeded")
    })
  )

  it.effect("with a plan that was edited to delete what something needs", () =>
    Effect.gen(function* () {
      const given = yield* planned([...release, old(image("other"), { tags: ["v2"] })], [])
      const doomed = (digest: string): Plan => ({
        ...given.plan,
        manifests: given.plan.manifests.map((one) => (one.digest === digest ? { ...one, verdict: "delete" } : one))
      })
      for (const manifest of [amd64, signature, app, cosigned]) {
        const edited = { ...given, plan: doomed(manifest.descriptor.digest) }
        assert.strictEqual(yield* refusalOf(edited), "InconsistentPlan")
      }
    })
  )
})

describe("a dry run", () => {
  it.effect("sends no write requests, and the run does what it reports", () =>
    Effect.gen(function* () {
      const given = yield* planned(
        [...release, ...tagged({ v2: 60, v3: 5 })],
        [{ tags: ["v1", "v2"], olderThan: "30 days", action: "delete" }]
      )
      const { held, plan } = given
      assert.deepStrictEqual(held.requests.filter(isWrite), [])
      const before = held.digests()
      const report = yield* apply(given)
      const planGoes = plan.manifests.filter(({ verdict }) => verdict === "delete").map(({ digest }) => String(digest))
      assert.sameMembers(
        planGoes,
        Array.from(before).filter((digest) => !held.digests().has(digest))
      )
      assert.sameMembers(
        planGoes,
        report.outcomes.filter(({ outcome }) => outcome === "done").map(({ digest }) => String(digest))
      )
    })
  )
})

describe("two runs at once", () => {
  it.effect("both finish, and each deletion is done once", () =>
    Effect.gen(function* () {
      const given = yield* planned(
        [...release, ...tagged({ v2: 60, v3: 60, v4: 5 })],
        [{ of: ["tags", "untagged", "orphans"], olderThan: "30 days", action: "delete" }]
      )
      const { held } = given
      // Each request waits, so that the runs take turns.
      held.before = () => Effect.yieldNow
      const [one, other] = yield* Effect.all([apply(given), apply(given)], { concurrency: 2 })
      for (const report of [one, other]) {
        assert.isTrue(report.outcomes.every(({ outcome }) => outcome === "done" || outcome === "gone"))
        assert.strictEqual(RetentionReport.status(report), "done")
      }
      assert.deepStrictEqual(Array.from(held.tags().keys()), ["v4"])
      assert.strictEqual(held.digests().size, 1)
    })
  )
})

describe("a report", () => {
  it.effect("counts by rule, and has the times and the plan's order", () =>
    Effect.gen(function* () {
      const given = yield* planned(
        [...release, ...tagged({ a1: 60, a2: 60 })],
        [
          { name: "releases", tags: ["v*"], action: "delete" },
          { name: "builds", tags: ["a*"], action: "delete" }
        ]
      )
      yield* given.held.push({ manifest: image("a1"), tags: ["new"] })
      const report = yield* apply(given)
      const totals = RetentionReport.totals(report)
      assert.deepStrictEqual(Object.fromEntries(totals.get("builds") ?? []), { changed: 1, done: 1 })
      assert.deepStrictEqual(Object.fromEntries(totals.get("releases") ?? []), { done: 1 })
      // What is deleted with the release.
      assert.deepStrictEqual(Object.fromEntries(totals.get("") ?? []), { done: 4 })
      assert.isTrue(DateTime.Equivalence(report.plannedAt, given.plan.at))
    })
  )

  it.effect("says in which order to restore: images, index, referrers, and the tags of each", () =>
    Effect.gen(function* () {
      const given = yield* planned(release)
      const { restore } = yield* apply(given)
      const order = restore.map(({ digest }) => nameOf(digest))
      assert.sameMembers(order, ["amd64", "arm64", "app", "signature", "cosigned"])
      assert.isBelow(Math.max(order.indexOf("amd64"), order.indexOf("arm64")), order.indexOf("app"))
      assert.isBelow(order.indexOf("app"), order.indexOf("signature"))
      assert.deepStrictEqual(restore.find(({ digest }) => nameOf(digest) === "app")?.tags, ["v1"])
    })
  )

  it.effect("has what is missing after the run, which is a failure", () =>
    Effect.gen(function* () {
      const kept = image("kept")
      const given = yield* planned(
        [old(amd64, { tags: ["v1"] }), old(kept, { tags: ["kept"] })],
        [{ tags: ["v1"], action: "delete" }]
      )
      const { held } = given
      // Another program deletes what the plan keeps.
      held.before = ({ name }) =>
        name === "deleteManifest" && held.tags().has("kept")
          ? Effect.suspend(() => {
              held.before = () => Effect.void
              return held.target.deleteManifest(kept.descriptor.digest)
            })
          : Effect.void
      const report = yield* apply(given)
      assert.deepStrictEqual(report.check?.missingManifests, [kept.descriptor.digest])
      assert.deepStrictEqual(report.check?.missingTags, [{ name: "kept", digest: kept.descriptor.digest }])
      assert.strictEqual(RetentionReport.status(report), "failed")
    })
  )

  it.effect("has what was lost by a push right before a deletion, an index or a referrer", () =>
    Effect.gen(function* () {
      const late = index("late", [amd64])
      const lateReferrer = referrer("late", amd64)
      const given = yield* planned([old(amd64, { tags: ["v1"] })], everything, {}, { cascades: false })
      const { held } = given
      held.before = ({ name }) =>
        name === "deleteManifest"
          ? Effect.orDie(
              Effect.andThen(held.push({ manifest: late, tags: ["late"] }), held.push({ manifest: lateReferrer }))
            )
          : Effect.void
      const { check } = yield* apply(given)
      assert.deepStrictEqual(check?.broken, [{ digest: late.descriptor.digest, missing: [amd64.descriptor.digest] }])
      assert.deepStrictEqual(check?.orphaned, [
        { digest: lateReferrer.descriptor.digest, subject: amd64.descriptor.digest }
      ])
    })
  )

  it.effect("has no check if the repository can no longer be read", () =>
    Effect.gen(function* () {
      const given = yield* planned([old(amd64, { tags: ["v1"] })])
      given.held.before = ({ name }) => (name === "tags" ? fails(unavailable) : Effect.void)
      const report = yield* apply(given)
      assert.isUndefined(report.check)
      assert.deepStrictEqual(outcomesOf(report), { amd64: "done" })
    })
  )
})
