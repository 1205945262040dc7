/**
 * Which images run on which platforms.
 */
import { assert, describe, it } from "@effect/vitest"
import { pipe } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Platform from "../src/Platform.ts"

/** `os/architecture/variant@version+feature+feature`, in which any part may be empty. */
const platform = (text: string): Platform.Platform => {
  const [names = "", ...features] = text.split("+")
  const [name = "", version] = names.split("@")
  const [os = "", architecture = "", variant] = name.split("/")
  return {
    os,
    architecture,
    ...(variant === undefined ? {} : { variant }),
    ...(version === undefined ? {} : { "os.version": version }),
    ...(features.length === 0 ? {} : { "os.features": features })
  }
}

/** For each wanted platform the images that run there, and some that do not. */
const table: ReadonlyArray<readonly [wanted: string, run: ReadonlyArray<string>, doNotRun: ReadonlyArray<string>]> = [
  ["linux/amd64", ["linux/amd64", "linux/amd64/v1", "linux/amd64/1"], ["linux/amd64/v2", "linux/386", "windows/amd64"]],
  ["linux/amd64/v1", ["linux/amd64", "linux/amd64/v1"], ["linux/amd64/v2"]],
  [
    "linux/amd64/v3",
    ["linux/amd64/v3", "linux/amd64/v2", "linux/amd64/v1", "linux/amd64"],
    ["linux/amd64/v4", "linux/amd64/v5", "linux/amd64/v0"]
  ],
  ["linux/arm64", ["linux/arm64", "linux/arm64/v8", "linux/arm64/8"], ["linux/arm64/v9", "linux/arm", "linux/arm/v8"]],
  ["linux/arm64/v8", ["linux/arm64", "linux/arm64/v8"], ["linux/arm64/v9", "linux/arm64/v7"]],
  ["linux/arm64/v9", ["linux/arm64/v9", "linux/arm64/v8", "linux/arm64"], ["linux/arm64/v10", "linux/arm/v7"]],
  [
    "linux/arm",
    ["linux/arm", "linux/arm/v7", "linux/arm/7", "linux/arm/v6", "linux/arm/v5"],
    ["linux/arm/v8", "linux/arm64"]
  ],
  ["linux/arm/v7", ["linux/arm", "linux/arm/v7", "linux/arm/v6", "linux/arm/v5"], ["linux/arm/v8", "linux/arm/v4"]],
  ["linux/arm/v6", ["linux/arm/v6", "linux/arm/v5"], ["linux/arm", "linux/arm/v7"]],
  ["linux/arm/v8", ["linux/arm/v8", "linux/arm/v7", "linux/arm"], ["linux/arm64", "linux/arm64/v8"]],
  ["linux/arm/", ["linux/arm", "linux/arm/", "linux/arm/v7"], ["linux/arm/v8"]],
  // Other names.
  ["linux/aarch64", ["linux/arm64", "linux/AArch64", "linux/arm64/v8"], ["linux/arm64/v9"]],
  ["linux/armel/", ["linux/armel/", "linux/arm/v6"], ["linux/arm/v7"]],
  ["linux/arm64", ["linux/aarch64", "Linux/ARM64", "linux/arm64/V8"], []],
  ["linux/x86_64", ["linux/amd64", "linux/x86-64"], ["linux/386"]],
  ["linux/386", ["linux/i386", "linux/i686", "linux/386"], ["linux/amd64"]],
  ["linux/armhf", ["linux/arm/v7", "linux/armel", "linux/arm/v6"], ["linux/arm/v8"]],
  ["linux/armel", ["linux/arm/v6", "linux/armel", "linux/arm/v5"], ["linux/arm/v7", "linux/armhf", "linux/arm"]],
  ["linux/armhf/v6", ["linux/arm/v6"], ["linux/arm/v7"]],
  ["macos/arm64", ["darwin/arm64", "macOS/aarch64"], ["linux/arm64"]],
  // Variants without an order.
  ["linux/arm64/vx", ["linux/arm64/vx", "linux/arm64/VX"], ["linux/arm64", "linux/arm64/v8", "linux/arm64/v9"]],
  ["linux/amd64/v4", ["linux/amd64/v4", "linux/amd64/v1"], ["linux/amd64/v5", "linux/amd64/vx"]],
  ["linux/ppc64le", ["linux/ppc64le"], ["linux/ppc64le/power9", "linux/ppc64"]],
  ["linux/ppc64le/power9", ["linux/ppc64le/power9"], ["linux/ppc64le", "linux/ppc64le/power8"]],
  ["linux/riscv64/v2", ["linux/riscv64/v2"], ["linux/riscv64/v1", "linux/riscv64/2"]],
  ["wasi/wasm", ["wasi/wasm"], ["linux/wasm"]],
  // What has no platform.
  ["unknown/unknown", [], ["unknown/unknown", "linux/amd64"]],
  ["/", [], ["/", "linux/amd64"]],
  ["linux/", [], ["linux/", "linux/amd64"]],
  ["linux/unknown", [], ["linux/unknown", "linux/Unknown"]],
  // Versions of the operating system.
  ["windows/amd64", ["windows/amd64", "windows/amd64@10.0.17763.1040"], []],
  ["windows/amd64@", ["windows/amd64", "windows/amd64@10.0.17763.1040"], []],
  [
    "windows/amd64@10.0.17763",
    ["windows/amd64@10.0.17763", "windows/amd64@10.0.17763.1040"],
    ["windows/amd64", "windows/amd64@10.0.177630", "windows/amd64@10.0.1776", "windows/amd64@10.0"]
  ],
  [
    "windows/amd64@10.0.17763.1040",
    ["windows/amd64@10.0.17763.1040"],
    ["windows/amd64@10.0.17763", "windows/amd64@10.0.17763.1041", "windows/amd64@10.0.17763.10400"]
  ],
  // Features of the operating system.
  ["windows/amd64", ["windows/amd64+win32k"], []],
  ["windows/amd64+win32k", ["windows/amd64+win32k", "windows/amd64+a+win32k"], ["windows/amd64", "windows/amd64+a"]],
  ["windows/amd64+win32k+a", ["windows/amd64+a+win32k+b"], ["windows/amd64+win32k"]]
]

