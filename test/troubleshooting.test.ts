/**
 * The troubleshooting guide says what is.
 */
import { readFile } from "node:fs/promises"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { write } from "./troubleshooting/guide.ts"
import { scenarios } from "./troubleshooting/scenarios.ts"

describe("what goes wrong", () => {
  for (const { reason, run, says, title } of scenarios) {
    it.live(title, () =>
      Effect.map(run, (error) => {
        assert.strictEqual(error.reason._tag, reason)
        for (const text of says) assert.include(error.message, text)
      })
    )
  }

  it.live("stands in docs/troubleshooting.md as it is", () =>
    Effect.gen(function* () {
      const text = yield* Effect.promise(() => readFile(new URL("../docs/troubleshooting.md", import.meta.url), "utf8"))
      assert.strictEqual(text, yield* write(scenarios), "write it anew: npx -y pnpm@12 troubleshooting")
    })
  )
})
