/**
 * References: `registry/repository:tag@digest`.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Digest from "../src/Digest.ts"
import * as Reference from "../src/Reference.ts"
import * as RepositoryName from "../src/RepositoryName.ts"
import * as Tag from "../src/Tag.ts"
import { atOnce } from "./support/atOnce.ts"

const seeded = { arbitrary: { seed: 1, runs: 200 } }

const sha256 = `sha256:${"0123456789abcdef".repeat(4)}`
const sha512 = `sha512:${"0123456789abcdef".repeat(8)}`

const message = (text: string): string =>
  Result.match(Reference.parse(text), { onSuccess: Reference.format, onFailure: (error) => error.message })

const expectedRegistry = "Expected a registry: a host name or address with an optional port"
const expectedName = "Expected a repository name: lower-case components of letters, digits and . _ -, separated by /"
const expectedTag = "Expected a tag: 1 to 128 letters, digits and _ . -, not starting with . or -"
const expectedDigest = "Expected a digest, sha256:<64 hexadecimal digits> or sha512:<128 hexadecimal digits>"

describe("a registry", () => {
  const examples: ReadonlyArray<readonly [string, boolean]> = [
    ["myregistry.azurecr.io", true],
    ["myregistry-a1b2c3.azurecr.io", true],
    ["myregistry.eastus.data.azurecr.io", true],
    ["myregistry.azurecr.cn", true],
    ["mcr.microsoft.com", true],
    ["registry-1.docker.io", true],
    ["MyRegistry.azurecr.io", true],
    ["localhost", true],
    ["localhost:5000", true],
    ["registry:5000", true],
    ["10.0.0.1", true],
    ["10.0.0.1:443", true],
    ["[2001:db8::1]", true],
    ["[2001:db8::1]:5000", true],
    ["[::ffff:10.0.0.1]:5000", true],
    ["registry", false],
    ["", false],
    [":5000", false],
    ["myregistry.azurecr.io:", false],
    ["myregistry.azurecr.io:123456", false],
    ["myregistry.azurecr.io:-1", false],
    ["myregistry.azurecr.io.", false],
    ["myregistry..azurecr.io", false],
    ["-myregistry.azurecr.io", false],
    ["myregistry-.azurecr.io", false],
    ["my_registry.azurecr.io", false],
    ["myregistry.azurecr.io/", false],
    ["me@myregistry.azurecr.io", false],
    ["https://myregistry.azurecr.io", false],
    ["2001:db8::1", false],
    ["[2001:db8::1", false],
    ["[fe80::1%eth0]", false],
    ["bücher.example", false],
    ["myregistry.azurecr.io\n", false],
    [" myregistry.azurecr.io", false],
    [`${"a".repeat(252)}.io`, true],
    [`${"a".repeat(253)}.io`, false]
  ]
  it.each(examples)("%j: %s", (text, valid) => {
    assert.strictEqual(Schema.is(Reference.Registry)(text), valid)
  })

  it.prop(
    "begins a reference to each of its repositories",
    [Reference.Registry, RepositoryName.RepositoryName],
    ([registry, repository]) => {
      assert.deepStrictEqual(Reference.parse(`${registry}/${repository}`), Result.succeed({ registry, repository }))
    },
    seeded
  )
})

describe("a reference", () => {
  const registry = Reference.Registry.make("myregistry.azurecr.io:443")
  const repository = RepositoryName.RepositoryName.make("samples/hello-world")
  const tag = Tag.Tag.make("v1")
  const digest = Digest.Digest.make(sha512)

  const spellings: ReadonlyArray<readonly [string, Reference.Reference]> = [
    ["myregistry.azurecr.io:443/samples/hello-world", { registry, repository }],
    ["myregistry.azurecr.io:443/samples/hello-world:v1", { registry, repository, tag }],
    [`myregistry.azurecr.io:443/samples/hello-world@${sha512}`, { registry, repository, digest }],
    [`myregistry.azurecr.io:443/samples/hello-world:v1@${sha512}`, { registry, repository, tag, digest }]
  ]
  it.each(spellings)("%s is parsed into its parts, and formatted again", (text, reference) => {
    assert.deepStrictEqual(Reference.parse(text), Result.succeed(reference))
    assert.strictEqual(Reference.format(reference), text)
    assert.strictEqual(Schema.encodeSync(Reference.ReferenceFromString)(reference), text)
  })

  const refused: ReadonlyArray<readonly [string, string]> = [
    ["ubuntu", `${expectedRegistry}\n  at ["registry"]`],
    ["library/ubuntu", `${expectedRegistry}\n  at ["registry"]`],
    ["/ubuntu", `${expectedRegistry}\n  at ["registry"]`],
    ["r.io?x/ubuntu", `${expectedRegistry}\n  at ["registry"]`],
    ["r.io/Ubuntu", `${expectedName}\n  at ["repository"]`],
    ["r.io//ubuntu", `${expectedName}\n  at ["repository"]`],
    ["r.io/ubuntu/:v1", `${expectedName}\n  at ["repository"]`],
    ["r.io/:v1", `${expectedName}\n  at ["repository"]`],
    [`r.io/@${sha256}`, `${expectedName}\n  at ["repository"]`],
    ["r.io/ubuntu:", `${expectedTag}\n  at ["tag"]`],
    ["r.io/ubuntu:v1/x", `${expectedTag}\n  at ["tag"]`],
    ["r.io/ubuntu:v1 ", `${expectedTag}\n  at ["tag"]`],
    [`r.io/ubuntu:${sha256}`, `${expectedTag}\n  at ["tag"]`],
    ["r.io/ubuntu@latest", `${expectedDigest}\n  at ["digest"]`],
    ["r.io/ubuntu@", `${expectedDigest}\n  at ["digest"]`],
    [`r.io/ubuntu@${sha256}:v1`, `${expectedDigest}\n  at ["digest"]`],
    [`r.io/ubuntu@${sha256}@${sha256}`, `${expectedDigest}\n  at ["digest"]`],
    [`r.io/${"a".repeat(772)}`, "Expected a reference of at most 776 characters"]
  ]
  it.each(refused)("%j is refused with the part that is wrong", (text, expected) => {
    assert.strictEqual(message(text), expected)
  })

  it("may have parts of the maximum length", () => {
    const longest = `${"a".repeat(252)}.io/${"b".repeat(255)}:${"c".repeat(128)}@${sha512}`
    assert.strictEqual(longest.length, 776)
    assert.strictEqual(message(longest), longest)
  })

  it.prop(
    "is read as it was written",
    [Reference.Reference],
    ([reference]) => {
      const text = Reference.format(reference)
      assert.deepStrictEqual(Reference.parse(text), Result.succeed(reference))
      assert.strictEqual(Schema.encodeSync(Reference.ReferenceFromString)(reference), text)
    },
    seeded
  )

  it.prop(
    "that can be read is written as it was, whatever the text",
    [Schema.Array(Schema.Literals(["a", "r.io", "1", ".", ":", "/", "@", "-", "_", sha256, "A"]))],
    ([pieces]) => {
      const text = pieces.join("")
      const read = Reference.parse(text)
      if (Result.isSuccess(read)) assert.strictEqual(Reference.format(read.success), text)
    },
    { arbitrary: { seed: 1, runs: 2000 } }
  )

  it.each(["a/", "a", "a.", "a-", "-", "_", ":", "@", "[", "r.io/a:", `r.io/a@${sha256}`])(
    "of a megabyte of %j is refused at once",
    (piece) => {
      for (const length of [100_000, 1_000_000]) {
        const long = piece.repeat(Math.ceil(length / piece.length))
        for (const text of [long, `${long}!`, `r.io/${long}`, `r.io/a:${long}`, `${long}/a`]) {
          assert.strictEqual(
            atOnce(() => message(text)),
            "Expected a reference of at most 776 characters"
          )
        }
      }
    }
  )

  // These are short enough for the patterns to see all of them.
  it.each(["a.", "a", "a-", "a-.", "a1-", "1."])("whose registry is %j over and over is refused at once", (piece) => {
    const registry = `${piece.repeat(254).slice(0, 254)}!`
    assert.strictEqual(
      atOnce(() => message(`${registry}/a`)),
      `${expectedRegistry}\n  at ["registry"]`
    )
  })
})
