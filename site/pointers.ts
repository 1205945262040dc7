/**
 * Comments in the sources and the help of the command name documents by their paths (`docs/retries.md`). In the
 * declarations that editors show, and in the command, they become addresses of the site: a part of `npx -y pnpm@12 build`.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { packageFolders, site } from "./addresses.ts"
import { addressOf, pageOf, root } from "./sources.ts"

const withAddresses = (text: string): string =>
  text.replace(/(?<![\w/])docs\/[\w/-]+\.md/g, (document) => `${site}${addressOf(pageOf(document) ?? "")}`)

/** Whether people read the text of a file: declarations, and the code of the command, which has its help. */
const isRead = (folder: string, name: string): boolean =>
  name.endsWith(".d.ts") || (folder === "packages/cli" && name.endsWith(".js"))

for (const folder of packageFolders) {
  const dist = join(root, folder, "dist")
  for (const name of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
    if (!isRead(folder, name)) continue
    const path = join(dist, name)
    const text = readFileSync(path, "utf8")
    const written = withAddresses(text)
    if (written !== text) writeFileSync(path, written)
  }
}
