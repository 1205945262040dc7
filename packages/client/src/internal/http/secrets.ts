/**
 * Replaces secrets in texts that other programs wrote: a server may quote a request, a runtime a header that it cannot
 * send. A secret is found literally and in the encodings that programs use when they quote: the escapes of JSON, URLs,
 * forms and HTML, also nested, hexadecimal, and base64, also with other bytes around the secret.
 *
 * A server chooses both the texts and its tokens, so the search takes linear time for any input. The work for one
 * answer is limited; texts beyond the limit are withheld.
 */
import * as Redacted from "effect/Redacted"
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import { views } from "./escapes.ts"

/** Values that must not appear in errors, logs and spans. */
export type Secrets = ReadonlyArray<Redacted.Redacted<string>>

/** A shorter value occurs in texts by chance, so replacing it would only damage them. */
const shortest = 4

/** A prefix of a secret of this length counts as a truncated quote. A shorter one may be a word. */
const shortestPrefix = 16

/** Base64 of six bytes, or hexadecimal of four. A shorter text may occur by chance. */
const shortestEncoded = 8

/** How often the escapes in a secret itself are decoded. Only tokens of a hostile server nest them deeper. */
const mostLevels = 8

const replacement = "<redacted>"

/** A part of a text; `end` is exclusive. */
interface Span {
  readonly begin: number
  readonly end: number
}

/**
 * Maps characters that programs substitute for each other to the same one: letters to lower case, because URLs have
 * lower-case hosts; the two alphabets of base64 to one; and a plus to a space, which forms encode as a plus.
 */
const folded = (unit: number): number => {
  if (unit >= 0x41 && unit <= 0x5a) return unit + 0x20
  if (unit === 0x2b || unit === 0x2d) return 0x20
  if (unit >= 0x80) return String.fromCharCode(unit).toLowerCase().charCodeAt(0)
  return unit === 0x5f ? 0x2f : unit
}

const unitsOf = (text: string): Uint16Array => {
  const units = new Uint16Array(text.length)
  for (let at = 0; at < text.length; at++) units[at] = folded(text.charCodeAt(at))
  return units
}

/** The fingerprint of the last four characters of a text, with one more character. */
const rolled = (head: number, unit: number): number => (head << 8) | (unit & 0xff)

/** One form of a secret to search for. */
interface Needle {
  /** The fingerprint of the first characters. A text without it needs no search. */
  readonly head: number
  /** Whether the form is part of a longer base64 text, which is replaced as a whole. */
  readonly isInBase64: boolean
  /** Finds the form, and prefixes of it, in the folded characters of a text. */
  readonly find: (text: Uint16Array) => ReadonlyArray<Span>
}

/**
 * For each prefix of a text, by its length, the length of the longest shorter prefix that it ends with. They are
 * computed once, as far as they are needed.
 */
const bordersOf = (units: Uint16Array): ((length: number) => number) => {
  const borders = [0]
  return (length) => {
    for (let at = borders.length; at < length; at++) {
      let border = borders[at - 1] ?? 0
      while (border > 0 && units[at] !== units[border]) border = borders[border - 1] ?? 0
      borders.push(units[at] === units[border] ? border + 1 : 0)
    }
    return borders[length - 1] ?? 0
  }
}

/** Searches by the algorithm of Knuth, Morris and Pratt, whose time is linear. */
const searching = (form: string): Needle["find"] => {
  const units = unitsOf(form)
  const borderOf = bordersOf(units)
  const least = Math.min(units.length, shortestPrefix)
  return (text) => {
    const spans: Array<Span> = []
    if (text.length < least) return spans
    let length = 0
    const matched = (end: number) => {
      if (length < least) return
      const last = spans.at(-1)
      const begin = end - length
      if (last === undefined || last.end < begin) spans.push({ begin, end })
      else spans[spans.length - 1] = { begin: last.begin, end }
    }
    for (let at = 0; at < text.length; at++) {
      const unit = text[at]
      if (length === units.length || unit !== units[length]) {
        matched(at)
        while (length > 0 && (length === units.length || unit !== units[length])) length = borderOf(length)
      }
      if (unit === units[length]) length++
    }
    matched(text.length)
    return spans
  }
}

/** An encoding. The start of its result depends only on the start of the text. */
interface Encoding {
  readonly write: (text: string) => string
  /** A shorter result is not searched for. */
  readonly shortest: number
  readonly isInBase64: boolean
}

const literal: Encoding = { write: (text) => text, shortest, isInBase64: false }

const hexadecimal: Encoding = { write: Hex.encode, shortest: shortestEncoded, isInBase64: false }

/**
 * The base64 characters that a secret alone determines, for each of its three alignments: base64 encodes three bytes as
 * four characters. Characters at either end that depend on neighbouring bytes are left out.
 */
const base64: ReadonlyArray<Encoding> = [0, 1, 2].map((before) => ({
  write: (text) => {
    const bytes = new TextEncoder().encode(text)
    const padded = new Uint8Array(before + bytes.length)
    padded.set(bytes, before)
    return Base64.encode(padded).slice(Math.ceil((before * 8) / 6), Math.floor((padded.length * 8) / 6))
  },
  shortest: shortestEncoded,
  isInBase64: true
}))

