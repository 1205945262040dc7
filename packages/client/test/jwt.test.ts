/**
 * The lifetime of tokens: RFC 7519, without checking signatures.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { lifetimeMillis } from "../src/internal/auth/jwt.ts"
import { atOnce } from "./support/atOnce.ts"

/** Some moment in 2023, by this machine's clock. */
const now = 1_700_000_000_000

const encode = (text: string): string => Buffer.from(text).toString("base64url")

/** A token with these claims. */
const token = (claims: unknown): string =>
  `${encode('{"alg":"RS256","typ":"JWT"}')}.${encode(JSON.stringify(claims))}.c2lnbmF0dXJl`

describe("a token's lifetime", () => {
  const lifetimes: ReadonlyArray<readonly [string, unknown, number]> = [
    ["expiry minus issue", { iat: 1000, exp: 4600 }, 3_600_000],
    [
      "expiry minus issue, whatever the other claims are",
      { iat: 1000, nbf: 900, exp: 4600, jti: [null], access: [] },
      3_600_000
    ],
    ["expiry minus the start of validity, if there is no time of issue", { nbf: 1000, exp: 4600 }, 3_600_000],
    ["expiry minus the current time, without both", { exp: 1_700_000_060 }, 60_000],
    ["to the millisecond", { iat: 0.5, exp: 2.75 }, 2250],
    ["0, if it has expired", { exp: 1_699_999_999 }, 0],
    ["0, if it expires before it begins", { iat: 4600, exp: 1000 }, 0],
    ["0, if it expires before 1970", { exp: -1 }, 0],
    ["from the start of validity, if issue is 0, which means none", { iat: 0, nbf: 10, exp: 20 }, 10_000],
    ["from the start of validity, if issue is null", { iat: null, nbf: 10, exp: 20 }, 10_000]
  ]
  it.each(lifetimes)("is %s", (_, claims, millis) => {
    assert.deepStrictEqual(lifetimeMillis(token(claims), now), Option.some(millis))
  })

  it("does not need a signature", () => {
    const [header = "", payload = ""] = token({ iat: 1, exp: 2 }).split(".")
    for (const text of [`${header}.${payload}.`, `${header}.${payload}`, `.${payload}.`, `${header}.${payload}.a.b`]) {
      assert.deepStrictEqual(lifetimeMillis(text, now), Option.some(1000))
    }
  })

  it("is read from names in any script, and in base64 with padding", () => {
    const claims = { iat: 1, exp: 2, name: "ÿÿ>>??" }
    assert.match(token(claims), /[-_]/)
    assert.deepStrictEqual(lifetimeMillis(token(claims), now), Option.some(1000))
  })

  const unknown: ReadonlyArray<readonly [string, string]> = [
    ["that is empty", ""],
    ["that ends beyond all numbers", `a.${encode('{"exp":1e308}')}.c`],
    ["that begins there too", `a.${encode('{"exp":1e308,"iat":1e308}')}.c`],
    ["that is a word", "opaque"],
    ["that is all dots", "..."],
    ["that is encrypted", "a.b.c.d.e"],
    ["with a payload that is no base64", `a.!!!.c`],
    ["with a payload that is empty", "a..c"],
    ["with a payload that is no text", `a.${Buffer.from([0xff, 0xfe]).toString("base64url")}.c`],
    ["with a payload that is no JSON", `a.${encode("exp=1")}.c`],
    ["with a payload that is half of it", `a.${encode('{"exp":1')}.c`],
    ["that is a list", token([1])],
    ["that is null", token(null)],
    ["that is a number", token(1)],
    ["without expiry", token({ iat: 1 })],
    ["with null for expiry", token({ exp: null })],
    ["with 0 for expiry, which means none", token({ exp: 0, iat: 10 })],
    ["with words for expiry", token({ exp: "4600" })],
    ["with an expiry beyond all numbers", `a.${encode('{"exp":1e999}')}.c`]
  ]
  it.each(unknown)("is unknown for one %s", (_, text) => {
    assert.deepStrictEqual(lifetimeMillis(text, now), Option.none())
  })

  it.prop(
    "does not depend on this machine's clock",
    [Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4e9 })), Schema.Natural, Schema.Natural],
    ([iat, seconds, clock]) => {
      const lifetime = lifetimeMillis(token({ iat, exp: iat + (seconds % 1e6) }), clock)
      assert.deepStrictEqual(lifetime, Option.some((seconds % 1e6) * 1000))
    },
    { arbitrary: { seed: 1, runs: 200 } }
  )

  const texts: ReadonlyArray<readonly [string, (length: number) => string]> = [
    ["dots", (length) => ".".repeat(length)],
    ["dots and letters", (length) => "a.".repeat(length / 2)],
    ["dashes", (length) => `a.${"-".repeat(length)}.c`],
    ["underscores", (length) => `a.${"_".repeat(length)}.c`],
    ["equals signs", (length) => `a.${"=".repeat(length)}.c`],
    ["slashes", (length) => `a.${"a/".repeat(length / 2)}.c`],
    ["letters and one that is none", (length) => `a.${"a".repeat(length)}!.c`],
    ["brackets", (length) => `a.${encode("[".repeat(length))}.c`],
    ["quotes", (length) => `a.${encode('"'.repeat(length))}.c`]
  ]
  it.each(texts)("is not known of a megabyte of %s, which is seen at once", (_, text) => {
    for (const length of [100_000, 1_000_000]) {
      assert.deepStrictEqual(
        atOnce(() => lifetimeMillis(text(length), now)),
        Option.none()
      )
    }
  })

  it("is read from a token of a megabyte", () => {
    const claims = { iat: 1, exp: 2, access: "a/".repeat(500_000) }
    assert.deepStrictEqual(
      atOnce(() => lifetimeMillis(token(claims), now)),
      Option.some(1000)
    )
  })
})
