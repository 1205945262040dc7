/**
 * The same work with registries that deviate, and the page that tells of them.
 */
import { readFile } from "node:fs/promises"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { dialects } from "./dialects/dialects.ts"
import { page } from "./dialects/page.ts"
import { run } from "./dialects/run.ts"

describe("a registry", () => {
  for (const dialect of dialects) {
    it.effect(`is pushed to, pulled from, listed, tagged and deleted from: ${dialect.name}`, () =>
      Effect.gen(function* () {
        const { outcomes } = yield* run(dialect)
        const failed = outcomes.filter(({ came }) => came !== "ok").map(({ came, step }) => `${step}: ${came}`)
        assert.deepStrictEqual(failed, dialect.deleteRefusedWith === undefined ? [] : ["delete: Unsupported"])
      })
    )
  }

  it.effect("is described in docs/registries.md", () =>
    Effect.gen(function* () {
      const text = yield* Effect.promise(() => readFile(new URL("../docs/registries.md", import.meta.url), "utf8"))
      const reports = yield* Effect.forEach(dialects, run)
      assert.strictEqual(text, page(reports), "write it anew: npx -y pnpm@12 dialects")
    })
  )
})
