/**
 * The pages that compare retention with other tools: generating them changes nothing, and their fragments are valid rules.
 */
import { readFile } from "node:fs/promises"
import * as Retention from "@effect-acr/artifacts/Retention"
import * as RetentionRules from "@effect-acr/artifacts/RetentionRules"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { holding, tagged } from "../packages/artifacts/test/support/retentionPlans.ts"
import { groups } from "./retention/features.ts"
import { findingsPage } from "./retention/findingsPage.ts"
import { rulesPage } from "./retention/rulesPage.ts"

const textOf = (name: string) => Effect.promise(() => readFile(new URL(`../docs/${name}`, import.meta.url), "utf8"))

const keep = { action: "keep", because: "no rule names it" }

describe("retention", () => {
  it.live("does what docs/retention-vs-acr-purge.md states", () =>
    Effect.gen(function* () {
      assert.strictEqual(
        yield* textOf("retention-vs-acr-purge.md"),
        yield* findingsPage,
        "generate it: npx -y pnpm@12 retention"
      )
    })
  )

  it.effect("is compared in docs/retention-rules.md", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* textOf("retention-rules.md"), rulesPage, "generate it: npx -y pnpm@12 retention")
    })
  )
})

describe("a fragment of rules in docs/retention-rules.md is valid", () => {
  for (const [group, features] of groups) {
    for (const { feature, fields = {}, rules = [] } of features) {
      it.effect(`${group}: ${feature}`, () =>
        Effect.gen(function* () {
          const { target } = yield* holding(tagged({ v1: 10 }))
          const parsed = yield* RetentionRules.parse(
            JSON.stringify({
              repositories: ["**"],
              defaults: { tags: keep, untagged: keep, orphans: keep },
              rules: rules.map((rule, at) => ({ name: `rule ${at + 1}`, because: feature, ...rule })),
              ...fields
            })
          )
          // Fragments with repositories include this one.
          const inventory = { ...(yield* Retention.inventory(target)), repository: "shop/api" }
          const plan = Retention.plan(inventory, parsed, { digests: { clusters: [] }, pulls: new Map() })
          assert.strictEqual(Result.getOrThrow(plan).rules.rules.length, rules.length)
        })
      )
    }
  }
})
