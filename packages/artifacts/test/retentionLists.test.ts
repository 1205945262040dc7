/**
 * Lists of referrers that lost their tag: where a registry has no referrers API, a client that attaches replaces the list
 * under the tag, and the earlier one stays without a tag.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Retention from "../src/Retention.ts"
import * as RetentionReport from "../src/RetentionReport.ts"
import { fallbackTag, image, index, planFor, referrer, registry, rulesOf } from "./support/retention.ts"

const released = image("a release")
const other = image("another release")
const signature = referrer("a signature", released)
const sbom = referrer("an SBOM", released)
const otherSbom = referrer("another SBOM", other)
const earlier = index("the earlier list", [signature])
const current = index("the list", [signature, sbom])

const old = { name: "old", tags: ["v1"], action: "delete" }

/** A release with its referrers, their list, and the list before that, all of them a month old. */
const filled = (options: { readonly isLocked?: boolean } = {}) =>
  Effect.gen(function* () {
    const filled = registry({ cascades: false })
    yield* filled.push({ manifest: released, tags: ["v1"], age: 30 })
    for (const manifest of [signature, sbom]) yield* filled.push({ manifest, age: 30 })
    yield* filled.push({ manifest: earlier, age: 30, ...options })
    yield* filled.push({ manifest: current, tags: [fallbackTag(released)], age: 30 })
    return filled
  })

const digestOf = ({ descriptor }: typeof released): string => descriptor.digest

const run = (filled: ReturnType<typeof registry>, rules: ReadonlyArray<{ readonly [field: string]: unknown }>) =>
  Effect.gen(function* () {
    const decoded = yield* rulesOf(rules)
    const plan = yield* planFor(filled, decoded)
    const report = yield* Retention.apply(filled.target, plan, decoded)
    assert.strictEqual(RetentionReport.status(report), "done")
    return plan
  })

describe("a list of referrers without a tag", () => {
  it.effect("is deleted with the manifest that they refer to, and does not keep it", () =>
    Effect.gen(function* () {
      const registry = yield* filled()
      const plan = yield* run(registry, [old])
      assert.deepStrictEqual(Array.from(registry.digests()), [])
      const list = plan.manifests.find(({ digest }) => digest === digestOf(earlier))
      assert.deepInclude(list, { by: "follows", of: released.descriptor.digest })
    })
  )

  it.effect("is kept with the manifest that they refer to", () =>
    Effect.gen(function* () {
      const registry = yield* filled()
      yield* run(registry, [])
      assert.strictEqual(registry.digests().size, 5)
    })
  )

  it.effect("is deleted alone by a rule for untagged manifests", () =>
    Effect.gen(function* () {
      const registry = yield* filled()
      yield* run(registry, [{ name: "untagged", of: ["untagged"], action: "delete" }])
      assert.deepStrictEqual(
        Array.from(registry.digests()).toSorted(),
        [released, signature, sbom, current].map(digestOf).toSorted()
      )
    })
  )

  it.effect("keeps the manifest if a lock keeps the list", () =>
    Effect.gen(function* () {
      const registry = yield* filled({ isLocked: true })
      yield* run(registry, [old])
      assert.strictEqual(registry.digests().size, 5)
    })
  )

  it.effect("keeps what it names if that refers to different manifests: it is not a list of referrers", () =>
    Effect.gen(function* () {
      const registry = yield* filled()
      yield* registry.push({ manifest: other, tags: ["v2"], age: 30 })
      yield* registry.push({ manifest: otherSbom, age: 30 })
      yield* registry.push({ manifest: index("an index of SBOMs", [sbom, otherSbom]), age: 30 })
      yield* run(registry, [old])
      assert.strictEqual(registry.digests().size, 8)
    })
  )
})
