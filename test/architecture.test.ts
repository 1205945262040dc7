/**
 * docs/architecture.md shows the source as it stands.
 */
import { readFile } from "node:fs/promises"
import { assert, it } from "@effect/vitest"
import { page } from "./architecture/page.ts"

const docs = (name: string) => readFile(new URL(`../docs/${name}`, import.meta.url), "utf8")

it("docs/architecture.md is made of the imports and the floors", async () => {
  const { markdown, svg } = page()
  assert.strictEqual(await docs("architecture.md"), markdown, "write it anew: npx -y pnpm@12 architecture")
  assert.strictEqual(await docs("architecture.svg"), svg, "write it anew: npx -y pnpm@12 architecture")
})
