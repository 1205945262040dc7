/**
 * The window that remains: pushes between the last check of an object and its deletion. They are lost, and the check after the run
 * finds what left a trace.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Retention from "../src/Retention.ts"
import * as RetentionReport from "../src/RetentionReport.ts"
import { image, index, planFor, type Push, referrer, registry, rulesOf, start } from "./support/retention.ts"

const app = image("app")

/** What a run reports that deletes an image, where something is pushed right before the deletion. */
const pushedWithin = (push: Push, options: { readonly cascades?: boolean; readonly hasTrash?: boolean } = {}) =>
  Effect.gen(function* () {
    const { cascades = true, hasTrash = false } = options
    const held = registry({ cascades })
    yield* held.push({ manifest: app, tags: ["v1"], age: 10 })
    const rules = yield* rulesOf([{ action: "delete" }])
    const plan = yield* planFor(held, rules)
    let trash: ReadonlyArray<string> = []
    held.before = ({ name }) => {
      if (name !== "deleteManifest") return Effect.void
      return Effect.andThen(
        Effect.orDie(held.push(push)),
        Effect.sync(() => void (trash = Array.from(held.tags().keys())))
      )
    }
    const { digest } = app.descriptor
    const deletedTags = Stream.suspend(() =>
      Stream.fromIterable(hasTrash ? trash.map((name) => ({ name, digest, deletedOn: start })) : [])
    )
    const target = { ...held.target, deletedTags }
    const { check, ...report } = yield* Retention.apply(target, plan, rules)
    assert.strictEqual(report.outcomes[0]?.outcome, "done")
    return { held, check, status: RetentionReport.status({ ...report, ...(check === undefined ? {} : { check }) }) }
  })

const nothing: RetentionReport.Check = {
  missingTags: [],
  missingManifests: [],
  broken: [],
  orphaned: [],
  present: [],
  lostTags: []
}

describe("a push between the last check and the deletion", () => {
  it.effect("of an index leaves it without an image, as reported", () =>
    Effect.gen(function* () {
      const many = index("many", [app])
      const { check, status } = yield* pushedWithin({ manifest: many, tags: ["latest"] })
      assert.strictEqual(status, "failed")
      assert.deepStrictEqual(check, {
        ...nothing,
        broken: [{ digest: many.descriptor.digest, missing: [app.descriptor.digest] }]
      })
    })
  )

  it.effect("of a referrer leaves it without a subject, as reported", () =>
    Effect.gen(function* () {
      const sbom = referrer("sbom", app)
      const { check, status } = yield* pushedWithin({ manifest: sbom, tags: ["sbom"] }, { cascades: false })
      assert.strictEqual(status, "failed")
      assert.deepStrictEqual(check, {
        ...nothing,
        orphaned: [{ digest: sbom.descriptor.digest, subject: app.descriptor.digest }]
      })
    })
  )

  it.effect("of a tag deletes it with its image, as reported if the registry has a trash", () =>
    Effect.gen(function* () {
      const { check, status } = yield* pushedWithin({ manifest: app, tags: ["v2"] }, { hasTrash: true })
      assert.strictEqual(status, "failed")
      assert.deepStrictEqual(check, { ...nothing, lostTags: [{ name: "v2", digest: app.descriptor.digest }] })
    })
  )

  it.effect("of a tag leaves no trace if the registry has no trash: the report has no loss", () =>
    Effect.gen(function* () {
      const { check, held, status } = yield* pushedWithin({ manifest: app, tags: ["v2"] })
      assert.strictEqual(status, "done")
      assert.deepStrictEqual(check, nothing)
      assert.strictEqual(held.tags().size, 0)
    })
  )

  it.effect("of a referrer that the registry deletes with its subject leaves no trace either", () =>
    Effect.gen(function* () {
      const sbom = referrer("sbom", app)
      const { check, held, status } = yield* pushedWithin({ manifest: sbom })
      assert.strictEqual(status, "done")
      assert.deepStrictEqual(check, nothing)
      assert.strictEqual(held.digests().size, 0)
    })
  )
})
