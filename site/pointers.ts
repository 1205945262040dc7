/**
 * Comments in the sources name documents by their paths (`docs/retries.md`). In the declarations that editors show, they
 * become addresses of the site: a part of `npx -y pnpm@12 build`.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { packageFolders, site } from "./addresses.ts"
import { addressOf, pageOf, root } from "./sources.ts"

const withAddresses = (text: string): string =>
  text.replace(/(?<![\w/])docs\/[\w/-]+\.md/g, (document) => `${site}${addressOf(pageOf(document) ?? "")}`)

for (const folder of packageFolders) {
  const dist = join(root, folder, "dist")
  for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    if (!name.endsWith(".d.ts")) continue
    const path = join(dist, name)
    const text = readFileSync(path, "utf8")
    const written = withAddresses(text)
    if (written !== text) writeFileSync(path, written)
  }
}
