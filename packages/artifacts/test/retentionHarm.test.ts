/**
 * Causes of harm by a retention although its plan is right.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import type * as Digest from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Manifest from "@effect-acr/client/Manifest"
import { NotFound, RegistryError } from "@effect-acr/client/RegistryError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Ref from "effect/Ref"
import * as Retention from "../src/Retention.ts"
import type { Tag } from "../src/RetentionInventory.ts"
import type { Plan } from "../src/RetentionPlan.ts"
import type { Outcome } from "../src/RetentionReport.ts"
import * as RetentionReport from "../src/RetentionReport.ts"
import { layer, rawOf } from "./support/artifacts.ts"
import { image, index, planFor, referrer, registry, rulesOf } from "./support/retention.ts"

const app = image("app")
const many = index("many", [app])

const unknownPath = (operation: string) =>
  Effect.fail(
    new RegistryError({ operation, reason: new NotFound({ resource: "endpoint", description: "404 page not found" }) })
  )

const withoutTime = ({ digest, isLocked, name }: Tag): Tag => ({ name, digest, isLocked })

const kept = (plan: Plan) => plan.tags.filter(({ verdict }) => verdict === "keep").length

const deleteAll = [{ of: ["tags", "untagged", "orphans"], action: "delete" }]

describe("a retention", () => {
  it.effect("does not count a 404 of an unlocking as a deletion", () =>
    Effect.gen(function* () {
      const held = registry()
      yield* held.push({ manifest: app, age: 10 })
      yield* held.push({ manifest: many, tags: ["v1"], age: 10, isLocked: true })
      const rules = yield* rulesOf(deleteAll, { locked: "include", limits: { maxFraction: 1, minRemaining: 0 } })
      const plan = yield* planFor(held, rules)
      held.before = ({ name }) => (name === "unlock" ? unknownPath(name) : Effect.void)
      const report = yield* Retention.apply(held.target, plan, rules, { allowLocked: true })
      assert.deepStrictEqual(
        report.outcomes.map(({ outcome }) => outcome),
        ["refused", "needed"]
      )
      assert.strictEqual(held.digests().size, 2)
    })
  )

  it.effect("does not count a 404 of a check as a deletion", () =>
    Effect.gen(function* () {
      const held = registry()
      yield* held.push({ manifest: app, age: 10 })
      yield* held.push({ manifest: many, tags: ["v1"], age: 10 })
      const rules = yield* rulesOf(deleteAll)
      const plan = yield* planFor(held, rules)
      held.before = ({ name, subject }) =>
        name === "look" && subject === many.descriptor.digest ? unknownPath(name) : Effect.void
      const report = yield* Retention.apply(held.target, plan, rules)
      assert.deepStrictEqual(
        report.outcomes.map(({ outcome }) => outcome),
        ["failed", "needed"]
      )
      assert.strictEqual(held.digests().size, 2)
    })
  )

  it.effect("does not call an index of blobs broken, such as a build cache", () =>
    Effect.gen(function* () {
      const held = registry()
      const cache = rawOf(
        MediaType.ociImageIndex,
        Manifest.format(Manifest.index({ manifests: [{ ...layer("cached"), mediaType: MediaType.ociImageLayerGzip }] }))
      )
      yield* held.store.putBlob(layer("cached"), BlobSource.fromString("cached"))
      yield* held.push({ manifest: cache, tags: ["cache"], age: 10 })
      const plan = yield* planFor(held, yield* rulesOf([{ isBroken: true, action: "delete" }]))
      assert.deepStrictEqual(plan.broken, [])
      assert.deepStrictEqual(
        plan.tags.map(({ verdict }) => verdict),
        ["keep"]
      )
    })
  )

  it.effect("keeps a manifest that an index lists under another type", () =>
    Effect.gen(function* () {
      const held = registry()
      const odd = rawOf(
        MediaType.ociImageIndex,
        Manifest.format(
          Manifest.index({
            manifests: [{ ...app.descriptor, mediaType: MediaType.MediaType.make("application/vnd.example.image") }]
          })
        )
      )
      yield* held.push({ manifest: app, age: 10 })
      yield* held.push({ manifest: odd, tags: ["odd"], age: 10 })
      const plan = yield* planFor(held, yield* rulesOf([{ of: ["untagged"], action: "delete" }]))
      assert.strictEqual(plan.frees.manifests, 0)
    })
  )

  it.effect("unlocks the referrers that the registry deletes along with their subject", () =>
    Effect.gen(function* () {
      const held = registry()
      const signature = referrer("signature", app)
      yield* held.push({ manifest: app, tags: ["v1"], age: 10 })
      yield* held.push({ manifest: signature, age: 10, isLocked: true })
      const rules = yield* rulesOf(deleteAll, { locked: "include" })
      const plan = yield* planFor(held, rules)
      const report = yield* Retention.apply(held.target, plan, rules, { allowLocked: true })
      assert.strictEqual(RetentionReport.status(report), "done")
      assert.strictEqual(held.digests().size, 0)
      assert.deepStrictEqual(
        held.requests.filter(({ name }) => name === "unlock").map(({ subject }) => subject),
        [signature.descriptor.digest]
      )
    })
  )

  it.effect("keeps everything without a time for a rule that keeps the newest", () =>
    Effect.gen(function* () {
      const held = registry()
      for (const name of ["a", "b", "c"]) yield* held.push({ manifest: image(name), tags: [name], age: 10 })
      const inventory = yield* Retention.inventory(held.target)
      const timeless = { ...inventory, tags: inventory.tags.map(withoutTime) }
      const rules = yield* rulesOf([{ newest: { count: 1 }, action: "keep" }, { action: "delete" }], {
        safetyAge: "none"
      })
      assert.strictEqual(kept(yield* Effect.fromResult(Retention.plan(inventory, rules))), 1)
      const plan = yield* Effect.fromResult(Retention.plan(timeless, rules))
      assert.strictEqual(kept(plan), 3)
      assert.include(plan.warnings.join(), "newest keeps all of them")
    })
  )

  it.effect("warns of a list of digests without any manifest of the repository", () =>
    Effect.gen(function* () {
      const held = registry()
      yield* held.push({ manifest: app, age: 10 })
      yield* held.push({ manifest: many, tags: ["v1"], age: 10 })
      const rules = yield* rulesOf([{ digests: "running", action: "keep" }])
      const inventory = yield* Retention.inventory(held.target)
      const warnings = (running: ReadonlyArray<Digest.Digest>) =>
        Effect.map(Effect.fromResult(Retention.plan(inventory, rules, { digests: { running } })), (plan) =>
          plan.warnings.filter((warning) => warning.startsWith("the list"))
        )
      assert.deepStrictEqual(yield* warnings([app.descriptor.digest]), [])
      assert.deepStrictEqual(yield* warnings([]), [
        'the list "running" of the rule "rule 1" has nothing of this repository'
      ])
    })
  )

  it.effect("restores what a resumed run finds gone, as it may have deleted that right before it was interrupted", () =>
    Effect.gen(function* () {
      const held = registry()
      const other = image("other")
      yield* held.push({ manifest: app, tags: ["v1"], age: 10 })
      yield* held.push({ manifest: other, tags: ["v2"], age: 10 })
      const rules = yield* rulesOf(deleteAll)
      const plan = yield* planFor(held, rules)
      const written = yield* Ref.make<ReadonlyArray<Outcome>>([])
      const journal = (mostLines: number) => ({
        begin: () => Ref.get(written),
        record: (outcome: Outcome) => Ref.update(written, (all) => [...all, outcome].slice(0, mostLines))
      })
      yield* Retention.apply(held.target, plan, rules, { journal: journal(1), concurrency: 1 })
      const report = yield* Retention.apply(held.target, plan, rules, { journal: journal(2), concurrency: 1 })
      assert.sameMembers(
        report.outcomes.map(({ outcome }) => outcome),
        ["done", "gone"]
      )
      assert.strictEqual(report.restore.length, 2)
    })
  )
})
