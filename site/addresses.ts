/**
 * Where the project is on the Web. The one place to fill in is `homepage`, `repository` and `bugs` in the root's package.json;
 * `npx -y pnpm@12 addresses` writes them wherever else they stand.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as Schema from "effect/Schema"
import { root } from "./sources.ts"

const Manifest = Schema.Struct({
  homepage: Schema.String,
  bugs: Schema.String,
  repository: Schema.Struct({ type: Schema.String, url: Schema.String })
})

/** The addresses, as a package.json has them. */
export type Addresses = typeof Manifest.Type

const decode = Schema.decodeSync(Schema.fromJsonString(Manifest))

/** Those in the package.json of a folder. */
export const addressesIn = (folder: string): Addresses =>
  decode(readFileSync(join(root, folder, "package.json"), "utf8"))

/** Those of the project. */
export const addresses = addressesIn(".")

/** The address of the site, which ends with a slash. */
export const siteAddress = (homepage: string = addresses.homepage): string => homepage.replace(/\/*$/, "/")

/** The pages of the repository, without a slash at the end. */
export const repositoryAddress = (url: string = addresses.repository.url): string =>
  url.replace(/^git\+/, "").replace(/\.git$/, "")

/** The page of the repository that shows a file or a folder. */
export const repositoryPage = (path: string, isFolder: boolean): string =>
  `${repositoryAddress()}/${isFolder ? "tree" : "blob"}/main/${path}`
