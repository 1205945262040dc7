import { assert, describe, it } from "@effect/vitest"
import * as MigrationReport from "../src/MigrationReport.ts"

const whole: MigrationReport.Summary = {
  pass: 2,
  phase: "done",
  repositories: 1,
  totals: [],
  failures: [],
  problems: []
}

describe("a migration", () => {
  for (const state of MigrationReport.State.literals) {
    const isComplete = ["copied", "verified", "present", "skipped", "vanished"].includes(state)
    it(`is ${isComplete ? "" : "not "}complete with an artifact that is ${state}`, () => {
      const totals = [{ state, count: 1, bytes: 0 }]
      assert.strictEqual(MigrationReport.isComplete({ ...whole, totals }), isComplete)
    })
  }

  it("is not complete before its end, or with a repository that was not copied", () => {
    assert.isFalse(MigrationReport.isComplete({ ...whole, phase: "copy" }))
    const problem = {
      route: 0,
      source: "shop/api",
      target: "shop/api",
      problem: "notListed",
      detail: "denied"
    } as const
    assert.isFalse(MigrationReport.isComplete({ ...whole, problems: [problem] }))
  })
})
