/**
 * Where links lead. Documents link to files of the repository, as GitHub reads them; on the site, a file that has a page is
 * that page, and any other one is shown by the repository.
 */
import { statSync } from "node:fs"
import { join, posix } from "node:path"
import { repositoryPage } from "./addresses.ts"
import { addressOf, pageOf, root } from "./sources.ts"

const isElsewhere = (link: string): boolean => /^(?:[a-z][a-z+.-]*:|#|\/)/i.test(link)

const kindOf = (path: string): "file" | "folder" | undefined => {
  const found = statSync(join(root, path), { throwIfNoEntry: false })
  return found === undefined ? undefined : found.isDirectory() ? "folder" : "file"
}

/** The path from the root of what a document links to. */
const targetOf = (source: string, path: string): string =>
  posix.join(posix.dirname(source), decodeURI(path)).replace(/\/$/, "")

/** A link of a document on the site; throws if there is no such file. */
export const linkOn = (source: string, link: string): string => {
  if (isElsewhere(link)) return link
  const [path = "", anchor] = link.split("#", 2)
  const fragment = anchor === undefined ? "" : `#${anchor}`
  const target = targetOf(source, path)
  const kind = kindOf(target)
  if (kind === undefined) throw new Error(`${source}: ${link} leads to no file`)
  const page = pageOf(target)
  return page === undefined
    ? `${repositoryPage(target, kind === "folder")}${fragment}`
    : `/${addressOf(page)}${fragment}`
}

/** The place of a picture among the pages, from the page that shows it. */
export const pictureOn = (source: string, page: string, picture: string): string => {
  if (isElsewhere(picture)) return picture
  const place = posix.relative(posix.dirname(page), posix.relative("docs", targetOf(source, picture)))
  return place.startsWith(".") ? place : `./${place}`
}
