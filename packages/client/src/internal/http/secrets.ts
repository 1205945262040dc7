/**
 * Replaces secrets in texts that other programs wrote: a server may quote a request, a runtime a header that it cannot
 * send. A secret is found literally and in the encodings that programs use when they quote: the escapes of JSON, URLs,
 * forms and HTML, also nested, and base64, also with other bytes around the secret.
 */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Base64 from "effect/encoding/Base64"

/** Values that must not appear in errors, logs and spans. */
export type Secrets = ReadonlyArray<Redacted.Redacted<string>>

/** A shorter value occurs in any text by chance. To replace it would only damage the text. */
const shortest = 4

/** So many characters from the start of a secret are a quote that was shortened. Fewer may be a word. */
const shortestPrefix = 16

/** Base64 of six bytes. A shorter text occurs by chance. */
const shortestBase64 = 8

/** Escapes may be nested: a JSON string in a URL in a JSON string. */
const maxNesting = 4

const replacement = "<redacted>"

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

/** Decodes bytes given as hexadecimal digits: as UTF-8 if they are, else as Latin-1. */
const ofBytes = (digits: string): string => {
  const bytes = Uint8Array.from(digits.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))
  const text = utf8.decode(bytes)
  return text.includes("\ufffd") ? Array.from(bytes, (byte) => String.fromCharCode(byte)).join("") : text
}

const ofCodePoint = (number: number): string => (number > 0x10ffff ? "\ufffd" : String.fromCodePoint(number))

/** `%2B`, `\x2b`, `\u002b`, `\u{2b}`, `\+`, `&#x2b;`, `&#43;`, `&lt;`. */
const escapes =
  /((?:(?:%|\\x)[0-9a-f]{2})+)|\\u\{([0-9a-f]{1,6})\}|\\u([0-9a-f]{4})|\\([^])|&#x([0-9a-f]{1,6});|&#(\d{1,7});|&(amp|lt|gt|quot|apos);/gi

const characters = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["b", "\b"],
  ["f", "\f"],
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"]
])

/** Decodes the escapes in a text, of all languages at once. */
const unescaped = (text: string): string =>
  /[%\\&]/.test(text)
    ? text.replace(
        escapes,
        (
          _,
          bytes: string | undefined,
          braced: string | undefined,
          unit: string | undefined,
          character: string | undefined,
          hex: string | undefined,
          decimal: string | undefined,
          name: string | undefined
        ) => {
          if (bytes !== undefined) return ofBytes(bytes.replace(/%|\\x/gi, ""))
          // A surrogate: its other half is the next escape.
          if (unit !== undefined) return String.fromCharCode(Number.parseInt(unit, 16))
          if (character !== undefined) return characters.get(character) ?? character
          if (name !== undefined) return characters.get(name.toLowerCase()) ?? name
          return ofCodePoint(decimal === undefined ? Number.parseInt(braced ?? hex ?? "", 16) : Number(decimal))
        }
      )
    : text

const readValue = Option.liftThrowable(Redacted.value<string>)

/** The value of a secret; empty if its owner has wiped it. */
const valueOf = (secret: Redacted.Redacted<string>): string => Option.getOrElse(readValue(secret), () => "")

/** A text to search for. */
interface Form {
  readonly text: string
  /** Whether it is part of a longer base64 text, which is replaced as a whole. */
  readonly isInBase64: boolean
}

/**
 * The base64 characters that a secret alone determines, for each of its three alignments: base64 encodes three bytes as
 * four characters. Characters at either end that depend on neighbouring bytes are left out.
 */
const inBase64 = (secret: string): ReadonlyArray<string> => {
  const bytes = new TextEncoder().encode(secret)
  return [0, 1, 2].map((before) => {
    const padded = new Uint8Array(before + bytes.length)
    padded.set(bytes, before)
    return Base64.encode(padded).slice(Math.ceil((before * 8) / 6), Math.floor((padded.length * 8) / 6))
  })
}

const isBase64 = /[\w+/=-]/

/** The distinct forms of a secret. Form encoding writes a space as a plus; a careless decoder turns a plus into a space. */
const formsOf = (secret: string): ReadonlyArray<Form> => {
  const plain = [secret, unescaped(secret)].flatMap((text) => [
    text,
    text.replaceAll("+", " "),
    text.replaceAll(" ", "+")
  ])
  const encoded = inBase64(secret)
    .flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_")])
    .filter((text) => text.length >= shortestBase64)
  return [
    ...Array.from(new Set(plain), (text) => ({ text, isInBase64: false })),
    ...Array.from(new Set(encoded), (text) => ({ text, isInBase64: true }))
  ].filter(({ text }) => text.length >= shortest)
}

/** Whether only whole forms count, or prefixes of them as well. */
type Match = "whole" | "prefix"

/** A part of a text; `end` is exclusive. */
interface Span {
  readonly begin: number
  readonly end: number
  readonly isInBase64: boolean
}

