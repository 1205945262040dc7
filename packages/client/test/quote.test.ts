/**
 * Quotes of other programs: without secrets, without control characters, and limited.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { quoting } from "../src/internal/http/quote.ts"
import { makeIndex, scrubbing, someWork } from "../src/internal/http/scrubbing.ts"
import { inQuery, remembering, type Sought, sought } from "../src/internal/http/secrets.ts"
import { printable } from "../src/Printable.ts"
import { atOnce, measured } from "./support/atOnce.ts"
import { spellings } from "./support/spellings.ts"

const secrets = (...texts: ReadonlyArray<string>) => texts.map((text) => sought(Redacted.make(text)))

const scrub = (text: string, secrets: ReadonlyArray<Sought>) => scrubbing(secrets)(text)

const plain = quoting([])

describe("a secret", () => {
  const token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjb250b3NvIn0.c2lnbmF0dXJl-_"
  const examples: ReadonlyArray<string> = [
    token,
    "correct horse battery staple",
    'a"b\\c/d<e>f&g+h=i%2Fj',
    String.raw`C:\new\tokens\u0041`,
    "Größe-жук-😀-2026",
    "Plant_ed*pass|wo`rd+{9}/Ünïcode😀-tail",
    "12345678",
    `${"aaaaaaaa".repeat(40)}b`
  ]
  for (const secret of examples) {
    for (const { name, write } of spellings) {
      it(`${secret.slice(0, 30)} is replaced if it is written ${name}`, () => {
        const written = write(secret)
        // The padding of percent-encoded base64 may remain.
        const struck = (text: string) => scrub(text, secrets("another secret", secret)).replace(/(?:%3D)+/, "")
        for (const [before, after] of [
          ["", ""],
          ["got ", " instead"],
          ["(", ")"],
          ['{"a":"', '"}'],
          ["Bearer ", "; "],
          ["日本 ", " 語"]
        ] as const) {
          assert.strictEqual(struck(before + written + after), `${before}<redacted>${after}`)
          assert.strictEqual(
            struck(`${written} ${before} ${after} ${secret}`),
            `<redacted> ${before} ${after} <redacted>`
          )
        }
      })
    }
  }

  it("is replaced if only the start of it is quoted", () => {
    for (const after of ["", " …", "..."]) {
      for (let length = 16; length < 20; length++) {
        assert.strictEqual(scrub(`token ${token.slice(0, length)}${after}`, secrets(token)), `token <redacted>${after}`)
      }
      const short = `token ${token.slice(0, 15)}${after}`
      assert.strictEqual(scrub(short, secrets(token)), short)
    }
    const denied = "incorrect username or password"
    assert.strictEqual(scrub(denied, secrets("password123")), denied)
  })

  it("is replaced as the longest of several with the same prefix, in any order", () => {
    const all = ["contoso-password", "contoso-password-2", "contoso-password-23"]
    for (const order of [all, all.toReversed()]) {
      for (const secret of all) assert.strictEqual(scrub(`<${secret}>`, secrets(...order)), "<<redacted>>")
    }
  })

  it("is replaced together with the base64 text around it", () => {
    const header = Buffer.from(`contoso:${token}`).toString("base64")
    assert.strictEqual(scrub(`Authorization: Basic ${header}.`, secrets(token)), "Authorization: Basic <redacted>.")
  })

  const others: ReadonlyArray<string> = [
    "",
    "denied",
    "100% of a \\ b & c",
    "&#xffffff; &#9999999; \\u{ffffff} %ff%fe \\xff \\u00 %2",
    "a".repeat(1000),
    JSON.stringify({ a: ["\n", { b: "\\" }] }),
    Buffer.from("something else altogether").toString("base64"),
    "\ud800 %41 \\u0041"
  ]
  it.each(others)("is not found in %j, which is unchanged", (text) => {
    assert.strictEqual(scrub(text, secrets(token, "pass", "password")), text)
  })

  it("needs at least four characters", () => {
    assert.strictEqual(scrub("abc abcd", secrets("abc")), "abc abcd")
    assert.strictEqual(scrub("abc abcd", secrets("abcd")), "abc <redacted>")
  })

  it("may contain a lone surrogate", () => {
    assert.strictEqual(scrub("a token-\ud800-token b", secrets("token-\ud800-token")), "a <redacted> b")
  })

  /** The maximum that is read of an error. */
  const most = 64 * 1024
  const texts: ReadonlyArray<readonly [string, string]> = [
    ["one character", "a"],
    ["almost the secret", `${"a".repeat(16_383)}c`],
    ["backslashes", "\\"],
    ["percent signs", "%25"],
    ["entities", "&amp;"],
    ["half-written escapes", "\\u00"],
    ["base64", "YWFh"]
  ]
  it.each(texts)("takes linear time to find in 64 KiB of %s", (_, piece) => {
    const half = "a".repeat(most / 2)
    const long = secrets(`${half}b${half}`, half, `b${half}`, "%25".repeat(most / 3))
    atOnce(() => scrub(piece.repeat(most / piece.length), long))
  })
})

