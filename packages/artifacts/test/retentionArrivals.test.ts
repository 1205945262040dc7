/**
 * Pushes while a plan is carried out are seen by each deletion, without making each one slower than the one before.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as Retention from "../src/Retention.ts"
import type { RetentionTarget } from "../src/RetentionTarget.ts"
import {
  image,
  index,
  planFor,
  referrer,
  registry,
  rulesOf,
  signatureTag,
  start,
  type TestRegistry
} from "./support/retention.ts"

const deleteAll = [{ of: ["tags", "untagged", "orphans"], action: "delete" }]

const byDigest = (manifests: ReadonlyArray<Manifest.Raw>): ReadonlyArray<Manifest.Raw> =>
  manifests.toSorted((one, other) => (one.descriptor.digest < other.descriptor.digest ? -1 : 1))

/** Images to be deleted, in the order of their deletion. */
const images = (count: number) => byDigest(Array.from({ length: count }, (_, number) => image(`old ${number}`)))

/** Lets time pass here and in the registry. */
const pass = (held: TestRegistry, minutes: number) =>
  Effect.andThen(
    TestClock.adjust(`${minutes} minutes`),
    Effect.sync(() => {
      held.now = DateTime.add(held.now, { minutes })
    })
  )

/** A target that counts what its checks request and list. */
const counted = (target: RetentionTarget) => {
  const counts = { looked: 0, listed: 0 }
  const counting: RetentionTarget = {
    ...target,
    look: (manifests, since) =>
      Effect.tap(target.look(manifests, since), ({ newer, newerTags }) =>
        Effect.sync(() => {
          counts.looked += manifests.length
          counts.listed += newer.length + newerTags.length
        })
      )
  }
  return { counts, target: counting }
}

const oneByOne = { concurrency: 1, maxAge: "10 days" } as const

