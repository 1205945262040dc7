/**
 * Repository names: OCI distribution specification, "Pulling manifests".
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as RepositoryName from "../src/RepositoryName.ts"
import { atOnce } from "./support/atOnce.ts"

/** All texts of up to `length` characters of an alphabet. */
const textsUpTo = (length: number, alphabet: string): ReadonlyArray<string> =>
  length === 0
    ? [""]
    : textsUpTo(length - 1, alphabet).flatMap((text) =>
        text.length === length - 1 ? [text, ...Array.from(alphabet, (character) => text + character)] : [text]
      )

/** The grammar again, by splitting instead of matching: between letters and digits is one separator. */
const isComponent = (text: string): boolean =>
  /^[a-z0-9]/.test(text) &&
  /[a-z0-9]$/.test(text) &&
  text
    .split(/[a-z0-9]/)
    .every((between) => [".", "_", "__", ""].includes(between) || between === "-".repeat(between.length))

const message = (text: string): string =>
  Result.match(RepositoryName.parse(text), { onSuccess: String, onFailure: (error) => error.message })

describe("a repository name", () => {
  it("follows the grammar, in all texts of up to six characters", () => {
    const texts = textsUpTo(6, "a0._-/A")
    assert.strictEqual(texts.length, (7 ** 7 - 1) / 6)
    const valid = texts.filter((text) => Result.isSuccess(RepositoryName.parse(text)))
    assert.deepStrictEqual(
      valid,
      texts.filter((text) => text.split("/").every(isComponent))
    )
  })

  const examples: ReadonlyArray<readonly [string, boolean]> = [
    // Azure's documentation, "Registries, repositories, and artifacts".
    ["hello-world", true],
    ["marketing/campaign10-18/web", true],
    ["marketing/campaign10-18/email/sender", true],
    ["samples/java/hello-world.v2", true],
    ["a----------b", true],
    ["a__b", true],
    ["a_-b", false],
    ["a.-b", false],
    ["a__.b", false],
    ["repo\u200bsitory", false],
    ["repositor\u0443", false],
    ["a%2fb", false],
    ["a/./b", false],
    [".", false],
    ["a\r", false],
    ["a\u2028", false],
    ["a?b", false],
    ["a#b", false],
    [`${"a/".repeat(127)}a`, true],
    [`${"a/".repeat(127)}ab`, false],
    ["a".repeat(255), true],
    ["a".repeat(256), false]
  ]
  it.each(examples)("%j: %s", (text, valid) => {
    assert.strictEqual(Result.isSuccess(RepositoryName.parse(text)), valid)
  })

  it("that is refused says why: length before grammar", () => {
    assert.strictEqual(message("A".repeat(256)), "Expected a repository name of at most 255 characters")
    assert.strictEqual(
      message("A".repeat(255)),
      "Expected a repository name: lower-case components of letters, digits and . _ -, separated by /"
    )
  })

  it("that is too long is not matched against the grammar, even if all errors are requested", () => {
    const all = Schema.decodeUnknownResult(RepositoryName.RepositoryName, { errors: "all" })
    assert.strictEqual(
      Result.match(all("A".repeat(256)), { onSuccess: String, onFailure: (error) => error.message }),
      "Expected a repository name of at most 255 characters"
    )
  })

  it.prop(
    "is read as it is, and its parts are names as well",
    [RepositoryName.RepositoryName],
    ([name]) => {
      assert.deepStrictEqual(RepositoryName.parse(name), Result.succeed(name))
      for (const part of name.split("/")) assert.isTrue(Result.isSuccess(RepositoryName.parse(part)), part)
    },
    { arbitrary: { seed: 1, runs: 200 } }
  )

  it.each(["a/", "a", "a-", "-", "_", "a_", "a.a__", "a--", "/", "0/0."])(
    "of a megabyte of %j is refused at once",
    (piece) => {
      for (const length of [100_000, 1_000_000]) {
        const long = piece.repeat(length / piece.length)
        for (const text of [long, `${long}!`, `a${long}`, `a/${long}a`]) {
          assert.isTrue(Result.isFailure(atOnce(() => RepositoryName.parse(text))))
        }
      }
    }
  )

  // Short enough for the pattern to see all of it.
  it.each(["a/", "a", "a-", "a--", "a_", "a__", "a.", "a.a-", "a-/"])(
    "of 254 characters of %j and one that is none is refused at once",
    (piece) => {
      const text = `${piece.repeat(254).slice(0, 254)}!`
      assert.isTrue(Result.isFailure(atOnce(() => RepositoryName.parse(text))))
    }
  )
})
