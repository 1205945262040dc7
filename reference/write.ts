/**
 * Writes docs/api: `npx -y pnpm@12 reference`.
 */
import { mkdir, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { folder, readPackages } from "./packages.ts"
import { pages } from "./page.ts"

const written = await pages(readPackages())
// What is no longer exported is no longer shown.
await rm(folder, { recursive: true, force: true })
for (const [path, text] of written) {
  const file = join(folder, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}
