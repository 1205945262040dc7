/**
 * Puts the pages where VitePress reads them: documents as they stand, and what is made of examples and changes.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { changelog, changelogSource } from "./changelog.ts"
import { examplePages } from "./examples.ts"
import { documents, pageOf, root, staged } from "./sources.ts"

/** A page: the file that it shows, and its Markdown. */
interface Page {
  readonly source: string
  readonly text: string
}

const documentPages = (): ReadonlyArray<readonly [string, Page]> =>
  documents().flatMap((source) => {
    const page = pageOf(source)
    // What a generated document says of itself is for its editors.
    const text = readFileSync(join(root, source), "utf8").replace(/^<!--[\s\S]*?-->\n+/, "")
    return page === undefined ? [] : [[page, { source, text }] as const]
  })

/** All pages by their paths. */
const pages = (): ReadonlyMap<string, Page> =>
  new Map<string, Page>([
    ...documentPages(),
    ...examplePages(),
    ["changelog.md", { source: changelogSource, text: changelog() }]
  ])

/** Everything in `docs` that is not a document: pictures. */
const copyPictures = (): void => {
  for (const name of readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })) {
    if (/\.(?:svg|png)$/.test(name)) cpSync(join(root, "docs", name), join(staged, name))
  }
}

/** Writes all pages anew. */
export const stage = (): void => {
  rmSync(staged, { recursive: true, force: true })
  for (const [page, { source, text }] of pages()) {
    const file = join(staged, page)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `---\nsource: ${source}\n---\n\n${text}`)
  }
  copyPictures()
}
