/**
 * Platforms: OCI image specification, image-index.md, and the short form that Docker made common.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Platform from "../src/Platform.ts"
import { atOnce } from "./support/atOnce.ts"

const decode = Schema.decodeUnknownResult(Platform.Platform)
const encode = Schema.encodeResult(Platform.Platform)

describe("a platform in an index", () => {
  it("keeps the fields of the specification and unknown ones", () => {
    const written = {
      architecture: "amd64",
      os: "windows",
      "os.version": "10.0.20348.2113",
      "os.features": ["win32k"],
      variant: "v3",
      features: ["reserved"],
      novel: { deep: [null, 1] }
    }
    const platform = Result.getOrThrow(decode(written))
    assert.deepStrictEqual<object>(platform, written)
    assert.deepStrictEqual<object>(Result.getOrThrow(encode(platform)), written)
  })

  it("is read as an empty text if it has no names", () => {
    const empty = Result.succeed({ architecture: "", os: "linux" })
    for (const written of [{ os: "linux" }, { architecture: null, os: "linux" }, { architecture: "", os: "linux" }]) {
      assert.deepStrictEqual(decode(written), empty)
    }
    assert.deepStrictEqual(decode({ architecture: "amd64" }), Result.succeed({ architecture: "amd64", os: "" }))
  })

  it("reads null and the empty text as absent", () => {
    assert.deepStrictEqual(
      decode({ architecture: "arm", os: "linux", variant: "", "os.version": "" }),
      Result.succeed({ architecture: "arm", os: "linux" })
    )
    assert.deepStrictEqual(
      decode({ architecture: "arm", os: "linux", variant: null, "os.version": null, "os.features": null }),
      Result.succeed({ architecture: "arm", os: "linux" })
    )
  })

  it("may be unknown, as that of attestations", () => {
    assert.deepStrictEqual(
      Result.map(decode({ architecture: "unknown", os: "unknown" }), Platform.format),
      Result.succeed("unknown/unknown")
    )
  })

  const refused: ReadonlyArray<readonly [string, unknown]> = [
    ["with a number for an architecture", { architecture: 64, os: "linux" }],
    ["with a number for a variant", { architecture: "arm", os: "linux", variant: 7 }],
    ["with one text for features", { architecture: "arm", os: "linux", "os.features": "win32k" }],
    ["that is a text", "linux/amd64"],
    ["that is a list", ["linux", "amd64"]],
    ["that is null", null]
  ]
  it.each(refused)("%s is refused", (_, written) => {
    assert.isTrue(Result.isFailure(decode(written)))
  })

  it("is read with any names", () => {
    const fields: unknown = JSON.parse('{"architecture":"a","os":"b","__proto__":{"variant":"c"},"constructor":1}')
    const platform = Result.getOrThrow(decode(fields))
    assert.isUndefined(platform.variant)
    assert.strictEqual(Platform.format(platform), "b/a")
    assert.deepStrictEqual(Object.keys(platform).toSorted(), ["__proto__", "architecture", "constructor", "os"])
  })
})

describe("a platform as a text", () => {
  const spellings: ReadonlyArray<readonly [string, Platform.Platform]> = [
    ["linux/amd64", { os: "linux", architecture: "amd64" }],
    ["linux/arm/v7", { os: "linux", architecture: "arm", variant: "v7" }],
    ["linux/arm64/v8", { os: "linux", architecture: "arm64", variant: "v8" }],
    ["windows/amd64", { os: "windows", architecture: "amd64" }],
    ["wasi/wasm", { os: "wasi", architecture: "wasm" }],
    ["Linux/x86_64", { os: "Linux", architecture: "x86_64" }],
    [`${"a".repeat(64)}/b`, { os: "a".repeat(64), architecture: "b" }]
  ]
  it.each(spellings)("%s is read, and written", (text, platform) => {
    assert.deepStrictEqual(Platform.parse(text), Result.succeed(platform))
    assert.strictEqual(Platform.format(platform), text)
    assert.strictEqual(Schema.encodeSync(Platform.PlatformFromString)(platform), text)
  })

  it.each([
    "",
    "linux",
    "/",
    "linux/",
    "/amd64",
    "linux//v8",
    "linux/arm64/",
    "linux/arm64/v8/",
    "linux/arm64/v8/x",
    "linux amd64",
    "linux/amd64 ",
    "linux(10.0)/amd64",
    "linüx/amd64",
    "linux/amd64\n",
    "linux\n/amd64",
    `${"a".repeat(65)}/b`,
    `a/${"b".repeat(65)}`,
    `a/b/${"c".repeat(65)}`
  ])("%j is refused", (text) => {
    assert.strictEqual(
      Result.match(Platform.parse(text), { onSuccess: Platform.format, onFailure: ({ message }) => message }),
      "Expected a platform: os/architecture or os/architecture/variant"
    )
  })

  it("cannot express versions and features", () => {
    assert.strictEqual(
      Platform.format({ os: "windows", architecture: "amd64", "os.version": "10.0.20348", "os.features": ["win32k"] }),
      "windows/amd64"
    )
  })

  it("cannot have an empty part", () => {
    for (const platform of [
      { os: "", architecture: "amd64" },
      { os: "linux", architecture: "" }
    ]) {
      assert.isTrue(Result.isFailure(Schema.encodeResult(Platform.PlatformFromString)(platform)))
    }
  })

  it.prop(
    "is read as it was written",
    [
      Schema.Struct({
        os: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9._-]{1,64}$/)),
        architecture: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9._-]{1,64}$/)),
        variant: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Za-z0-9._-]{1,64}$/)))
      })
    ],
    ([platform]) => {
      assert.deepStrictEqual(Platform.parse(Platform.format(platform)), Result.succeed(platform))
    },
    { arbitrary: { seed: 1, runs: 200 } }
  )

  it.each(["a", "a/", "/", "-", "_", "linux/amd64/"])("of a megabyte of %j is refused at once", (piece) => {
    for (const length of [100_000, 1_000_000]) {
      const long = piece.repeat(length / piece.length)
      for (const text of [long, `${long}!`, `linux/${long}`, `${long}/amd64`]) {
        assert.isTrue(Result.isFailure(atOnce(() => Platform.parse(text))))
      }
    }
  })
})
