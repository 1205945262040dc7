/**
 * The grammar of names: what is one, what is none, and that no input takes long.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Digest from "../src/Digest.ts"
import * as MediaType from "../src/MediaType.ts"
import * as Platform from "../src/Platform.ts"
import * as Reference from "../src/Reference.ts"
import * as RepositoryName from "../src/RepositoryName.ts"
import * as Tag from "../src/Tag.ts"
import { atOnce } from "./support/atOnce.ts"

const sha256 = `sha256:${"0123456789abcdef".repeat(4)}`
const sha512 = `sha512:${"0123456789abcdef".repeat(8)}`

interface Grammar {
  readonly parse: (input: string) => Result.Result<unknown, Schema.SchemaError>
  readonly valid: ReadonlyArray<string>
  readonly invalid: ReadonlyArray<string>
}

const grammars: { readonly [name: string]: Grammar } = {
  Digest: {
    parse: Digest.parse,
    valid: [sha256, sha512],
    invalid: [
      "",
      "sha256:",
      sha256.slice(0, -1),
      `${sha256}0`,
      sha256.replace("a", "A"),
      sha256.replace("a", "g"),
      sha256.replace("sha256", "SHA256"),
      sha256.replace("sha256", "sha512"),
      sha512.replace("sha512", "sha256"),
      `md5:${"0".repeat(32)}`,
      "sha256:../../../etc/passwd",
      `${sha256}\n`,
      ` ${sha256}`
    ]
  },
  RepositoryName: {
    parse: RepositoryName.parse,
    valid: ["a", "0", "alpine", "library/hello-world", "a.b_c__d-e---f/g", "a/b/c/d/e/f", "a".repeat(255)],
    invalid: [
      "",
      "/",
      "a/",
      "/a",
      "a//b",
      "Alpine",
      "a..b",
      "a___b",
      "a._b",
      "-a",
      "a-",
      "a/-b",
      "_a",
      "a b",
      "a:b",
      "a@b",
      "../a",
      "a/../b",
      "ä",
      "a\n",
      "a".repeat(256)
    ]
  },
  Tag: {
    parse: Tag.parse,
    valid: ["latest", "v1.2.3", "_", "A", "0-._", "a".repeat(128)],
    invalid: ["", ".a", "-a", "a/b", "a:b", "a b", "a+b", "ä", "a\n", "..", "a".repeat(129)]
  },
  MediaType: {
    parse: MediaType.parse,
    valid: ["a/b", "application/vnd.oci.image.manifest.v1+json", `a/${"b".repeat(127)}`, "Application/JSON"],
    invalid: [
      "",
      "a",
      "a/",
      "/b",
      "a/b/c",
      "a/b; charset=utf-8",
      "a /b",
      "*/*",
      ".a/b",
      `a/${"b".repeat(128)}`,
      "a/b\n"
    ]
  },
  Platform: {
    parse: Platform.parse,
    valid: ["linux/amd64", "linux/arm64/v8", "windows/amd64"],
    invalid: ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux /amd64", "linux/amd64\n"]
  },
  Reference: {
    parse: Reference.parse,
    valid: [
      "myregistry.azurecr.io/library/hello-world",
      "myregistry.azurecr.io/library/hello-world:v1",
      `myregistry.azurecr.io/library/hello-world@${sha256}`,
      `myregistry.azurecr.io/library/hello-world:v1@${sha512}`,
      "localhost/a",
      "localhost:5000/a:b",
      "127.0.0.1:5000/a",
      "[::1]:5000/a",
      "registry:5000/a",
      "xn--bcher-kva.example/a"
    ],
    invalid: [
      "",
      "alpine",
      "library/alpine",
      "registry/alpine",
      "myregistry.azurecr.io",
      "myregistry.azurecr.io/",
      "myregistry.azurecr.io/A",
      "myregistry.azurecr.io/a:",
      "myregistry.azurecr.io/a@",
      "myregistry.azurecr.io/a:b:c",
      `myregistry.azurecr.io/a@${sha256}@${sha256}`,
      `myregistry.azurecr.io/a@${sha256}:v1`,
      "https://myregistry.azurecr.io/a",
      "me@myregistry.azurecr.io/a",
      "myregistry.azurecr.io:x/a",
      "-a.io/a",
      ".azurecr.io/a"
    ]
  }
}

/** Inputs that make a careless pattern try all ways to cut them. */
const long: ReadonlyArray<readonly [string, string]> = [
  "a",
  "a/",
  "a-",
  "-",
  "_",
  ".",
  "a.",
  "/",
  ":",
  "@",
  "a:a@",
  "sha256:",
  "0",
  " ",
  "\n",
  "é",
  "[",
  "a__",
  "a.a-"
].map((piece) => [piece, piece.repeat(Math.ceil(100_000 / piece.length))] as const)

describe.for(Object.entries(grammars))("%s", ([, { invalid, parse, valid }]) => {
  it.each(valid)("reads %j", (input) => {
    assert.isTrue(Result.isSuccess(parse(input)))
  })

  it.each(invalid)("refuses %j", (input) => {
    assert.isTrue(Result.isFailure(parse(input)))
  })

  it.each(long)("refuses 100 kB of %j at once, and does not quote it", (_, input) => {
    for (const text of [input, `${input}!`, `myregistry.azurecr.io/${input}`, `a/${input}!`]) {
      const result = atOnce(() => parse(text))
      assert.isTrue(Result.isFailure(result))
      if (Result.isFailure(result)) assert.isBelow(result.failure.message.length, 500)
    }
  })
})

describe("a digest", () => {
  it("tells its algorithm and its hash", () => {
    assert.isTrue(Digest.isDigest(sha512))
    if (!Digest.isDigest(sha512)) return
    assert.strictEqual(Digest.algorithm(sha512), "sha512")
    assert.strictEqual(`${Digest.algorithm(sha512)}:${Digest.hex(sha512)}`, sha512)
  })
})

describe("a reference", () => {
  it.each(grammars["Reference"]?.valid ?? [])("%s is written as it was read", (input) => {
    assert.deepStrictEqual(Result.map(Reference.parse(input), Reference.format), Result.succeed(input))
  })

  it.prop("is read as it was written", [Reference.Reference], ([reference]) => {
    assert.deepStrictEqual(Reference.parse(Reference.format(reference)), Result.succeed(reference))
  })

  it("is cut at the right places", () => {
    assert.deepStrictEqual(Result.getOrThrow(Reference.parse(`localhost:5000/a/b:v1@${sha256}`)), {
      registry: Reference.Registry.make("localhost:5000"),
      repository: RepositoryName.RepositoryName.make("a/b"),
      tag: Tag.Tag.make("v1"),
      digest: Digest.Digest.make(sha256)
    })
  })
})

describe("a platform", () => {
  it.each(grammars["Platform"]?.valid ?? [])("%s is written as it was read", (input) => {
    assert.deepStrictEqual(Result.map(Platform.parse(input), Platform.format), Result.succeed(input))
  })
})
