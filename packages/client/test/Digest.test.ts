/**
 * Digests: OCI image specification, descriptor.md, "Digests".
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Digest from "../src/Digest.ts"
import { atOnce } from "./support/atOnce.ts"

const seeded = { arbitrary: { seed: 1, runs: 200 } }

/** The digests of nothing, as `sha256sum` and `sha512sum` print them, and of `{}`, which the specification names. */
const known: ReadonlyArray<readonly [string, Digest.Algorithm, number]> = [
  ["sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "sha256", 64],
  ["sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", "sha256", 64],
  [
    "sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce" +
      "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
    "sha512",
    128
  ]
]

describe("a digest", () => {
  it.each(known)("%s is parsed into its parts", (text, algorithm, digits) => {
    const digest = Result.getOrThrow(Digest.parse(text))
    assert.strictEqual(String(digest), text)
    assert.strictEqual(Digest.algorithm(digest), algorithm)
    assert.strictEqual(Digest.hex(digest), text.slice("sha256:".length))
    assert.strictEqual(Digest.hex(digest).length, digits)
  })

  const sha256 = known[0]?.[0] ?? ""
  const refused: ReadonlyArray<readonly [string, string]> = [
    ["without an algorithm", sha256.slice("sha256:".length)],
    ["without a colon", sha256.replace(":", "")],
    ["with two colons", sha256.replace(":", "::")],
    ["with another separator", sha256.replace(":", "-")],
    ["of several algorithms", sha256.replace("sha256", "sha256+b64u")],
    ["of an algorithm that can't be verified here", sha256.replace("sha256", "blake3")],
    ["of an algorithm that is broken", `sha1:${"a".repeat(40)}`],
    ["with digits in upper case", sha256.toUpperCase().replace("SHA256", "sha256")],
    ["with digits of full width", sha256.replace("e3b0", "ｅ３ｂ０")],
    ["with a digit too few", sha256.slice(0, -1)],
    ["with a digit too many", `${sha256}0`],
    ["that ends in a line", `${sha256}\n`],
    ["that hides a second line", `${sha256}\n${sha256}`],
    ["that hides a null", `${sha256}\0`],
    ["that is a path", `sha256:${"../".repeat(21)}a`]
  ]
  it.each(refused)("%s is refused", (_, text) => {
    assert.isTrue(Result.isFailure(Digest.parse(text)))
    assert.isFalse(Digest.isDigest(text))
  })

  it("is distinguished from values that are not strings", () => {
    for (const other of [undefined, null, 0, {}, [], [sha256], new String(sha256)]) {
      assert.isFalse(Digest.isDigest(other))
    }
    assert.isTrue(Digest.isDigest(sha256))
  })

  it("that is refused says what is expected, and does not repeat the input", () => {
    assert.strictEqual(
      Result.match(Digest.parse("sha256:the-secret"), { onSuccess: String, onFailure: ({ message }) => message }),
      "Expected a digest, sha256:<64 hexadecimal digits> or sha512:<128 hexadecimal digits>"
    )
  })

  it.prop(
    "is its algorithm, a colon and its hash",
    [Digest.Digest],
    ([digest]) => {
      assert.deepStrictEqual(Digest.parse(`${Digest.algorithm(digest)}:${Digest.hex(digest)}`), Result.succeed(digest))
      assert.strictEqual(Digest.hex(digest).length, Digest.algorithm(digest) === "sha256" ? 64 : 128)
    },
    seeded
  )

  it.prop(
    "has no neighbour with a character more or less",
    [Digest.Digest],
    ([digest]) => {
      for (const text of [digest.slice(1), digest.slice(0, -1), `${digest}0`, `0${digest}`]) {
        assert.isTrue(Result.isFailure(Digest.parse(text)), text)
      }
    },
    seeded
  )

  it.each(["a", "sha256:", "sha512:a", "0", ":", "-", "_", "a/"])("of a megabyte of %j is refused at once", (piece) => {
    for (const length of [100_000, 1_000_000]) {
      const long = piece.repeat(length / piece.length)
      for (const text of [long, `${long}!`, `sha256:${long}`, `sha512:${long}\n`]) {
        assert.isTrue(Result.isFailure(atOnce(() => Digest.parse(text))))
      }
    }
  })
})
