/**
 * Decodes the escapes with which programs quote a text: those of JSON, JavaScript, URLs and HTML.
 *
 * The decoded text is only searched, never shown, so all languages are decoded at once and liberally.
 */

/** A text, and the position of each character in the text that it was decoded from. */
export interface View {
  readonly text: string
  readonly origin: (at: number) => number
}

/** The HTML names of ASCII characters, in lower case. */
const entities = new Map(
  Object.entries({
    amp: "&",
    apos: "'",
    ast: "*",
    bsol: "\\",
    colon: ":",
    comma: ",",
    commat: "@",
    diacriticalgrave: "`",
    dollar: "$",
    equals: "=",
    excl: "!",
    grave: "`",
    gt: ">",
    hat: "^",
    lbrace: "{",
    lbrack: "[",
    lcub: "{",
    lowbar: "_",
    lpar: "(",
    lsqb: "[",
    lt: "<",
    midast: "*",
    newline: "\n",
    num: "#",
    percnt: "%",
    period: ".",
    plus: "+",
    quest: "?",
    quot: '"',
    rbrace: "}",
    rbrack: "]",
    rcub: "}",
    rpar: ")",
    rsqb: "]",
    semi: ";",
    sol: "/",
    tab: "\t",
    underbar: "_",
    verbar: "|",
    verticalline: "|",
    vert: "|"
  })
)

/** The HTML 4 names of the characters of Latin-1, from U+00A0 on. */
const latin1 = new Map(
  `nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 acute micro para
   middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute
   Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute
   THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde
   ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml yacute thorn yuml`
    .split(/\s+/)
    .map((name, index) => [name, String.fromCharCode(0xa0 + index)] as const)
)

/** The characters that a backslash and a letter escape. */
const letters = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["b", "\b"],
  ["f", "\f"]
])

/**
 * The bytes of one character: UTF-8, else a single byte. They are decoded one by one, so a stray byte affects no other
 * character.
 */
const octets = String.raw`(?:%|\\x)(?:[cd][\da-f](?:%|\\x)[89ab][\da-f]|e[\da-f](?:(?:%|\\x)[89ab][\da-f]){2}|f[0-7](?:(?:%|\\x)[89ab][\da-f]){3}|[\da-f]{2})`

/**
 * `%2B`, `\x2b`, `%u002b`, `\u002b`, `\u{2b}`, `\053`, `\53`, `\+`, `&#x2b;`, `&#43;`, `&plus;`. Each escape is one
 * character, except a backslash at the end of a line, which is none.
 */
const escapes = new RegExp(
  String.raw`${octets}|[%\\]u[\da-f]{4}|\\u\{[\da-f]+\}|\\(?:[0-3]?[0-7])?[0-7]|\\\r\n|\\[^]|&#x[\da-f]+;?|&#\d+;?|&(?:${[...entities.keys(), ...latin1.keys()].join("|")});?`,
  "gi"
)

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

/** Reads bytes as UTF-8 if they are valid, else as Latin-1. */
const ofBytes = (digits: ReadonlyArray<string>): string => {
  const bytes = Uint8Array.from(digits, (byte) => Number.parseInt(byte, 16))
  const text = bytes.length === 1 ? "\ufffd" : utf8.decode(bytes)
  return text.includes("\ufffd") ? String.fromCharCode(...bytes) : text
}

const ofCodePoint = (number: number): string => (number > 0x10ffff ? "\ufffd" : String.fromCodePoint(number))

const ofEntity = (escape: string): string => {
  if (/^&#x/i.test(escape)) return ofCodePoint(Number.parseInt(escape.slice(3), 16))
  if (escape.startsWith("&#")) return ofCodePoint(Number.parseInt(escape.slice(2), 10))
  const name = escape.slice(1).replace(";", "")
  return latin1.get(name) ?? entities.get(name.toLowerCase()) ?? escape
}

const characterOf = (escape: string): string => {
  if (escape.startsWith("&")) return ofEntity(escape)
  const kind = escape.charAt(1)
  if (/^\\\d/.test(escape)) return String.fromCharCode(Number.parseInt(escape.slice(1), 8))
  if (kind === "\r" || kind === "\n") return ""
  if (escape.length === 2) return letters.get(kind) ?? kind
  if (kind === "u" || kind === "U") return ofCodePoint(Number.parseInt(escape.slice(2).replace("{", ""), 16))
  return ofBytes(escape.match(/[\da-f]{2}/gi) ?? [])
}

/** Replaces each match of a pattern. Undefined if there is none. */
const replace = ({ origin, text }: View, pattern: RegExp, by: (match: string) => string): View | undefined => {
  const origins: Array<number> = []
  let done = 0
  const keep = (end: number) => {
    for (; done < end; done++) origins.push(origin(done))
  }
  const replaced = text.replace(pattern, (match: string, at: number) => {
    const character = by(match)
    keep(at)
    for (let unit = 0; unit < character.length; unit++) origins.push(origin(at))
    done = at + match.length
    return character
  })
  if (done === 0) return undefined
  keep(text.length + 1)
  return { text: replaced, origin: (at) => origins[at] ?? 0 }
}

/** The line breaks inside base64. */
const breaks = /\r?\n[ \t]*/g

const nothing = () => ""

/**
 * Yields a text unchanged, and with its escapes decoded once, twice, and so on until none is left; each of them also
 * without its line breaks. Each result is shorter than the one before.
 */
export function* views(text: string): Generator<View> {
  let view: View | undefined = { text, origin: (at) => at }
  while (view !== undefined) {
    yield view
    const unbroken: View | undefined = view.text.includes("\n") ? replace(view, breaks, nothing) : undefined
    if (unbroken !== undefined) yield unbroken
    view = /[%\\&]/.test(view.text) ? replace(view, escapes, characterOf) : undefined
  }
}
