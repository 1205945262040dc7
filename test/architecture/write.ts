/**
 * Writes docs/architecture.md and its picture: `npx -y pnpm@12 architecture`.
 */
import { writeFile } from "node:fs/promises"
import { page } from "./page.ts"

const docs = new URL("../../docs/", import.meta.url)

const { markdown, svg } = page()
await writeFile(new URL("architecture.md", docs), markdown)
await writeFile(new URL("architecture.svg", docs), svg)
