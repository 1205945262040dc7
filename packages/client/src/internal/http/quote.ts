/**
 * Quotes texts and JSON of other programs in errors and logs: without secrets, with escapes for unprintable characters,
 * and limited in length and depth.
 */
import type * as Schema from "effect/Schema"
import { printable } from "../../Printable.ts"
import { type Index, scrubbing, type Work } from "./scrubbing.ts"
import type { Sought } from "./secrets.ts"

/** Far above the length of any message. In characters. */
const longestText = 2048

/** Far above the detail of any registry, which names a resource or two. */
const mostLevels = 16
const mostValues = 1000

/** Marks what is left out. */
const ellipsis = "…"

/** Quotes texts and JSON that may contain certain secrets. */
export interface Quote {
  /** Replaces only secrets in a text. */
  readonly scrub: (text: string) => string
  /** Quotes at most `longest` characters of a text. */
  readonly text: (text: string, longest?: number) => string
  /** Quotes JSON: each string and each key, to a limited depth and number of values. */
  readonly json: (value: unknown) => Schema.Json
}

/** Makes a `Quote` that replaces secrets. All texts of an answer share one limit of work, and those of a transport an index. */
export const quoting = (secrets: ReadonlyArray<Sought>, work?: Work, index?: Index): Quote => {
  const scrub = scrubbing(secrets, work, index)

  // The order matters: a secret that is cut in half is not found, and an escape could hide one.
  const quoteText = (text: string, longest = longestText): string => {
    const clean = scrub(text)
    return printable(clean.length > longest ? clean.slice(0, longest) + ellipsis : clean)
  }

  /** A password may consist of digits. */
  const quoteNumber = (number: number): Schema.Json => {
    const written = String(number)
    const clean = scrub(written)
    return clean === written ? number : clean
  }

  const quoteJson = (value: unknown): Schema.Json => {
    let left = mostValues

    /** The items that fit. */
    const fitting = <A>(items: ReadonlyArray<A>): ReadonlyArray<A> => {
      const first = items.slice(0, left)
      left -= first.length
      return first
    }

    const at = (value: unknown, levels: number): Schema.Json => {
      if (typeof value === "string") return quoteText(value)
      if (typeof value === "number") return quoteNumber(value)
      if (typeof value === "boolean") return value
      if (typeof value !== "object" || value === null) return null
      if (levels === 0) return ellipsis
      if (Array.isArray(value)) {
        const items = fitting(value)
        const quoted = items.map((item) => at(item, levels - 1))
        return items.length < value.length ? [...quoted, ellipsis] : quoted
      }
      const all = Object.entries(value)
      const entries = fitting(all)
      const quoted = entries.map(([key, item]) => [quoteText(key), at(item, levels - 1)] as const)
      return Object.fromEntries(entries.length < all.length ? [...quoted, [ellipsis, ellipsis]] : quoted)
    }

    return at(value, mostLevels)
  }

  return { scrub, text: quoteText, json: quoteJson }
}
