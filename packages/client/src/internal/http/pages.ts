/**
 * Detects endless lists: a registry whose links repeat, or lead through ever more empty or equal pages, would keep a
 * program busy forever.
 */
import { longestLink } from "./link.ts"

/**
 * The number of empty or repeated pages in a row after which a list fails. Some registries cut a list into pages first
 * and then remove what the caller may not see, so empty pages are legitimate. At the default of 999 items per page, a
 * thousand of them hide a million repositories, and a hundred thousand if the registry sends pages of 100. No registry
 * has that many.
 */
const mostPagesWithoutNews = 1000

/**
 * Hashes a path to 53 bits, by two hashes in the manner of Fowler, Noll and Vo. Whole paths of 8 KiB would need more
 * memory than the items of their pages. A list of a million pages has a collision with a probability of 1 in 18,000.
 */
const fingerprint = (text: string): number => {
  let high = 0x811c9dc5
  let low = 0x9e3779b9
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    high = Math.imul(high ^ unit, 0x01000193)
    low = Math.imul(low ^ unit, 0x85ebca6b)
    low ^= low >>> 13
  }
  return (high >>> 0) * 0x200000 + (low >>> 11)
}

/**
 * Records the step from one page to the path of the next. The items of the page are given if a link leads from it.
 * Returns the problem, if there is one.
 */
export type Follow = (path: string, items?: ReadonlyArray<unknown>) => string | undefined

/** A fingerprint of the items of a page. */
const contentOf = (items: ReadonlyArray<unknown>): number =>
  fingerprint(JSON.stringify([items.length, items[0], items.at(-1)]))

/** Watches one list, from the path of its first page. */
export const watch = (firstPath: string): Follow => {
  const seen = new Set([fingerprint(firstPath)])
  const contents = new Set<number>()
  let pagesWithoutNews = 0
  const hasNews = (items: ReadonlyArray<unknown>): boolean => {
    const content = contentOf(items)
    if (items.length === 0 || contents.has(content)) return false
    contents.add(content)
    return true
  }
  return (path, items) => {
    pagesWithoutNews = items === undefined || hasNews(items) ? 0 : pagesWithoutNews + 1
    if (pagesWithoutNews >= mostPagesWithoutNews) return `${pagesWithoutNews} pages in a row have no new items`
    if (path.length > longestLink) return `the link to the next page is longer than ${longestLink} characters`
    const page = fingerprint(path)
    if (seen.has(page)) return "the pages of the list repeat"
    seen.add(page)
    return undefined
  }
}
