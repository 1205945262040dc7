/**
 * The sidebars, made of the lists that the documents have already: each heading of a list is a group.
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { marked, type Token } from "marked"
import type { DefaultTheme } from "vitepress"
import { listed } from "./examples.ts"
import { linkOn } from "./links.ts"
import { addressOf, documents, pageOf, root } from "./sources.ts"

type Group = DefaultTheme.SidebarItem & { readonly text: string; readonly items: Array<DefaultTheme.SidebarItem> }

/** A text without its marks. */
const plain = (text: string): string => text.replace(/`/g, "").replace(/\s+/g, " ")

const itemsIn = (source: string, start: string, token: Token): ReadonlyArray<DefaultTheme.SidebarItem> => {
  const items: Array<DefaultTheme.SidebarItem> = []
  marked.walkTokens([token], (inner) => {
    if (inner.type !== "link") return
    const link = linkOn(source, String(inner["href"]))
    if (link.startsWith(start)) items.push({ text: plain(String(inner["text"])), link })
  })
  return items
}

/** A line in bold divides a list as a heading does. */
const titleOf = (token: Token): string | undefined =>
  token.type === "heading"
    ? plain(String(token["text"]))
    : token.type === "paragraph"
      ? /^\*\*([^*]+)\*\*$/.exec(String(token["text"]))?.[1]
      : undefined

/** The links of a document to pages whose address starts so, by its headings. */
const groupsOf = (source: string, start: string): ReadonlyArray<Group> => {
  const groups: Array<Group> = []
  for (const token of marked.lexer(readFileSync(join(root, source), "utf8"))) {
    const title = titleOf(token)
    if (title === undefined) groups.at(-1)?.items.push(...itemsIn(source, start, token))
    else groups.push({ text: title, items: [] })
  }
  return groups.filter(({ items }) => items.length > 0)
}

/** The pages that a document is divided into, under the document itself. */
const partsOf = (source: string, text: string, start: string): DefaultTheme.SidebarItem => ({
  text,
  link: linkOn("docs/README.md", source),
  items: groupsOf(`docs/${source}`, start).flatMap(({ items }) => items)
})

const collapsed = (groups: ReadonlyArray<Group>): Array<DefaultTheme.SidebarItem> =>
  groups.map((group) => ({ ...group, collapsed: true }))

/** By the start of a page's address. */
export const sidebar = (): DefaultTheme.SidebarMulti => ({
  "/": [...groupsOf("docs/README.md", "/")],
  "/from-dotnet/": [partsOf("from-dotnet.md", "Coming from .NET", "/from-dotnet/")],
  "/api/": collapsed(groupsOf("docs/api/README.md", "/api/")),
  "/cli/": [...groupsOf("docs/cli/README.md", "/cli/")],
  "/examples/": listed.map(({ name, title }) => ({ text: title, link: `/examples/${name}.html` }))
})

const linksIn = ({ items = [], link }: DefaultTheme.SidebarItem): ReadonlyArray<string> => [
  ...(link === undefined ? [] : [link.replace(/#.*/, "")]),
  ...items.flatMap(linksIn)
]

/** Documents that no sidebar shows. */
export const unlisted = (): ReadonlyArray<string> => {
  const shown = new Set(
    Object.values(sidebar()).flatMap((items) => (Array.isArray(items) ? items.flatMap(linksIn) : []))
  )
  return documents().filter((source) => {
    const page = pageOf(source)
    return (
      source.startsWith("docs/") &&
      !source.endsWith("/README.md") &&
      page !== undefined &&
      !shown.has(`/${addressOf(page)}`)
    )
  })
}
