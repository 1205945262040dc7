/**
 * Where the project is on the Web. The one place to fill in is `homepage`, `bugs` and `repository` in package.json of the
 * root; `npx -y pnpm@12 addresses` writes them wherever else they stand.
 */
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { addressOf, documents, pageOf, root } from "./sources.ts"

const Manifest = Schema.Struct({
  homepage: Schema.String,
  bugs: Schema.String,
  repository: Schema.Struct({ type: Schema.String, url: Schema.String })
})

const decodeManifest = Schema.decodeSync(Schema.fromJsonString(Manifest))

const manifest = decodeManifest(readFileSync(join(root, "package.json"), "utf8"))

/** The address of the site, which ends with a slash. */
export const site: string = manifest.homepage.replace(/\/*$/, "/")

/** The pages of the repository, without a slash at the end. */
export const repository: string = manifest.repository.url.replace(/^git\+/, "").replace(/\.git$/, "")

/** The page of the repository that shows a file or a folder. */
export const repositoryPage = (path: string, isFolder: boolean): string =>
  `${repository}/${isFolder ? "tree" : "blob"}/main/${path}`

/** The document that an address of the site shows; its anchor does not matter. */
export const documentAt = (address: string): string | undefined => {
  const [path = ""] = address.slice(site.length).split("#", 1)
  return documents().find((source) => addressOf(pageOf(source) ?? "") === path)
}

/** The folders of the packages, from the root. */
export const packageFolders: ReadonlyArray<string> = readdirSync(join(root, "packages"))
  .toSorted()
  .map((name) => `packages/${name}`)

/** What a package.json in a folder has of the addresses. npm needs `directory` to resolve the links of a README. */
export const fieldsIn = (folder: string) => ({
  homepage: manifest.homepage,
  bugs: manifest.bugs,
  repository: { ...manifest.repository, directory: folder }
})
