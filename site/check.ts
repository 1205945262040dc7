/**
 * Fails if a package has other addresses than the root, if its README has links that do not work on npm, or if a comment in
 * its sources points to a document that is not there: a part of `npx -y pnpm@12 check`. With `--filled-in`, for a release and
 * for the site, it also fails while the addresses are placeholders.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { isDeepStrictEqual } from "node:util"
import * as Schema from "effect/Schema"
import { fieldsIn, packageFolders, repository, site } from "./addresses.ts"
import { root } from "./sources.ts"

const Manifest = Schema.fromJsonString(
  Schema.StructWithRest(Schema.Struct({ keywords: Schema.Array(Schema.String) }), [
    Schema.Record(Schema.String, Schema.Unknown)
  ])
)

const decode = Schema.decodeSync(Manifest)

const linesOf = (path: string): ReadonlyArray<string> => readFileSync(join(root, path), "utf8").split("\n")

/** Fields of a package that are not those of the root. */
const inManifest = (folder: string): ReadonlyArray<string> => {
  const path = `${folder}/package.json`
  const manifest = decode(readFileSync(join(root, path), "utf8"))
  return [
    ...Object.entries(fieldsIn(folder)).flatMap(([field, expected]) =>
      isDeepStrictEqual(manifest[field], expected)
        ? []
        : [`${path}: ${field} is not that of the root: npx -y pnpm@12 addresses`]
    ),
    ...(manifest.keywords.length === 0 ? [`${path}: has no keywords`] : [])
  ]
}

/** Links that lead out of a package: npm shows its README without the repository. */
const inReadme = (folder: string): ReadonlyArray<string> =>
  linesOf(`${folder}/README.md`).flatMap((line, index) =>
    Array.from(
      line.matchAll(/\]\((\.\.\/[^)]*)\)/g),
      ([, link]) => `${folder}/README.md:${index + 1}: ${link} leads out of the package`
    )
  )

/** Pointers to documents that are not there. */
const inSources = (folder: string): ReadonlyArray<string> =>
  readdirSync(join(root, folder, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => `${folder}/src/${name}`)
    .flatMap((path) =>
      linesOf(path).flatMap((line, index) =>
        Array.from(line.matchAll(/(?<![\w/])docs\/[\w/-]+\.md/g), ([document]) => document)
          .filter((document) => !existsSync(join(root, document)))
          .map((document) => `${path}:${index + 1}: there is no ${document}`)
      )
    )

/** Addresses that are placeholders: names below `.example` belong to no one, and never will. */
const placeholders = (): ReadonlyArray<string> =>
  [site, repository]
    .filter((address) => new URL(address).hostname.endsWith(".example"))
    .map((address) => `package.json: ${address} is a placeholder: fill in your own, then npx -y pnpm@12 addresses`)

const problems = [
  ...(process.argv.includes("--filled-in") ? placeholders() : []),
  ...packageFolders.flatMap((folder) => [...inManifest(folder), ...inReadme(folder), ...inSources(folder)])
]
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