describe("while a plan is carried out", () => {
  it.effect("each of many pushes is listed by few checks", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(DateTime.toEpochMillis(start))
      const held = registry()
      const count = 60
      yield* Effect.forEach(images(count), (manifest) => held.push({ manifest, age: 10 }))
      const rules = yield* rulesOf(deleteAll)
      const plan = yield* planFor(held, rules)
      let pushes = 0
      held.before = ({ name }) =>
        name === "deleteManifest"
          ? Effect.andThen(pass(held, 1), Effect.orDie(held.push({ manifest: image(`new ${pushes++}`) })))
          : Effect.void
      const { counts, target } = counted(held.target)
      const report = yield* Retention.apply(target, plan, rules, oneByOne)
      assert.isTrue(report.outcomes.every(({ outcome }) => outcome === "done"))
      assert.strictEqual(pushes, count)
      // Each push is listed by the check that finds it, by the next one, and by those of the minute after it.
      assert.isAtMost(counts.listed, count * 6)
    })
  )

  it.effect("a manifest that an early check saw counts for the last deletion", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(DateTime.toEpochMillis(start))
      const held = registry()
      const old = images(6)
      yield* Effect.forEach(old, (manifest) => held.push({ manifest, age: 10 }))
      const last = old.slice(-1)
      const rules = yield* rulesOf(deleteAll)
      const plan = yield* planFor(held, rules)
      let pushes = 0
      held.before = ({ name }) =>
        name === "deleteManifest"
          ? Effect.andThen(
              pass(held, 10),
              Effect.orDie(held.push({ manifest: pushes++ === 0 ? index("needs", last) : image(`new ${pushes}`) }))
            )
          : Effect.void
      const report = yield* Retention.apply(held.target, plan, rules, oneByOne)
      assert.deepStrictEqual(
        report.outcomes.map(({ outcome }) => outcome),
        ["done", "done", "done", "done", "done", "changed"]
      )
      assert.isTrue(last.every(({ descriptor }) => held.digests().has(descriptor.digest)))
    })
  )

  it.effect("a tag that an early check saw counts for the last deletion", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(DateTime.toEpochMillis(start))
      const held = registry()
      const old = images(4)
      yield* Effect.forEach(old, (manifest) => held.push({ manifest, age: 10 }))
      const rules = yield* rulesOf(deleteAll)
      const plan = yield* planFor(held, rules)
      const signatures = old.slice(-1).map(signatureTag)
      let pushes = 0
      held.before = ({ name }) =>
        name === "deleteManifest"
          ? Effect.andThen(
              pass(held, 10),
              Effect.orDie(
                held.push({ manifest: image(`new ${pushes}`), tags: pushes++ === 0 ? signatures : [`new-${pushes}`] })
              )
            )
          : Effect.void
      // A registry may leave the time of a manifest as it is when a tag comes.
      const target: RetentionTarget = {
        ...held.target,
        look: (manifests, since) => Effect.map(held.target.look(manifests, since), (look) => ({ ...look, newer: [] }))
      }
      const report = yield* Retention.apply(target, plan, rules, oneByOne)
      assert.deepStrictEqual(
        report.outcomes.map(({ outcome }) => outcome),
        ["done", "done", "done", "changed"]
      )
    })
  )

  it.effect("a manifest with a time in the future hides no later push", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(DateTime.toEpochMillis(start))
      const held = registry()
      const old = images(4)
      yield* Effect.forEach(old, (manifest) => held.push({ manifest, age: 10 }))
      yield* held.push({ manifest: image("from the future"), tags: ["kept"], age: -365 })
      const last = old.slice(-1)
      const rules = yield* rulesOf([{ of: ["untagged"], action: "delete" }])
      const plan = yield* planFor(held, rules)
      let deletions = 0
      held.before = ({ name }) =>
        name === "deleteManifest" && deletions++ === 1
          ? Effect.andThen(pass(held, 10), Effect.orDie(held.push({ manifest: index("needs", last) })))
          : Effect.void
      const report = yield* Retention.apply(held.target, plan, rules, oneByOne)
      assert.deepStrictEqual(
        report.outcomes.map(({ outcome }) => outcome),
        ["done", "done", "done", "changed"]
      )
    })
  )

  it.effect("a manifest that was pushed just before the plan and is deleted keeps nothing", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(DateTime.toEpochMillis(start))
      const held = registry()
      const app = image("app")
      yield* held.push({ manifest: app })
      yield* held.push({ manifest: index("many", [app]), tags: ["v1"] })
      const rules = yield* rulesOf(deleteAll, { safetyAge: "none", limits: { maxFraction: 1, minRemaining: 0 } })
      const plan = yield* planFor(held, rules)
      const report = yield* Retention.apply(held.target, plan, rules, oneByOne)
      assert.deepStrictEqual(
        report.outcomes.map(({ outcome }) => outcome),
        ["done", "done"]
      )
    })
  )

  it.effect(
    "a manifest that was deleted and pushed again keeps what it needs, also if only an early check saw it",
    () =>
      Effect.gen(function* () {
        yield* TestClock.setTime(DateTime.toEpochMillis(start))
        const held = registry()
        const app = image("app")
        const many = index("many", [app])
        // They are deleted after the index, and before its image.
        const others = images(30).filter(({ descriptor }) => descriptor.digest > many.descriptor.digest)
        assert.isAtLeast(others.length, 3)
        yield* Effect.forEach([app, many, ...others], (manifest) => held.push({ manifest }))
        const rules = yield* rulesOf(deleteAll, { safetyAge: "none" })
        const plan = yield* planFor(held, rules)
        let pushes = 0
        held.before = ({ name, subject }) =>
          name === "deleteManifest" && subject > many.descriptor.digest
            ? Effect.andThen(
                pass(held, 10),
                Effect.orDie(held.push({ manifest: pushes++ === 0 ? many : image(`new ${pushes}`) }))
              )
            : Effect.void
        const report = yield* Retention.apply(held.target, plan, rules, oneByOne)
        assert.deepStrictEqual(
          report.outcomes.map(({ outcome }) => outcome),
          ["done", ...others.map(() => "done" as const), "changed"]
        )
        assert.isTrue(held.digests().has(app.descriptor.digest))
      })
  )

  it.effect("a chain of referrers that is deleted with its subject is checked once", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(DateTime.toEpochMillis(start))
      const held = registry()
      const count = 40
      let above = image("app")
      yield* held.push({ manifest: above, tags: ["v1"], age: 10 })
      for (let number = 1; number < count; number++) {
        above = referrer(`referrer ${number}`, above)
        yield* held.push({ manifest: above, age: 10 })
      }
      const rules = yield* rulesOf(deleteAll)
      const plan = yield* planFor(held, rules)
      const { counts, target } = counted(held.target)
      const report = yield* Retention.apply(target, plan, rules)
      assert.lengthOf(report.outcomes, count)
      assert.isTrue(report.outcomes.every(({ outcome }) => outcome === "done"))
      // Once before its subject is deleted, and once after.
      assert.isAtMost(counts.looked, count * 2)
    })
  )
})