/** For each prefix of a text, the length of the longest shorter prefix that it ends with. */
const bordersOf = (text: string): Uint32Array => {
  const borders = new Uint32Array(text.length)
  let border = 0
  for (let at = 1; at < text.length; at++) {
    while (border > 0 && text[at] !== text[border]) border = borders[border - 1] ?? 0
    if (text[at] === text[border]) border++
    borders[at] = border
  }
  return borders
}

/**
 * Finds a form in a text by the algorithm of Knuth, Morris and Pratt, whose time is linear for any input. A server
 * chooses both the text and its tokens, so that a search with backtracking could be made to take minutes.
 */
const spansOf = ({ isInBase64, text: form }: Form, text: string, match: Match): ReadonlyArray<Span> => {
  if (!text.includes(form.slice(0, shortestPrefix))) return []
  const spans: Array<Span> = []
  const borders = bordersOf(form)
  let length = 0
  for (let at = 0; at < text.length; at++) {
    while (length > 0 && (length === form.length || text[at] !== form[length])) {
      if (match === "prefix" && length >= shortestPrefix) spans.push({ begin: at - length, end: at, isInBase64 })
      length = borders[length - 1] ?? 0
    }
    if (text[at] === form[length]) length++
    if (length === form.length) spans.push({ begin: at + 1 - length, end: at + 1, isInBase64 })
  }
  if (match === "prefix" && length >= shortestPrefix) {
    spans.push({ begin: text.length - length, end: text.length, isInBase64 })
  }
  return spans
}

/** Replaces all forms in a text. */
const replaceForms = (text: string, forms: ReadonlyArray<Form>, match: Match): string => {
  const spans = forms.flatMap((form) => spansOf(form, text, match)).toSorted((one, other) => one.begin - other.begin)
  let clean = ""
  let done = 0
  for (const span of spans) {
    if (span.end <= done) continue
    let { begin, end } = span
    if (span.isInBase64) {
      while (begin > done && isBase64.test(text.charAt(begin - 1))) begin--
      while (isBase64.test(text.charAt(end))) end++
    }
    if (begin > done || clean === "") clean += text.slice(done, begin) + replacement
    done = end
  }
  return clean + text.slice(done)
}

/**
 * Makes a function that replaces secrets in texts. If a secret was hidden by escapes, the function returns the text with
 * its escapes decoded.
 */
export const scrubbing = (secrets: Secrets): ((text: string) => string) => {
  const forms = Array.from(new Set(secrets.map(valueOf)), formsOf).flat()
  if (forms.length === 0) return (text) => text
  return (text) => {
    let clean = replaceForms(text, forms, "whole")
    let decoded = clean
    for (let nesting = 0; nesting < maxNesting; nesting++) {
      const next = unescaped(decoded)
      if (next === decoded) break
      decoded = replaceForms(next, forms, "whole")
      if (decoded !== next) clean = decoded
    }
    // Prefixes come last: a secret of which one character is escaped begins like a prefix, and the rest would remain.
    const shortened = replaceForms(decoded, forms, "prefix")
    return shortened === decoded ? replaceForms(clean, forms, "prefix") : shortened
  }
}

/** Replaces secrets in one text. */
export const scrub = (text: string, secrets: Secrets): string => scrubbing(secrets)(text)

/**
 * Replaces secrets in the path of a request: a link or a redirect of the registry may have named it. Runs for each
 * request, so it builds no forms unless the path contains a secret.
 */
export const scrubPath = (path: string, secrets: Secrets): string => {
  const plain = unescaped(path)
  const containsSecret = secrets.some((secret) => {
    const value = valueOf(secret)
    return value.length >= shortest && value.length <= path.length && (path.includes(value) || plain.includes(value))
  })
  return containsSecret ? scrub(path, secrets) : path
}

/** More than a conversation uses at a time: some tokens, and the credentials that they were requested with. */
const mostRemembered = 16

/**
 * Remembers the secrets of a conversation: a server may quote what an earlier request sent, or redirect the next request
 * to an address that contains it. The function adds secrets and returns the latest of all.
 */
export const remembering = (): ((secrets: Secrets) => Secrets) => {
  const latest: Array<Redacted.Redacted<string>> = []
  return (secrets) => {
    for (const secret of secrets) if (!latest.includes(secret)) latest.push(secret)
    latest.splice(0, latest.length - mostRemembered)
    return latest
  }
}

/**
 * Parameters that let who knows them go on with somebody's upload or download: the state of a session, and what signs a
 * link to the storage of Azure, Amazon and Google.
 */
const telling = /^(?:_state|sig|(?:x-(?:amz|goog)-)?(?:signature|credential|security-token)|policy)$/i

/** The secrets in the query of an address. */
export const inQuery = (path: string): Secrets => {
  const query = path.indexOf("?")
  return query === -1
    ? []
    : path
        .slice(query + 1)
        .split("&")
        .flatMap((pair) => {
          const [name = "", ...value] = pair.split("=")
          return telling.test(name) ? [value.join("="), decoded(value.join("="))] : []
        })
        .filter((value) => value !== "")
        .map((value) => Redacted.make(value))
}

const decoded = (value: string): string => new URLSearchParams(`value=${value}`).get("value") ?? ""
