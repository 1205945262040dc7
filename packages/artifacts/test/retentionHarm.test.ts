/**
 * What could make a retention do harm although its plan is right.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Manifest from "@effect-acr/client/Manifest"
import { NotFound, RegistryError } from "@effect-acr/client/RegistryError"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Retention from "../src/Retention.ts"
import * as RetentionReport from "../src/RetentionReport.ts"
import { layer, rawOf } from "./support/artifacts.ts"
import { image, index, planFor, referrer, registry, rulesOf } from "./support/retention.ts"

const app = image("app")
const many = index("many", [app])

const unknownPath = (operation: string) =>
  Effect.fail(
    new RegistryError({ operation, reason: new NotFound({ resource: "endpoint", description: "404 page not found" }) })
  )

const deleteAll = [{ of: ["tags", "untagged", "orphans"], action: "delete" }]

describe("a retention", () => {
  it.effect("does not take a 404 of an unlocking for a deletion", () =>
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

  it.effect("does not take a 404 of a look for a deletion", () =>
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

  it.effect("does not call an index broken for the blobs that it lists, as build caches are", () =>
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
})
