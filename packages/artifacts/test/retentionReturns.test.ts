/**
 * Manifests that are pushed, also again, while a retention runs: what belongs to them is kept.
 */
import { assert, describe, it } from "@effect/vitest"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Retention from "../src/Retention.ts"
import type { Report } from "../src/RetentionReport.ts"
import {
  fallbackTag,
  image,
  index,
  planFor,
  type Push,
  referrer,
  registry,
  type Request,
  rulesOf,
  signatureTag,
  type TestRegistry
} from "./support/retention.ts"

const app = image("app")
const sbom = referrer("sbom", app)
const signature = image("signature")

/** Pushes once, before the first request that fits. */
const pushBefore = (held: TestRegistry, name: Request["name"], subject: string, push: Push) => {
  let isDone = false
  held.before = (request): Effect.Effect<void, RegistryError> => {
    if (isDone || request.name !== name || request.subject !== subject) return Effect.void
    isDone = true
    return Effect.orDie(held.push(push))
  }
}

const runDeletingAll = (
  held: TestRegistry,
  rules: Parameters<typeof rulesOf>[0] = []
): Effect.Effect<Report, unknown> =>
  Effect.gen(function* () {
    const decoded = yield* rulesOf([...rules, { of: ["tags", "untagged", "orphans"], action: "delete" }])
    const plan = yield* planFor(held, decoded)
    return yield* Retention.apply(held.target, plan, decoded)
  })

describe("a registry that does not update the time of a repeated push", () => {
  it.effect("keeps a tag that was pushed again since the plan", () =>
    Effect.gen(function* () {
      const held = registry({ datesAgain: false })
      yield* held.push({ manifest: app, tags: ["v1"], age: 10 })
      pushBefore(held, "look", app.descriptor.digest, { manifest: app, tags: ["v1"] })
      const { outcomes } = yield* runDeletingAll(held)
      assert.deepStrictEqual(
        outcomes.map(({ outcome }) => outcome),
        ["changed"]
      )
    })
  )

  it.effect("keeps an image to which a tag attached an existing manifest", () =>
    Effect.gen(function* () {
      const held = registry({ datesAgain: false })
      yield* held.push({ manifest: app, tags: ["v1"], age: 10 })
      yield* held.push({ manifest: signature, tags: ["latest"], age: 10 })
      pushBefore(held, "look", app.descriptor.digest, { manifest: signature, tags: [signatureTag(app)] })
      yield* runDeletingAll(held, [{ tags: ["latest"], action: "keep" }])
      assert.isTrue(held.digests().has(app.descriptor.digest))
    })
  )
})

describe("a push while an inventory is read", () => {
  it.effect("is kept, although it existed before and the rules have no safety age", () =>
    Effect.gen(function* () {
      const held = registry()
      yield* held.push({ manifest: app, tags: ["v1"], age: 10 })
      held.before = ({ name }) => {
        if (name !== "manifests") return Effect.void
        held.before = () => Effect.void
        held.now = DateTime.add(held.now, { seconds: 1 })
        return Effect.orDie(held.push({ manifest: app, tags: ["v1"] }))
      }
      const rules = yield* rulesOf([{ olderThan: "1 day", action: "delete" }], { safetyAge: "none" })
      const plan = yield* planFor(held, rules)
      const { outcomes } = yield* Retention.apply(held.target, plan, rules)
      assert.deepStrictEqual(
        outcomes.map(({ outcome }) => outcome),
        ["changed"]
      )
    })
  )
})

describe("a push while a retention runs", () => {
  it.effect("keeps the referrers of the manifest, although the run deleted it", () =>
    Effect.gen(function* () {
      const held = registry({ cascades: false })
      yield* held.push({ manifest: app, tags: ["v1"], age: 10 })
      yield* held.push({ manifest: sbom, age: 10 })
      pushBefore(held, "look", sbom.descriptor.digest, { manifest: app, tags: ["v1"] })
      const { outcomes } = yield* runDeletingAll(held)
      assert.deepStrictEqual(
        outcomes.map(({ outcome }) => outcome),
        ["done", "changed"]
      )
      assert.isTrue(held.digests().has(sbom.descriptor.digest))
    })
  )

  it.effect("keeps what tags attach to it, although the run deleted it", () =>
    Effect.gen(function* () {
      const held = registry()
      yield* held.push({ manifest: app, tags: ["v1"], age: 10 })
      yield* held.push({ manifest: signature, tags: [signatureTag(app)], age: 10 })
      pushBefore(held, "look", signature.descriptor.digest, { manifest: app, tags: ["v1"] })
      yield* runDeletingAll(held)
      assert.deepStrictEqual(Array.from(held.tags().keys()).toSorted(), [signatureTag(app), "v1"].toSorted())
    })
  )

  it.effect("keeps a tag that attaches to it, whose manifest is kept for another reason", () =>
    Effect.gen(function* () {
      const held = registry()
      yield* held.push({ manifest: app, tags: ["v1"], age: 10 })
      yield* held.push({ manifest: signature, tags: [signatureTag(app), "latest"], age: 10 })
      pushBefore(held, "tag", signatureTag(app), { manifest: app, tags: ["v1"] })
      yield* runDeletingAll(held, [{ tags: ["latest"], action: "keep" }])
      assert.deepStrictEqual(Array.from(held.tags().keys()).toSorted(), [signatureTag(app), "latest", "v1"].toSorted())
    })
  )

  it.effect("keeps referrers that were orphans before", () =>
    Effect.gen(function* () {
      const held = registry()
      yield* held.push({ manifest: sbom, age: 10 })
      yield* held.push({ manifest: signature, tags: [signatureTag(app)], age: 10 })
      const rules = yield* rulesOf([{ of: ["orphans"], action: "delete" }])
      const plan = yield* planFor(held, rules)
      yield* held.push({ manifest: app, tags: ["v1"] })
      yield* Retention.apply(held.target, plan, rules)
      assert.deepStrictEqual(Array.from(held.tags().keys()).toSorted(), [signatureTag(app), "v1"].toSorted())
      assert.isTrue(held.digests().has(sbom.descriptor.digest))
    })
  )

  it.effect("keeps all that an index needs through a list of referrers", () =>
    Effect.gen(function* () {
      const list = index("list", [sbom])
      const above = index("above", [list])
      const held = registry()
      yield* held.push({ manifest: app, tags: ["v1"], age: 10 })
      yield* held.push({ manifest: sbom, age: 10 })
      yield* held.push({ manifest: list, tags: [fallbackTag(app)], age: 10 })
      yield* held.push({ manifest: above, tags: ["v2"], age: 10 })
      pushBefore(held, "look", above.descriptor.digest, { manifest: above, tags: ["v3"] })
      yield* runDeletingAll(held)
      assert.strictEqual(held.digests().size, 4)
    })
  )
})
