/**
 * How two artifacts differ, in one place or in two.
 */
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as NodeRegistries from "@effect-acr/node/NodeRegistries"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { loggedIn } from "./support/registry.ts"

const rowsOf = (stdout: string) =>
  stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split("\t"))

layer(AcrEmulator.layer({ anonymousPull: true }), { excludeTestServices: true })("diff", (it) => {
  it.effect("shows what a version changes, and answers no", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const first = yield* seed({
        repository: "diff/api",
        tags: ["v1"],
        layers: ["base", "one"],
        env: { MODE: "slow" }
      })
      const second = yield* seed({
        repository: "diff/api",
        tags: ["v2"],
        layers: ["base", "two"],
        env: { MODE: "fast" }
      })
      const { code, stderr, stdout } = yield* loggedIn(["diff", "$REGISTRY/diff/api:v1", "$REGISTRY/diff/api:v2"])
      assert.deepStrictEqual({ code, stderr }, { code: 10, stderr: "" })
      const rows = rowsOf(stdout)
      assert.deepStrictEqual(rows[0], ["", "artifact", "~", "", first, second])
      assert.deepStrictEqual(
        rows.filter(([, what]) => what === "layer").map(([, , change]) => change),
        ["=", "-", "+"]
      )
      assert.deepInclude(rows, ["", "config", "~", "Env.MODE", "slow", "fast"])
    })
  )

  it.effect("answers yes for equal images, and JSON has no differences", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "diff/same", tags: ["v1", "latest"], platforms: ["linux/amd64", "linux/arm64"] })
      const { code, stdout } = yield* loggedIn(["diff", "$REGISTRY/diff/same:v1", "$REGISTRY/diff/same", "--json"])
      const { images, isSame, version } = JSON.parse(stdout)
      assert.deepStrictEqual([code, version, isSame, images.length], [0, 1, true, 2])
    })
  )

  it.effect("compares the files of images with --files, for each platform", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const platforms = ["linux/amd64", "linux/arm64"]
      const version = (tag: string, text: string) =>
        seed({
          repository: "diff/files",
          tags: [tag],
          platforms,
          layers: [{ files: { "app/version": text, "app/run": "" } }]
        })
      yield* version("v1", "1.0")
      yield* version("v2", "2.0")
      const { code, stdout } = yield* loggedIn([
        "diff",
        "$REGISTRY/diff/files:v1",
        "$REGISTRY/diff/files:v2",
        "--files"
      ])
      assert.strictEqual(code, 10)
      assert.deepStrictEqual(
        rowsOf(stdout)
          .filter(([, what]) => what === "file")
          .map(([platform, , change, path]) => [platform, change, path]),
        platforms.map((platform) => [platform, "~", "app/version"])
      )
    })
  )

  it.effect("compares a layout with a registry", () =>
    Effect.gen(function* () {
      const { endpoint, loginServer, seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "diff/places", tags: ["v1"] })
      yield* seed({ repository: "diff/places", tags: ["v2"], labels: { version: "2" } })
      const folder = mkdtempSync(join(tmpdir(), "effect-acr-diff-"))
      yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(folder, { recursive: true })))
      const registries = { [loginServer]: { endpoint, allowInsecureHttp: true } }
      yield* Effect.gen(function* () {
        const layout = yield* ImageLayout.open(folder)
        yield* Copy.run(yield* Repository.open(`${loginServer}/diff/places`), layout, "v1")
      }).pipe(Effect.provide(NodeRegistries.layerOptions({ registries })))
      const place = ["--from-layout", folder, "v1"]
      const same = yield* loggedIn(["diff", ...place, "$REGISTRY/diff/places:v1"])
      const other = yield* loggedIn(["diff", ...place, "$REGISTRY/diff/places:v2"])
      assert.deepStrictEqual([same.code, other.code], [0, 10], same.stderr)
      const missing = yield* loggedIn(["diff", ...place, "$REGISTRY/diff/places:v9"])
      assert.deepStrictEqual([missing.code, missing.stdout], [4, ""])
    })
  )
})
