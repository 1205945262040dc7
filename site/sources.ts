/**
 * Which file of the repository is which page of the site. The Markdown stays as it is: where GitHub shows `README.md` of a
 * folder, the site shows its `index.html`.
 */
import { readdirSync } from "node:fs"
import { join, posix } from "node:path"
import { fileURLToPath } from "node:url"

/** The folder of the repository. */
export const root = fileURLToPath(new URL("..", import.meta.url))

/** Where the pages stand for the build, in the form that VitePress reads. Git ignores it. */
export const staged = fileURLToPath(new URL("pages/", import.meta.url))

/** Where the built site stands. Git ignores it. */
export const built = fileURLToPath(new URL("dist/", import.meta.url))

/** Files outside of `docs` that have a page, and their pages. */
const outsideOfDocs = new Map([
  ["README.md", "index.md"],
  ["docs/README.md", "guides.md"],
  ["docs", "guides.md"],
  ["CONTRIBUTING.md", "contributing.md"],
  ["SECURITY.md", "security.md"],
  ["examples", "examples/index.md"],
  ["examples/preview-cleaner", "examples/preview-cleaner.md"],
  ["examples/support", "examples/support.md"]
])

const example = /^examples\/([\w-]+)\.ts$/

/** The page of a file or a folder of the repository, if it has one: `docs/cli/README.md` has `cli/index.md`. */
export const pageOf = (source: string): string | undefined => {
  const known = outsideOfDocs.get(source)
  if (known !== undefined) return known
  const [, name] = example.exec(source) ?? []
  if (name !== undefined && name !== "run") return `examples/${name}.md`
  return source.startsWith("docs/") && source.endsWith(".md")
    ? posix.relative("docs", source).replace(/(^|\/)README\.md$/, "$1index.md")
    : undefined
}

/** The address of a page, from the root of the site. */
export const addressOf = (page: string): string => page.replace(/(^|\/)index\.md$/, "$1").replace(/\.md$/, ".html")

/** The documents that are pages as they stand. */
export const documents = (): ReadonlyArray<string> => [
  ...[...outsideOfDocs.keys()].filter((source) => source.endsWith(".md") && !source.startsWith("docs")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`)
    .toSorted()
]
