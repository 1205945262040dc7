/**
 * Tags: OCI distribution specification, "Pulling manifests".
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Tag from "../src/Tag.ts"
import { atOnce } from "./support/atOnce.ts"

/** The characters of ASCII that satisfy a rule. */
const ascii = (rule: (character: string) => boolean): string =>
  Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))
    .filter(rule)
    .join("")

const isTag = (text: string): boolean => Result.isSuccess(Tag.parse(text))

describe("a tag", () => {
  it("begins with a letter, a digit or _", () => {
    assert.strictEqual(ascii(isTag), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
  })

  it("continues with the same, . and -", () => {
    assert.strictEqual(
      ascii((character) => isTag(`a${character}`)),
      "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"
    )
  })

  const examples: ReadonlyArray<readonly [string, boolean]> = [
    ["latest", true],
    ["3.14.0-rc.1", true],
    ["20231124.1", true],
    ["sha256-44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a.sig", true],
    ["a..b", true],
    ["__", true],
    ["A-", true],
    ["v1.0+build", false],
    ["sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", false],
    ["latest\n", false],
    ["lat\nest", false],
    ["latest\0", false],
    ["latést", false],
    ["ｌatest", false],
    ["a%2e", false],
    ["../..", false],
    ["a".repeat(128), true],
    [`_${".".repeat(127)}`, true],
    ["a".repeat(129), false],
    [`-${"a".repeat(127)}`, false]
  ]
  it.each(examples)("%j: %s", (text, valid) => {
    assert.strictEqual(isTag(text), valid)
  })

  it("that is refused says what is expected, and does not repeat the input", () => {
    assert.strictEqual(
      Result.match(Tag.parse("the secret"), { onSuccess: String, onFailure: ({ message }) => message }),
      "Expected a tag: 1 to 128 letters, digits and _ . -, not starting with . or -"
    )
  })

  it.prop(
    "is read unchanged, and each of its prefixes is a tag",
    [Tag.Tag],
    ([tag]) => {
      assert.deepStrictEqual(Tag.parse(tag), Result.succeed(tag))
      for (let length = 1; length <= tag.length; length++) assert.isTrue(isTag(tag.slice(0, length)))
    },
    { arbitrary: { seed: 1, runs: 200 } }
  )

  it.each(["a", "a/", "-", "_", ".", "a.", "latest:"])("of a megabyte of %j is refused at once", (piece) => {
    for (const length of [100_000, 1_000_000]) {
      const long = piece.repeat(length / piece.length)
      for (const text of [long, `${long}!`, `a${long}`]) assert.isFalse(atOnce(() => isTag(text)))
    }
  })
})
