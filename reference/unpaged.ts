/**
 * What a user can import, and no page of the reference shows.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { Module, Package } from "./read.ts"

/** Files beside the modules: lists of modules, and a command that no program can import. */
const withoutPages = ["index.ts", "Runtime.ts", "bin.ts"]

/** Exports without a heading on the page of their module. */
const inModule = (pages: string, folder: string, module: Module): ReadonlyArray<string> => {
  const path = join(pages, folder, `${module.name}.md`)
  const page = existsSync(path) ? readFileSync(path, "utf8") : ""
  const headings = new Set(Array.from(page.matchAll(/^### (.+)$/gm), ([, name = ""]) => name.replaceAll("\\", "")))
  return module.exports
    .filter(({ name }) => !headings.has(name))
    .map(({ line, name }) => `${module.path}:${line} ${name} is not in docs/api: npx -y pnpm@12 reference`)
}

/** Modules that can be imported by their path, and that `index.ts` leaves out. */
const unlisted = (root: string, { folder, modules }: Package): ReadonlyArray<string> =>
  readdirSync(join(root, "packages", folder, "src"))
    .filter((name) => name.endsWith(".ts") && !withoutPages.includes(name))
    .map((name) => `packages/${folder}/src/${name}`)
    .filter((path) => modules.every((module) => module.path !== path))
    .map((path) => `${path}:1 index.ts does not export the module, so that it has no page`)

/** One line for each thing that has no page, with the place. */
export const unpaged = (root: string, pages: string, packages: ReadonlyArray<Package>): ReadonlyArray<string> =>
  packages.flatMap((one) => [
    ...unlisted(root, one),
    ...one.modules.flatMap((module) => inModule(pages, one.folder, module))
  ])
