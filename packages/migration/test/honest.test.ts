/**
 * What must not look like success.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as MigrationReport from "../src/MigrationReport.ts"
import { makeWorld, tagsOf } from "./support/world.ts"

describe("a run", () => {
  it.live("is not complete where the target confirms manifests and does not have them", () =>
    Effect.gen(function* () {
      const { report, run, seed, status, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"] })
      const fault = yield* target.inject({
        method: "PUT",
        path: "/v2/shop/api/manifests/",
        times: "always",
        consequence: { _tag: "Answer", status: 201 }
      })
      yield* run()
      const lost = yield* status
      assert.isFalse(MigrationReport.isComplete(lost), JSON.stringify(lost.totals))
      assert.strictEqual(lost.phase, "done")
      assert.deepEqual(
        (yield* report).map(({ state, tags }) => [state, tags]),
        [["planned", ["1.0"]]]
      )
      yield* target.removeFault(fault)
      yield* run()
      assert.isTrue(MigrationReport.isComplete(yield* status))
    }).pipe(Effect.scoped)
  )

  it.live("is not complete where a tag of the target names something else, and the rules say that it must not", () =>
    Effect.gen(function* () {
      const { report, run, seed, status, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["ours"] })
      yield* target.seed({ repository: "shop/api", tags: ["1.0"], layers: ["theirs"] })
      const before = yield* tagsOf(target)
      yield* run({ onTag: "fail" })
      assert.deepEqual(yield* tagsOf(target), before)
      assert.isFalse(MigrationReport.isComplete(yield* status))
      const [outcome] = yield* report
      assert.deepInclude(outcome, { state: "failed", class: "exists" })
    }).pipe(Effect.scoped)
  )

  it.live("looks once more where the rules keep the tags of the target, and says which were kept", () =>
    Effect.gen(function* () {
      const { report, run, seed, status, target } = yield* makeWorld()
      yield* seed({ repository: "shop/api", tags: ["1.0"], layers: ["ours"] })
      yield* target.seed({ repository: "shop/api", tags: ["1.0"], layers: ["theirs"] })
      const before = yield* tagsOf(target)
      yield* run({ onTag: "keep" })
      assert.deepEqual(yield* tagsOf(target), before)
      assert.deepInclude(yield* status, { pass: 2 })
      assert.deepInclude((yield* report)[0], { state: "skipped", class: "exists" })
    }).pipe(Effect.scoped)
  )
})
