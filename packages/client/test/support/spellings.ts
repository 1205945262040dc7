/**
 * Encodings in which a program may quote a secret.
 */

/** An encoding of a text. */
export interface Spelling {
  readonly name: string
  readonly write: (text: string) => string
}

const utf8 = new TextEncoder()

const bytesOf = (text: string): ReadonlyArray<string> =>
  Array.from(utf8.encode(text), (byte) => byte.toString(16).padStart(2, "0"))

const base64 = (text: string): string => Buffer.from(text).toString("base64")

const escaped = (text: string): string => JSON.stringify(text).slice(1, -1)

/** The four digits of each UTF-16 code unit. */
const units = (text: string): ReadonlyArray<string> =>
  text.split("").map((unit) => unit.charCodeAt(0).toString(16).padStart(4, "0"))

/** Replaces each punctuation character of ASCII, given its code and the character after it. */
const signs = (text: string, write: (code: number, next: string) => string): string =>
  text.replace(/[!-/:-@[-`{-~]/g, (sign, at: number) => write(sign.charCodeAt(0), text.charAt(at + 1)))

/** HTML names of ASCII characters. */
const entities = new Map(
  Object.entries({
    "+": "plus",
    "/": "sol",
    "=": "equals",
    "&": "amp",
    ";": "semi",
    "<": "lt",
    ">": "gt",
    '"': "quot",
    "%": "percnt",
    "\\": "bsol",
    ".": "period",
    _: "lowbar",
    ö: "ouml",
    ß: "szlig",
    Ü: "Uuml"
  })
)

/** Other HTML names of these characters. */
const longEntities = new Map(
  Object.entries({
    _: "UnderBar",
    "*": "midast",
    "|": "VerticalLine",
    "`": "DiacriticalGrave",
    "{": "lbrace",
    "[": "lbrack"
  })
)

const byName = (names: ReadonlyMap<string, string>, text: string): string =>
  text.replace(/./gsu, (sign) => (names.has(sign) ? `&${names.get(sign)};` : sign))

const repeatedly = (times: number, write: (text: string) => string, text: string): string =>
  times === 0 ? text : repeatedly(times - 1, write, write(text))

/** The encodings of programs that quote requests. */
export const usualSpellings: ReadonlyArray<Spelling> = [
  { name: "as it is", write: (text) => text },
  { name: "as JSON", write: escaped },
  { name: "as JSON in JSON", write: (text) => escaped(escaped(text)) },
  {
    name: "with slashes escaped",
    write: (text) => escaped(text).replaceAll("/", String.raw`\/`)
  },
  {
    name: "with escapes for all but letters and digits",
    write: (text) =>
      text.replace(/[^a-z0-9]/gi, (found) =>
        units(found)
          .map((unit) => `\\u${unit}`)
          .join("")
      )
  },
  {
    name: "with an escape for each character",
    write: (text) =>
      units(text)
        .map((unit) => `\\u${unit.toUpperCase()}`)
        .join("")
  },
  {
    name: "with an escape for each byte",
    write: (text) =>
      bytesOf(text)
        .map((byte) => `\\x${byte}`)
        .join("")
  },
  { name: "percent-encoded", write: encodeURIComponent },
  {
    name: "percent-encoded in lower case",
    write: (text) => encodeURIComponent(text).replace(/%../g, (byte) => byte.toLowerCase())
  },
  {
    name: "percent-encoded in each byte",
    write: (text) =>
      bytesOf(text)
        .map((byte) => `%${byte}`)
        .join("")
  },
  { name: "percent-encoded twice", write: (text) => encodeURIComponent(encodeURIComponent(text)) },
  { name: "as a form", write: (text) => new URLSearchParams({ a: text }).toString().slice(2) },
  { name: "as a form that was read carelessly", write: (text) => text.replaceAll("+", " ") },
  {
    name: "as HTML",
    write: (text) =>
      text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;").replaceAll("+", "&#43;")
  },
  { name: "as HTML in HTML in HTML", write: (text) => repeatedly(3, (inner) => inner.replaceAll("&", "&amp;"), text) },
  { name: "as JSON in JSON in JSON", write: (text) => repeatedly(3, escaped, text) },
  { name: "in base64", write: base64 },
  { name: "in base64 for addresses", write: (text) => Buffer.from(text).toString("base64url") },
  { name: "in base64, behind one letter", write: (text) => base64(`:${text}`) },
  { name: "in base64, between others", write: (text) => base64(`contoso:${text}\n`) },
  { name: "in base64, percent-encoded", write: (text) => encodeURIComponent(base64(`a:${text}`)) }
]

/** Encodings that only a server would use that wants to hide a secret. */
const contrivedSpellings: ReadonlyArray<Spelling> = [
  {
    name: "as HTML in decimal numbers with many zeros",
    write: (text) => signs(text, (code) => `&#0000000${code};`)
  },
  {
    name: "as HTML in hexadecimal numbers with many zeros",
    write: (text) => signs(text, (code) => `&#x00000000${code.toString(16)};`)
  },
  {
    name: "as HTML without semicolons",
    write: (text) => signs(text, (code, next) => `&#${code}${/^\d?$/.test(next) ? ";" : ""}`)
  },
  {
    name: "as HTML by names",
    write: (text) => byName(entities, text)
  },
  { name: "as HTML by other names", write: (text) => byName(longEntities, text) },
  { name: "percent-encoded five times", write: (text) => repeatedly(5, encodeURIComponent, text) },
  { name: "percent-encoded nine times", write: (text) => repeatedly(9, encodeURIComponent, text) },
  {
    name: "with escapes of old browsers",
    write: (text) => signs(text, (code) => `%u${code.toString(16).padStart(4, "0")}`)
  },
  {
    name: "with octal escapes",
    write: (text) => signs(text, (code) => `\\${code.toString(8).padStart(3, "0")}`)
  },
  {
    name: "with the shortest octal escapes",
    write: (text) => signs(text, (code, next) => `\\${code.toString(8).padStart(/[0-7]/.test(next) ? 3 : 1, "0")}`)
  },
  { name: "with a line that goes on", write: (text) => `${text.slice(0, 5)}\\\n${text.slice(5)}` },
  { name: "in base64, in short lines", write: (text) => base64(`a:${text}:b`).replace(/.{19}/g, "$&\r\n  ") },
  { name: "in base64, in short lines as JSON", write: (text) => base64(text).replace(/.{19}/g, String.raw`$&\n`) },
  { name: "in small letters", write: (text) => text.toLowerCase() },
  { name: "in capitals", write: (text) => text.replace(/[a-zö]+/g, (letters) => letters.toUpperCase()) },
  { name: "in hexadecimal", write: (text) => bytesOf(text).join("") }
]

export const spellings: ReadonlyArray<Spelling> = [...usualSpellings, ...contrivedSpellings]