const head = "A".repeat(16)
const token = (length: number, index = 0): string => head + "A".repeat(length) + index
const tokens = (length: number) => secrets(...Array.from({ length: 16 }, (_, index) => token(length, index)))
const many = (name: string, count: number) => secrets(...Array.from({ length: count }, (_, at) => `${name}-${at}-x`))
const escapes = (length: number) =>
  secrets(...Array.from({ length: 16 }, (_, index) => head + "%41".repeat(length / 3) + index))

/** The work for texts that begin like tokens, all of a length. */
const workOf = (length: number): number => {
  const work = { left: Number.MAX_SAFE_INTEGER }
  const quote = quoting(tokens(length), work)
  quote.json(Array.from({ length: length / 32 }, () => head))
  quote.text("A".repeat(length))
  return Number.MAX_SAFE_INTEGER - work.left
}

describe("the work for an answer", () => {
  const bodies: ReadonlyArray<readonly [string, unknown]> = [
    ["strings that begin like a token", Array.from({ length: 990 }, () => head)],
    ["strings with escapes that begin like a token", Array.from({ length: 990 }, () => `${head}%4141`)],
    [
      "keys that begin like a token",
      Object.fromEntries(Array.from({ length: 990 }, (_, index) => [head + index, head]))
    ],
    ["a string that repeats the start of a token", "A".repeat(64_000)],
    ["escapes of escapes", `%${"25".repeat(32_000)}`],
    ["backslashes", "\\".repeat(32_000)]
  ]
  for (const [what, body] of bodies) {
    it(`takes little time for ${what}, after 16 tokens of 64 KiB`, () => {
      for (const all of [tokens(65_000), escapes(63_000)]) {
        const quote = quoting(all)
        atOnce(() => [body, body, body].map((detail) => quote.json(detail)))
      }
    })
  }

  it("does not grow with the length of the tokens if the texts are short", () => {
    const texts = Array.from({ length: 500 }, () => head)
    const cost = (all: ReadonlyArray<Sought>) => {
      // Each has its own limit of work, and the computations for a token are cached.
      const quote = () => quoting(all).json(texts)
      quote()
      return measured(() => Array.from({ length: 200 }, quote)).cost
    }
    assert.isBelow(cost(tokens(64_000)) / cost(tokens(1000)), 16)
  })

  it("grows linearly with the texts", () => {
    assert.isBelow(workOf(32_000) / workOf(8000), 4.5)
  })

  it("is limited for all texts together, and the rest is withheld", () => {
    const work = someWork()
    const quote = quoting(tokens(65_000), work)
    const texts = Array.from({ length: 100 }, () => quote.text(`${"A".repeat(60_000)}, denied`))
    assert.strictEqual(texts[0], "<redacted>, denied")
    assert.strictEqual(texts.at(-1), "<redacted>")
    assert.strictEqual(quoting(tokens(65_000), work).text("denied"), "<redacted>")
    assert.strictEqual(quoting(tokens(65_000)).text("denied"), "denied")
  })

  it("includes a thousand secrets of an address, and ends at the limit", () => {
    const values = Array.from({ length: 1364 }, (_, index) => `x=aaaa${index.toString(36).padStart(4, "0")}`)
    const quote = quoting(
      inQuery(`https://storage.example/?${values.join("&")}`).others.map((value) => sought(Redacted.make(value)))
    )
    const short = () => quote.text("aaaaa")
    assert.strictEqual(short(), "aaaaa")
    assert.strictEqual(quote.text("got aaaa000z"), "got <redacted>")
    atOnce(() => Array.from({ length: 1_000_000 }, short))
    assert.strictEqual(short(), "<redacted>")
    const more = quoting(Array.from({ length: 1_000_000 }, (_, index) => sought(Redacted.make(`secret ${index}`))))
    assert.strictEqual(
      atOnce(() => more.text("denied")),
      "<redacted>"
    )
  })

  it("is spent for each secret once, and those that others replaced in the index are found again", () => {
    const index = makeIndex()
    const names = Array.from({ length: 20 }, (_, group) =>
      Array.from({ length: 16 }, (_, at) => `secret ${at} of group ${group}`)
    )
    const quotes = names.map((group) => ({ group, quote: quoting(secrets(...group), undefined, index) }))
    for (const round of ["first", "second", "third"]) {
      for (const { group, quote } of quotes) {
        for (const name of group) assert.strictEqual(quote.text(`${round}: ${name}`), `${round}: <redacted>`)
      }
    }
    const work = { left: Number.MAX_SAFE_INTEGER }
    const again = secrets(...names.flat().slice(0, 16))
    const workOf = () => {
      const before = work.left
      quoting(again, work, index).text("denied")
      return before - work.left
    }
    assert.isBelow(workOf(), 16 * 4096)
    assert.isBelow(workOf(), 4096)
  })

  it("is not spent in vain: a text keeps what is a secret only of another request", () => {
    const index = makeIndex()
    assert.strictEqual(quoting(secrets("shop-storefront"), undefined, index).text("shop-storefront"), "<redacted>")
    assert.strictEqual(quoting(secrets("elsewhere"), undefined, index).text("shop-storefront"), "shop-storefront")
  })

  it("finds secrets of a request that the index has in part, or lacks because the work of another ran out", () => {
    const index = makeIndex()
    const [first, others, last] = [many("first", 16), many("others", 40), many("last", 20)]
    for (const all of [first, others]) quoting(all, undefined, index).text("denied")
    assert.strictEqual(
      quoting([...first, ...last], undefined, index).text("first-3-x last-3-x"),
      "<redacted> <redacted>"
    )
    const quote = quoting(first, undefined, index)
    assert.strictEqual(quote.text("first-3-x"), "<redacted>")
    quoting(many("many", 70), { left: 9000 }, index).text("denied")
    assert.strictEqual(quote.text("first-3-x"), "<redacted>")
  })

  it("suffices for the longest error that is read", () => {
    const words = String.raw`the tag %22latest%22 is \"locked\" &amp; AAAA BBBB, `.repeat(1300)
    assert.isAbove(words.length, 64 * 1024 - 10_000)
    assert.strictEqual(scrub(words, tokens(1000)), words)
  })
})