/** Encodes the whole secret, up to the 64 KiB of a token, only if a text contains the start of the result. */
const needleOf = (secret: string, { isInBase64, shortest: least, write }: Encoding): ReadonlyArray<Needle> => {
  const start = write(secret.slice(0, shortestPrefix))
  if (start.length < least) return []
  let find: Needle["find"] | undefined
  return [
    {
      head: unitsOf(start.slice(0, shortest)).reduce(rolled, 0),
      isInBase64,
      find: (text) => {
        find ??= searching(write(secret))
        return find(text)
      }
    }
  ]
}

/** A secret with its own escapes decoded: decoding the text that quotes it decodes them as well. */
const levelsOf = (secret: string): ReadonlyArray<string> => {
  const levels: Array<string> = []
  for (const { text } of views(secret)) if (levels.push(text) >= mostLevels) break
  return levels
}

const needlesOf = (secret: string): ReadonlyArray<Needle> => [
  ...levelsOf(secret).flatMap((level) => needleOf(level, literal)),
  ...[hexadecimal, ...base64].flatMap((encoding) => needleOf(secret, encoding))
]

/** The text of a secret; undefined if its owner has wiped it, or if it is no text. */
const textOf = (secret: Redacted.Redacted<unknown>): string | undefined => {
  try {
    const text = Redacted.value(secret)
    return typeof text === "string" ? text : undefined
  } catch {
    return undefined
  }
}

const isSecret = (value: unknown): value is Redacted.Redacted<string> =>
  Redacted.isRedacted(value) && textOf(value) !== undefined

/** The secrets in the value of a decoded answer, such as a token. */
export const inAnswer = (value: unknown): Secrets =>
  (typeof value === "object" && value !== null ? [value, ...Object.values(value)] : []).filter(isSecret)

/** A secret and the forms to search for. */
export interface Sought {
  readonly value: Redacted.Redacted<string>
  /** Computed once, when first needed. Empty if the owner of the secret has wiped it. */
  readonly needles: () => ReadonlyArray<Needle>
}

export const sought = (value: Redacted.Redacted<string>): Sought => {
  let needles: ReadonlyArray<Needle> | undefined
  return {
    value,
    needles: () => {
      const text = textOf(value)
      needles = text === undefined ? [] : (needles ?? needlesOf(text))
      return needles
    }
  }
}

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

/** Whether a secret that is searched for already is this one: the same may be read from several answers. */
const isSame = (secret: Redacted.Redacted<string>): ((known: Sought) => boolean) => {
  const text = textOf(secret)
  return ({ value }) => value === secret || (text !== undefined && textOf(value) === text)
}

/** More than a transport uses at a time: some tokens, and the credentials that they were requested with. */
const mostRemembered = 16

/**
 * Remembers the secrets of a transport, because a server may quote one of an earlier request, or redirect the next
 * request to an address that contains it. The function adds secrets and returns the most recent ones, the latest last.
 */
export const remembering = (): ((secrets: Secrets) => ReadonlyArray<Sought>) => {
  let latest: ReadonlyArray<Sought> = []
  return (secrets) => {
    if (secrets.length === 0) return latest
    const used = secrets.map((secret) => latest.find(isSame(secret)) ?? sought(secret))
    const all = [...latest.filter((known) => !used.includes(known)), ...used]
    latest = all.slice(-mostRemembered)
    return all
  }
}

/**
 * Parameters with which a reader of the address could continue an upload or a download: the state of a session, and
 * signatures and keys of a link.
 */
const telling = /^(?:_?state|policy|verify|jwt|(?:.*[-_])?(?:sig|signature|hmac|credential|token))$/i

/** A shorter value, such as `https` or `2026`, is not a secret, unless its parameter is one of `telling`. */
const shortestValue = 8

const nameOf = (written: string): string => new URLSearchParams(`${written}=`).keys().next().value ?? ""

/** The secrets in the query of an address. */
export interface AddressSecrets {
  /** The values of `telling` parameters. */
  readonly telling: Secrets
  /**
   * All other values of a certain length. An address in an answer may have secrets in any parameter; other addresses
   * have parameters such as `last`, which errors must show.
   */
  readonly others: ReadonlyArray<string>
}

export const inQuery = (address: string): AddressSecrets => {
  const query = address.indexOf("?")
  const pairs = query === -1 ? [] : address.slice(query + 1).split("&")
  const secrets = { telling: Array.of<Redacted.Redacted<string>>(), others: Array.of<string>() }
  for (const pair of pairs) {
    const equals = pair.indexOf("=")
    const name = nameOf(equals === -1 ? "" : pair.slice(0, equals))
    const value = pair.slice(equals + 1)
    if (value === "") continue
    if (telling.test(name)) secrets.telling.push(Redacted.make(value))
    // The client adds the digest itself, and errors must show it.
    else if (name !== "digest" && value.length >= shortestValue) secrets.others.push(value)
  }
  return secrets
}
