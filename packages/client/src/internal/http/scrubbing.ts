/**
 * Replaces secrets in texts that other programs wrote: a server may quote a request, a runtime a header that it cannot
 * send. `needles.ts` has the forms in which they are found.
 *
 * A server chooses both the texts and its tokens. The work for one answer is limited; texts beyond the limit are withheld.
 */
import { views } from "./escapes.ts"
import { type Needle, rolled, type Span, unitsOf } from "./needles.ts"
import type { Sought } from "./secrets.ts"

const replacement = "<redacted>"

/** The remaining work for the texts of one answer, in characters to compare. */
export interface Work {
  left: number
}

/** Enough to search the longest error that is read 64 times, in some tens of milliseconds. */
const mostWork = 64 * 64 * 1024

export const someWork = (): Work => ({ left: mostWork })

/** The cost of decoding a character, in comparisons. */
const decoding = 8

/** The cost of starting a search, in comparisons. */
const beginning = 16

/** The cost of encoding a secret for the search, in comparisons. */
const preparing = 2048

/** More secrets than a transport searches for at a time, except those of a long address. */
const mostIndexed = 64

/** A form, and the secret that it is of: an index also has secrets of other requests. */
interface Indexed {
  readonly secret: Sought
  readonly needle: Needle
}

/** The forms to search for, by the fingerprints of their first characters. */
export interface Index {
  /** Adds the secrets that it does not have, as long as `spend` allows it. */
  readonly add: (secrets: ReadonlyArray<Sought>, spend: (cost: number) => boolean) => void
  /** The forms with a fingerprint, also those of secrets that others have added. */
  readonly at: (head: number) => ReadonlyArray<Indexed> | undefined
}

/**
 * Makes an index for the requests of a transport: nearly all search for the same secrets in their paths, and to index
 * those of each request anew took a tenth of the memory that a copy of small blobs allocates.
 */
export const makeIndex = (): Index => {
  const indexed = new Set<Sought>()
  const forms = new Map<number, Array<Indexed>>()
  /** The secrets that were added last, all of which are indexed. */
  let latest: ReadonlyArray<Sought> | undefined

  const addOne = (secret: Sought) => {
    indexed.add(secret)
    for (const needle of secret.needles()) {
      const alike = forms.get(needle.head)
      if (alike === undefined) forms.set(needle.head, [{ secret, needle }])
      else alike.push({ secret, needle })
    }
  }
  return {
    add: (secrets, spend) => {
      if (secrets === latest) return
      latest = undefined
      let missing = secrets.filter((secret) => !indexed.has(secret))
      if (indexed.size + missing.length > Math.max(mostIndexed, secrets.length)) {
        indexed.clear()
        forms.clear()
        missing = [...secrets]
      }
      for (const secret of missing) {
        if (!spend(preparing)) return
        addOne(secret)
      }
      latest = secrets
    },
    at: (head) => forms.get(head)
  }
}

const isBase64 = /[\w+/=-]/

/** Joins spans that touch. Base64 around a span belongs to it. */
const joined = (spans: ReadonlyArray<Span & { readonly isInBase64?: boolean }>, text: string): ReadonlyArray<Span> => {
  const whole: Array<Span> = []
  for (const { isInBase64 = false, ...span } of spans.toSorted((one, other) => one.begin - other.begin)) {
    const last = whole.at(-1) ?? { begin: 0, end: -1 }
    if (span.end <= last.end) continue
    let { begin, end } = span
    if (isInBase64) {
      while (begin > last.end && isBase64.test(text.charAt(begin - 1))) begin--
      while (isBase64.test(text.charAt(end))) end++
    }
    if (begin > last.end) whole.push({ begin, end })
    else whole[whole.length - 1] = { begin: last.begin, end }
  }
  return whole
}

/**
 * Makes a function that replaces secrets in the texts of an answer, and keeps the rest unchanged.
 */
export const scrubbing = (
  secrets: ReadonlyArray<Sought>,
  work: Work = someWork(),
  index: Index = makeIndex()
): ((text: string) => string) => {
  /** Whether work remains after this cost. */
  const spend = (cost: number): boolean => {
    work.left -= cost
    return work.left >= 0
  }

  /** The needles that a text may contain. Others may have replaced the secrets in the index since the last text. */
  const candidatesIn = (text: Uint16Array): ReadonlyArray<Needle> => {
    index.add(secrets, spend)
    const candidates = new Set<Needle>()
    let head = 0
    for (const unit of text) {
      head = rolled(head, unit)
      const found = index.at(head)
      if (found === undefined) continue
      for (const { needle, secret } of found) {
        if (secrets.includes(secret)) candidates.add(needle)
      }
    }
    return [...candidates]
  }

  const spansIn = (text: string): ReadonlyArray<Span> | undefined => {
    const spans: Array<Span> = []
    for (const view of views(text)) {
      const size = view.text.length + beginning
      if (!spend(size * decoding)) return undefined
      const units = unitsOf(view.text)
      const candidates = candidatesIn(units)
      if (!spend(size * candidates.length)) return undefined
      const found = candidates.flatMap(({ find, isInBase64 }) => find(units).map((span) => ({ ...span, isInBase64 })))
      for (const { begin, end } of joined(found, view.text)) {
        spans.push({ begin: view.origin(begin), end: view.origin(end) })
      }
    }
    return joined(spans, text)
  }

  return (text) => {
    if (secrets.length === 0) return text
    const spans = spansIn(text)
    if (spans === undefined) return replacement
    let clean = ""
    let done = 0
    for (const { begin, end } of spans) {
      clean += text.slice(done, begin) + replacement
      done = end
    }
    return clean + text.slice(done)
  }
}
