/**
 * Links of the built site that lead nowhere: to a file that is not there, or to an anchor that its page lacks.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { site } from "./addresses.ts"

/** A page as a browser sees it. */
interface Shown {
  readonly links: ReadonlyArray<string>
  readonly anchors: ReadonlySet<string>
}

const unescaped = (text: string): string => text.replaceAll("&amp;", "&").replaceAll("&quot;", '"')

const valuesOf = (html: string, attribute: string): ReadonlyArray<string> =>
  Array.from(html.matchAll(new RegExp(` ${attribute}="([^"]*)"`, "g")), ([, value = ""]) => unescaped(value))

const shownIn = (html: string): Shown => ({
  links: [...valuesOf(html, "href"), ...valuesOf(html, "src")],
  anchors: new Set(valuesOf(html, "id"))
})

/** One line for each link in a folder of pages that leads nowhere. */
export const broken = (folder: string): ReadonlyArray<string> => {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".html"))
  const pages = new Map(names.map((name) => [name, shownIn(readFileSync(join(folder, name), "utf8"))]))
  const isBroken = (page: string, link: string): boolean => {
    const url = new URL(link, `${site}${page}`)
    if (!url.href.startsWith(site)) return false
    const path = decodeURI(url.href.slice(site.length).replace(/[?#].*$/, ""))
    const file = path === "" || path.endsWith("/") ? `${path}index.html` : path
    if (!existsSync(join(folder, file))) return true
    const anchor = decodeURIComponent(url.hash.slice(1))
    return anchor !== "" && pages.get(file)?.anchors.has(anchor) !== true
  }
  return [...pages].flatMap(([page, { links }]) =>
    [...new Set(links)].filter((link) => isBroken(page, link)).map((link) => `${page}: ${link}`)
  )
}
