/**
 * Writes docs/performance.md and its picture from the figures of runs: `npx -y pnpm@12 performance`.
 */
import { writeFile } from "node:fs/promises"
import { page } from "./page.ts"
import { readRuns } from "./runs.ts"

const docs = new URL("../../docs/", import.meta.url)

const { markdown, svg } = page(await readRuns())
await writeFile(new URL("performance.md", docs), markdown)
await writeFile(new URL("performance.svg", docs), svg)
