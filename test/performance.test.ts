/**
 * docs/performance.md says what the runs found, and nothing else.
 */
import { readFile } from "node:fs/promises"
import { assert, it } from "@effect/vitest"
import { page } from "./bench/page.ts"
import { readRuns } from "./bench/runs.ts"

const docs = (name: string) => readFile(new URL(`../docs/${name}`, import.meta.url), "utf8")

it("docs/performance.md is made of the figures of the runs that are kept", async () => {
  const { markdown, svg } = page(await readRuns())
  assert.strictEqual(await docs("performance.md"), markdown)
  assert.strictEqual(await docs("performance.svg"), svg)
})
