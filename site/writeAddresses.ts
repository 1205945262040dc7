/**
 * Writes the addresses of the root's package.json into those of the packages and into their READMEs:
 * `npx -y pnpm@12 addresses`.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { fieldsIn, packageFolders, repository, site } from "./addresses.ts"
import { root } from "./sources.ts"

const decode = Schema.decodeSync(Schema.fromJsonString(Schema.Record(Schema.String, Schema.Unknown)))

/** Addresses of documents, whatever the site and the repository were before. */
const inReadme = (text: string, before: { readonly homepage?: unknown; readonly bugs?: unknown }): string => {
  const oldSite = String(before.homepage ?? site).replace(/\/*$/, "/")
  const oldRepository = String(before.bugs ?? `${repository}/issues`).replace(/\/issues$/, "")
  return text.replaceAll(oldSite, site).replaceAll(`${oldRepository}/`, `${repository}/`)
}

for (const folder of packageFolders) {
  const path = join(root, folder, "package.json")
  const before = decode(readFileSync(path, "utf8"))
  writeFileSync(path, `${JSON.stringify({ ...before, ...fieldsIn(folder) }, undefined, 2)}\n`)
  const readme = join(root, folder, "README.md")
  writeFileSync(readme, inReadme(readFileSync(readme, "utf8"), before))
}
