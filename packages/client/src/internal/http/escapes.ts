/**
 * Decodes the escapes with which programs quote a text: those of JSON, JavaScript, URLs and HTML.
 *
 * The decoded text is only searched, never shown, so all languages are decoded at once and liberally.
 */

/** A text, and where each of its positions stands in the text that it was decoded from. */
export interface View {
  readonly text: string
  readonly origin: (at: number) => number
}

/** The names of HTML for the characters of ASCII that escape functions replace. */
const entities = new Map(
  Object.entries({
    amp: "&",
    apos: "'",
    ast: "*",
    bsol: "\\",
    colon: ":",
    comma: ",",
    commat: "@",
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
    verbar: "|",
    vert: "|"
  })
)

/** What a backslash and a letter stand for. */
const letters = new Map([
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["b", "\b"],
  ["f", "\f"]
])

/** The bytes of one character: UTF-8, else a single byte. They are decoded one by one, so that a stray byte costs itself. */
const octets = String.raw`(?:%|\\x)(?:[cd][\da-f](?:%|\\x)[89ab][\da-f]|e[\da-f](?:(?:%|\\x)[89ab][\da-f]){2}|f[0-7](?:(?:%|\\x)[89ab][\da-f]){3}|[\da-f]{2})`

/** `%2B`, `\x2b`, `%u002b`, `\u002b`, `\u{2b}`, `\053`, `\+`, `&#x2b;`, `&#43;`, `&plus;`. Each escape is one character. */
const escapes = new RegExp(
  String.raw`${octets}|[%\\]u[\da-f]{4}|\\u\{[\da-f]+\}|\\[0-3][0-7]{2}|\\[^]|&#x[\da-f]+;?|&#\d+;?|&(?:${[...entities.keys()].join("|")});?`,
  "gi"
)

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true })

/** Reads bytes as UTF-8 if they are, else as Latin-1. */
const ofBytes = (digits: ReadonlyArray<string>): string => {
  const bytes = Uint8Array.from(digits, (byte) => Number.parseInt(byte, 16))
  const text = bytes.length === 1 ? "\ufffd" : utf8.decode(bytes)
  return text.includes("\ufffd") ? String.fromCharCode(...bytes) : text
}

const ofCodePoint = (number: number): string => (number > 0x10ffff ? "\ufffd" : String.fromCodePoint(number))

const ofEntity = (escape: string): string => {
  if (/^&#x/i.test(escape)) return ofCodePoint(Number.parseInt(escape.slice(3), 16))
  if (escape.startsWith("&#")) return ofCodePoint(Number.parseInt(escape.slice(2), 10))
  return entities.get(escape.slice(1).replace(";", "").toLowerCase()) ?? escape
}

const characterOf = (escape: string): string => {
  if (escape.startsWith("&")) return ofEntity(escape)
  const kind = escape.charAt(1)
  if (escape.length === 2) return letters.get(kind) ?? kind
  if (kind === "u" || kind === "U") return ofCodePoint(Number.parseInt(escape.slice(2).replace("{", ""), 16))
  if (/^\\\d/.test(escape)) return String.fromCharCode(Number.parseInt(escape.slice(1), 8))
  return ofBytes(escape.match(/[\da-f]{2}/gi) ?? [])
}

/** Decodes one level of escapes. The result is shorter, or absent if the text has none. */
const decode = ({ origin, text }: View): View | undefined => {
  const origins: Array<number> = []
  let done = 0
  const keep = (end: number) => {
    for (; done < end; done++) origins.push(origin(done))
  }
  const decoded = text.replace(escapes, (escape: string, at: number) => {
    const character = characterOf(escape)
    keep(at)
    for (let unit = 0; unit < character.length; unit++) origins.push(origin(at))
    done = at + escape.length
    return character
  })
  if (done === 0) return undefined
  keep(text.length + 1)
  return { text: decoded, origin: (at) => origins[at] ?? 0 }
}

/** A text as it is, and with its escapes decoded once, twice, and so on until none is left. */
export function* views(text: string): Generator<View> {
  let view: View | undefined = { text, origin: (at) => at }
  while (view !== undefined) {
    yield view
    view = /[%\\&]/.test(view.text) ? decode(view) : undefined
  }
}
