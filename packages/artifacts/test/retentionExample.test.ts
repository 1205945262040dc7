/**
 * A repository with everything that other tools get wrong, and the expected result.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Retention from "../src/Retention.ts"
import * as RetentionReport from "../src/RetentionReport.ts"
import { fallbackTag, image, index, planFor, referrer, registry, rulesOf, signatureTag } from "./support/retention.ts"

const a1 = image("A1")
const b1 = image("B1")
const t1 = image("T1, attestation of A1")
const i1 = index("I1", [a1, b1, t1])
const a2 = image("A2")
const b2 = image("B2")
const i2 = index("I2", [a2, b2])
const a3 = image("A3")
const i3 = index("I3", [a3, b1])
const a4 = image("A4")
const i4 = index("I4", [a4])
const s1 = referrer("S1", i1, "application/vnd.cncf.notary.signature")
const s1a = referrer("S1a", s1, "application/vnd.example.timestamp")
const xa = image("XA")
const x = index("X", [xa], a2)
const g = referrer("G", image("gone"))
const c = image("C, cosign's signature of A3")
const f = index("F", [])

const rules = rulesOf([
  { name: "latest", tags: ["latest"], action: "keep" },
  { name: "newest", tags: ["v*"], newest: { count: 1 }, action: "keep" },
  { name: "old", tags: ["v*"], olderThan: "30 days", action: "delete" },
  { name: "newest untagged", of: ["untagged"], newest: { count: 1 }, action: "keep" },
  { name: "untagged", of: ["untagged"], olderThan: "30 days", action: "delete" },
  { name: "orphans", of: ["orphans"], olderThan: "100 days", action: "delete" }
])

const filled = Effect.gen(function* () {
  const filled = registry()
  const { push } = filled
  for (const manifest of [a1, b1, t1]) yield* push({ manifest, age: 90 })
  yield* push({ manifest: i1, tags: ["v1", "latest"], age: 90 })
  for (const manifest of [a2, b2]) yield* push({ manifest, age: 60 })
  yield* push({ manifest: i2, tags: ["v2"], age: 60, isLocked: true })
  yield* push({ manifest: a3, age: 40 })
  yield* push({ manifest: i3, age: 40 })
  yield* push({ manifest: a4, age: 5 })
  yield* push({ manifest: i4, age: 5 })
  yield* push({ manifest: s1, age: 89 })
  yield* push({ manifest: s1a, age: 88 })
  yield* push({ manifest: xa, age: 50 })
  yield* push({ manifest: x, age: 50 })
  yield* push({ manifest: g, age: 200 })
  yield* push({ manifest: c, tags: [signatureTag(a3)], age: 40 })
  yield* push({ manifest: f, tags: [fallbackTag(i3)], age: 39 })
  return filled
})

const going = [a3, c, f, g, i3].map(({ descriptor }) => descriptor.digest).toSorted()

describe("the worked example", () => {
  it.effect("is cleaned up by the rules, and nothing else is deleted", () =>
    Effect.gen(function* () {
      const filledRegistry = yield* filled
      const plan = yield* planFor(filledRegistry, yield* rules)
      assert.deepStrictEqual(
        plan.tags.filter(({ verdict }) => verdict === "delete").map(({ name }) => name),
        [fallbackTag(i3), signatureTag(a3), "v1"].toSorted()
      )
      assert.deepStrictEqual(
        plan.manifests.filter(({ verdict }) => verdict === "delete").map(({ digest }) => digest),
        going
      )
      const before = filledRegistry.digests()
      const report = yield* Retention.apply(filledRegistry.target, plan, yield* rules)
      assert.strictEqual(RetentionReport.status(report), "done")
      assert.deepStrictEqual(
        Array.from(before)
          .filter((digest) => !filledRegistry.digests().has(digest))
          .toSorted(),
        going
      )
      assert.deepStrictEqual(Array.from(filledRegistry.tags().keys()).toSorted(), ["latest", "v2"])
    })
  )
})