describe("matches", () => {
  for (const [wanted, run, doNotRun] of table) {
    it(`${wanted} runs ${run.join(", ")}, not ${doNotRun.join(", ")}`, () => {
      for (const text of run) {
        assert.isTrue(Platform.matches(platform(text), platform(wanted)), text)
        assert.isTrue(pipe(platform(text), Platform.matches(platform(wanted))), text)
      }
      for (const text of doNotRun) {
        assert.isFalse(Platform.matches(platform(text), platform(wanted)), text)
        assert.isFalse(pipe(platform(text), Platform.matches(platform(wanted))), text)
      }
    })
  }
})

/** Candidates by platform; `-` has none. Their names are their positions. */
const candidates = (...texts: ReadonlyArray<string>) =>
  texts.map((text, index): { readonly index: number; readonly platform?: Platform.Platform } =>
    text === "-" ? { index } : { index, platform: platform(text) }
  )

describe("bestMatch", () => {
  const cases: ReadonlyArray<readonly [wanted: string, of: ReadonlyArray<string>, taken: number | undefined]> = [
    ["linux/arm64", [], undefined],
    ["linux/arm64", ["-", "unknown/unknown", "linux/amd64"], undefined],
    ["linux/arm64", ["-", "unknown/unknown", "linux/amd64", "linux/aarch64"], 3],
    // The exact variant, then the nearest lower one.
    ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v7", "linux/arm/v8"], 2],
    ["linux/arm/v7", ["linux/arm/v5", "linux/arm/v6", "linux/arm/v8"], 1],
    ["linux/arm/v7", ["linux/arm/v8", "linux/arm/v5"], 1],
    ["linux/arm/v7", ["linux/arm/v8", "linux/arm64"], undefined],
    ["linux/arm", ["linux/arm/v6", "linux/arm"], 1],
    ["linux/amd64/v3", ["linux/amd64", "linux/amd64/v2", "linux/amd64/v4"], 1],
    ["linux/amd64/v3", ["linux/amd64/v4", "linux/amd64"], 1],
    ["linux/arm64/v9", ["linux/arm64", "linux/arm64/v9"], 1],
    ["linux/arm64/v9", ["linux/arm64"], 0],
    // Among equal variants the first.
    ["linux/arm64", ["linux/amd64", "linux/arm64/v8", "linux/arm64"], 1],
    ["windows/amd64", ["windows/amd64@10.0.20348.1", "windows/amd64@10.0.17763.1"], 0],
    ["windows/amd64@10.0.17763", ["windows/amd64@10.0.20348.1", "windows/amd64@10.0.17763.1"], 1]
  ]
  for (const [wanted, of, taken] of cases) {
    it(`takes ${taken === undefined ? "none" : `${taken}: ${of[taken]}`} of ${of.join(", ")} for ${wanted}`, () => {
      const found = Platform.bestMatch(candidates(...of), platform(wanted))
      assert.strictEqual(Option.getOrUndefined(found)?.index, taken)
      const piped = pipe(candidates(...of), Platform.bestMatch(platform(wanted)))
      assert.strictEqual(Option.getOrUndefined(piped)?.index, taken)
    })
  }
})

describe("fromInput", () => {
  it("reads the short form, and returns a platform unchanged", () => {
    assert.deepStrictEqual(
      Platform.fromInput("linux/arm/v7"),
      Result.succeed({ os: "linux", architecture: "arm", variant: "v7" })
    )
    const windows = platform("windows/amd64@10.0.17763")
    assert.deepStrictEqual(Platform.fromInput(windows), Result.succeed(windows))
  })

  it.each(["", "linux", "linux/", "linux/arm64/v8/x", "linux/arm 64"])("refuses %j", (text) => {
    const read = Platform.fromInput(text)
    assert.strictEqual(
      Result.isFailure(read) ? read.failure.message : undefined,
      "Expected a platform: os/architecture or os/architecture/variant"
    )
  })
})