describe("a transport", () => {
  it("remembers the latest of its secrets, the current ones included", () => {
    const remember = remembering()
    const all = Array.from({ length: 1000 }, (_, index) => Redacted.make(`secret ${index}`))
    const remembered = (...latest: typeof all) => remember(latest).map(({ value }) => value)
    for (const secret of all) assert.strictEqual(remembered(secret).at(-1), secret)
    assert.deepStrictEqual(remembered(), all.slice(-16))
    assert.deepStrictEqual(remembered(...all.slice(-2)), all.slice(-16))
  })

  it("does not forget a secret that is in use", () => {
    const remember = remembering()
    const password = Redacted.make("a password")
    for (let request = 0; request < 100; request++) {
      remember([password])
      const known = remember([Redacted.make(`token ${request}`)])
      assert.include(
        known.map(({ value }) => value),
        password
      )
    }
  })
})

describe("the path of a request", () => {
  it("is unchanged unless it contains a secret", () => {
    const path = "/v2/a%20b/blobs/uploads/planted%2Btoken"
    assert.strictEqual(scrub(path, secrets("elsewhere", "abc")), path)
    assert.strictEqual(scrub(path, secrets("planted+token")), "/v2/a%20b/blobs/uploads/<redacted>")
  })
})

describe("a quoted text", () => {
  const table: ReadonlyArray<readonly [string, string]> = [
    ["Grüße, 日本, عربى, 😀", "Grüße, 日本, عربى, 😀"],
    [String.raw`a\b "c" 'd' <e>`, String.raw`a\b "c" 'd' <e>`],
    ["one\ntwo\r\n\tthree", String.raw`one\ntwo\r\n\tthree`],
    ["\u001b[2J\u001b]0;title\u0007", String.raw`\u001b[2J\u001b]0;title\u0007`],
    ["\u0000\u0008\u007f\u0080\u009b31m\u009f", String.raw`\u0000\u0008\u007f\u0080\u009b31m\u009f`],
    ["a\u2028b\u2029c\u0085d", String.raw`a\u2028b\u2029c\u0085d`],
    ["\u202agnp.exe\u202e \u2066x\u2069", String.raw`\u202agnp.exe\u202e \u2066x\u2069`],
    ["a\u200b\u200d\u200e\u061c\ufeff\u00adb", String.raw`a\u200b\u200d\u200e\u061c\ufeff\u00adb`],
    ["\u{e0041}\u{1d173}", String.raw`\u{e0041}\u{1d173}`],
    ["\ud800 \udc00\ud800", String.raw`\ud800 \udc00\ud800`]
  ]
  it.each(table)("%j is %s", (text, quoted) => {
    assert.strictEqual(printable(text), quoted)
    assert.strictEqual(plain.text(text), quoted)
    assert.strictEqual(plain.text(plain.text(text)), quoted)
  })

  it("has no control characters, line separators, bidirectional controls or lone surrogates", () => {
    for (let code = 0; code <= 0xffff; code++) {
      const control = code < 0x20 || (code >= 0x7f && code <= 0x9f)
      const separator = code === 0x2028 || code === 0x2029
      const direction = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)
      const half = code >= 0xd800 && code <= 0xdfff
      const character = String.fromCharCode(code)
      if (control || separator || direction || half) assert.notInclude(printable(character), character)
    }
  })

  it("is cut after its secrets are replaced", () => {
    assert.strictEqual(plain.text("abcdef", 3), "abc…")
    assert.strictEqual(plain.text("abc", 3), "abc")
    assert.isBelow(plain.text("a".repeat(100_000)).length, 5000)
    const quote = quoting(secrets("planted-token"))
    assert.strictEqual(quote.text("a planted-token b", 5), "a <re…")
  })
})

