/**
 * The forms in which a secret may occur in the text of another program, and the search for them.
 *
 * A secret is found literally and in the encodings that programs use when they quote: the escapes of JSON, URLs,
 * forms and HTML, also nested, hexadecimal, and base64, also with other bytes around the secret. The search takes linear
 * time for any text.
 */
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import { views } from "./escapes.ts"

/** A shorter value occurs in texts by chance, so replacing it would only damage them. */
const shortest = 4

/** A prefix of a secret of this length counts as a truncated quote. A shorter one may be a word. */
const shortestPrefix = 16

/** Base64 of six bytes, or hexadecimal of four. A shorter text may occur by chance. */
const shortestEncoded = 8

/** How often the escapes in a secret itself are decoded. Only tokens of a hostile server nest them deeper. */
const mostLevels = 8

/** A part of a text; `end` is exclusive. */
export interface Span {
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

export const unitsOf = (text: string): Uint16Array => {
  const units = new Uint16Array(text.length)
  for (let at = 0; at < text.length; at++) units[at] = folded(text.charCodeAt(at))
  return units
}

/** The fingerprint of the last four characters of a text, with one more character. */
export const rolled = (head: number, unit: number): number => (head << 8) | (unit & 0xff)

/** One form of a secret to search for. */
export interface Needle {
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

export const needlesOf = (secret: string): ReadonlyArray<Needle> => [
  ...levelsOf(secret).flatMap((level) => needleOf(level, literal)),
  ...[hexadecimal, ...base64].flatMap((encoding) => needleOf(secret, encoding))
]
