/**
 * Writes docs/performance.md and its picture from files of figures: `npx -y pnpm@12 performance RUN.json …`.
 */
import { readFile, writeFile } from "node:fs/promises"
import * as Schema from "effect/Schema"
import { page } from "./page.ts"
import { Report } from "./report.ts"

const docs = new URL("../../docs/", import.meta.url)

const reports = await Promise.all(
  process.argv
    .slice(2)
    .map(async (file) => Schema.decodeSync(Schema.fromJsonString(Report))(await readFile(file, "utf8")))
)
const { markdown, svg } = page(reports)
await writeFile(new URL("performance.md", docs), markdown)
await writeFile(new URL("performance.svg", docs), svg)
