/**
 * The same registry, Azure's client and ours: what comes of both is what the page says, and nothing of ours is bad.
 */
import { readFile } from "node:fs/promises"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { page } from "./hostile/page.ts"
import { groups } from "./hostile/rows.ts"
import { compare } from "./sideBySide/run.ts"
import { scenarios } from "./sideBySide/scenarios.ts"

describe("side by side", () => {
  it.live(
    "docs/hostile-registries.md shows what is",
    () =>
      Effect.gen(function* () {
        const compared = yield* Effect.forEach(scenarios, compare, { concurrency: 4 })
        for (const { ours, scenario } of compared) {
          assert.notInclude(ours, "**", `${scenario.id} ${scenario.does}`)
        }
        const text = yield* Effect.promise(() =>
          readFile(new URL("../docs/hostile-registries.md", import.meta.url), "utf8")
        )
        assert.strictEqual(text, page(compared, groups), "write it anew: npx -y pnpm@12 hostile")
      }),
    180_000
  )
})
