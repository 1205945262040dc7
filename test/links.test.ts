/**
 * Links between the documents of the repository lead somewhere: each file is there, and each heading within it.
 */
import { access, readdir, readFile } from "node:fs/promises"
import { dirname, join, relative, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, it } from "@effect/vitest"
import GithubSlugger from "github-slugger"
import { documentAt, site } from "../site/addresses.ts"
import { marked, type Token } from "marked"

const root = fileURLToPath(new URL("..", import.meta.url))

const markdownIn = async (folder: string): Promise<ReadonlyArray<string>> =>
  (await readdir(join(root, folder), { recursive: true }))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(root, folder, name))

/** The documents: those of the repository, and those of each package. */
const documents = async (): Promise<ReadonlyArray<string>> => {
  const packages = (await readdir(join(root, "packages"))).map((name) => join(root, "packages", name, "README.md"))
  const there = await Promise.all(
    packages.map((path) =>
      access(path).then(
        () => [path],
        () => []
      )
    )
  )
  return [
    ...["README.md", "CONTRIBUTING.md", "SECURITY.md"].map((name) => join(root, name)),
    ...(await markdownIn("docs")),
    ...there.flat()
  ]
}

const tokensOf = (markdown: string): ReadonlyArray<Token> => {
  const tokens: Array<Token> = []
  marked.walkTokens(marked.lexer(markdown), (token) => {
    tokens.push(token)
  })
  return tokens
}

/** What a reader sees of a heading. */
const textOf = (token: Token): string =>
  "tokens" in token && token.tokens !== undefined
    ? token.tokens.map(textOf).join("")
    : "text" in token
      ? String(token.text)
      : ""

/** Where links in a document lead, as it writes them. */
const linksIn = (markdown: string): ReadonlyArray<string> =>
  tokensOf(markdown).flatMap((token) => (token.type === "link" || token.type === "image" ? [String(token.href)] : []))

/** The anchors that GitHub gives the headings of a document. */
const anchorsIn = (markdown: string): ReadonlyArray<string> => {
  const slugger = new GithubSlugger()
  return tokensOf(markdown).flatMap((token) => (token.type === "heading" ? [slugger.slug(textOf(token))] : []))
}

/** What is wrong with the links of a document. */
const brokenIn = async (path: string): Promise<ReadonlyArray<string>> => {
  const markdown = await readFile(path, "utf8")
  const broken = await Promise.all(
    linksIn(markdown).map(async (link) => {
      const isOnSite = link.startsWith(site)
      if (/^[a-z][a-z+.-]*:/i.test(link) && !isOnSite) return []
      const [file = "", anchor] = link.split("#", 2)
      const target = isOnSite
        ? join(root, documentAt(link) ?? link)
        : file === ""
          ? path
          : resolve(dirname(path), decodeURI(file))
      const problem = `${relative(root, path)}: ${link}`
      if (
        !(await access(target).then(
          () => true,
          () => false
        ))
      )
        return [problem]
      if (anchor === undefined || !target.endsWith(".md")) return []
      const anchors = anchorsIn(target === path ? markdown : await readFile(target, "utf8"))
      return anchors.includes(decodeURIComponent(anchor)) ? [] : [problem]
    })
  )
  return broken.flat()
}

it("every link within the documents leads to a file, and to a heading in it", async () => {
  const all = await documents()
  assert.isAbove(all.length, 10)
  assert.deepStrictEqual((await Promise.all(all.map(brokenIn))).flat(), [])
})
