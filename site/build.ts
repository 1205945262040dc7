/**
 * Builds the site into `site/dist`: `npx -y pnpm@12 site`. Fails if a link leads nowhere, or if
 * a page is in no sidebar.
 */
import { fileURLToPath } from "node:url"
import { build } from "vitepress"
import { broken } from "./broken.ts"
import { unlisted } from "./sidebar.ts"
import { built } from "./sources.ts"
import { stage } from "./stage.ts"

stage()
await build(fileURLToPath(new URL(".", import.meta.url)))
const problems = [
  ...broken(built).map((link) => `${link} leads nowhere`),
  ...unlisted().map((source) => `${source} is in no sidebar: list it in the README of its folder`)
]
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