/** Lists in lists. */
const nested = (levels: number): unknown => JSON.parse("[".repeat(levels) + "]".repeat(levels))

const levelsOf = (value: unknown): number =>
  typeof value === "object" && value !== null ? 1 + Math.max(0, ...Object.values(value).map(levelsOf)) : 0

describe("quoted JSON", () => {
  const values: ReadonlyArray<unknown> = [
    null,
    true,
    0,
    -1.5,
    1e300,
    "a",
    [],
    {},
    [[{ Type: "repository", Class: "", Name: "library/alpine", Action: "pull" }], null, 1],
    { "": { "a b": [false] } }
  ]
  it.each(values)("%j is itself", (value) => {
    assert.deepStrictEqual<unknown>(plain.json(value), value)
  })

  it.prop(
    "is JSON again",
    [Schema.Json],
    ([value]) => {
      assert.strictEqual(JSON.stringify(plain.json(value)), JSON.stringify(plain.json(plain.json(value))))
    },
    { arbitrary: { seed: 1, runs: 200 } }
  )

  it("has no secret in keys, strings and numbers", () => {
    const { json } = quoting(secrets("planted-token", "12345678"))
    assert.deepStrictEqual<unknown>(
      json({ "planted-token": [{ a: "<planted\\u002dtoken>" }, 12345678, 1234567], b: { "planted%2Dtoken!": null } }),
      { "<redacted>": [{ a: "<<redacted>>" }, "<redacted>", 1234567], b: { "<redacted>!": null } }
    )
  })

  it("treats keys such as __proto__ as any other", () => {
    const quoted = plain.json(JSON.parse('{"__proto__":{"polluted":true},"constructor":1}'))
    assert.strictEqual(JSON.stringify(quoted), '{"__proto__":{"polluted":true},"constructor":1}')
    assert.notProperty({}, "polluted")
  })

  it("is limited in depth", () => {
    assert.strictEqual(levelsOf(plain.json(nested(16))), 16)
    assert.strictEqual(levelsOf(plain.json(nested(17))), 16)
    assert.include(JSON.stringify(plain.json(nested(17))), "…")
    assert.strictEqual(levelsOf(atOnce(() => plain.json(nested(100_000)))), 16)
  })

  it("is limited in its number of values", () => {
    const wide = Array.from({ length: 5000 }, (_, index) => index)
    const keys = Object.fromEntries(wide.map((index) => [`k${index}`, index]))
    const both = Array.from({ length: 100 }, () => wide)
    for (const value of [wide, keys, both, [keys, keys]]) {
      const quoted = plain.json(value)
      assert.isBelow(JSON.stringify(quoted).length, 20_000)
      assert.include(JSON.stringify(quoted), "…")
    }
  })
})
