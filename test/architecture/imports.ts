/**
 * Which modules of the packages import which, for types or for values.
 */
import { globSync, readFileSync } from "node:fs"
import { join, posix } from "node:path"
import { fileURLToPath } from "node:url"
import { parseSync } from "oxc-parser"

/** An import: from which module and line of it, and what. */
export interface Import {
  readonly from: string
  readonly line: number
  /** A module of ours under `packages`, without its ending; or what the import itself says. */
  readonly to: string
}

const packages = fileURLToPath(new URL("../../packages", import.meta.url))

const withoutEnding = (path: string): string => path.replace(/\.ts$/, "")

/** Every module of the packages. */
export const modules: ReadonlyArray<string> = globSync("*/src/**/*.ts", { cwd: packages }).map(withoutEnding).toSorted()

const resolve = (from: string, specifier: string): string => {
  if (specifier.startsWith(".")) return withoutEnding(posix.join(posix.dirname(from), specifier))
  const [, name, module = "index"] = /^@effect-acr\/([^/]+)(?:\/(.+))?$/.exec(specifier) ?? []
  return name === undefined ? specifier : `${name}/src/${module}`
}

const importsOf = (from: string): ReadonlyArray<Import> => {
  const path = join(packages, `${from}.ts`)
  const text = readFileSync(path, "utf8")
  const { dynamicImports, staticExports, staticImports } = parseSync(path, text).module
  const requests = [
    ...staticImports.map(({ moduleRequest }) => moduleRequest),
    ...staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => (moduleRequest === null ? [] : [moduleRequest]))
    ),
    ...dynamicImports.map(({ moduleRequest }) => moduleRequest)
  ]
  return requests.map(({ end, start }) => ({
    from,
    line: text.slice(0, start).split("\n").length,
    to: resolve(from, text.slice(start + 1, end - 1))
  }))
}

export const imports: ReadonlyArray<Import> = modules.flatMap(importsOf)
