/**
 * What the command shows on a terminal. `npx -y pnpm@12 pictures` also keeps it for the docs.
 */
import { mkdirSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { onTerminal } from "./support/command.ts"
import { loggedIn } from "./support/registry.ts"
import { screen } from "./support/screen.ts"

const pictures = fileURLToPath(new URL("../../../docs/images/", import.meta.url))

const columns = 120

const cell = { width: 8.4, height: 19 }
const margin = 16

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" }

const escaped = (text: string): string => text.replace(/[&<>]/g, (character) => escapes[character] ?? character)

/** A screen as a drawing. */
const svg = (lines: ReadonlyArray<string>): string => {
  const width = Math.ceil(columns * cell.width + 2 * margin)
  const height = Math.ceil(lines.length * cell.height + 2 * margin)
  const rows = lines.map(
    (line, row) =>
      `  <text x="${margin}" y="${margin + (row + 0.75) * cell.height}" xml:space="preserve">${escaped(line)}</text>`
  )
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">`,
    `  <rect width="100%" height="100%" rx="8" fill="#16191d"/>`,
    `  <g fill="#e4e7eb" font-family="ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
    ...rows,
    "  </g>",
    "</svg>",
    ""
  ].join("\n")
}

/** Keeps a screen for the docs, if that is asked for. */
const picture = (name: string, command: string, lines: ReadonlyArray<string>) =>
  Effect.sync(() => {
    if (process.env["PICTURES"] === undefined) return
    mkdirSync(pictures, { recursive: true })
    writeFileSync(`${pictures}cli-${name}.svg`, svg([`$ ${command}`, ...lines]))
  })

const shownAs = (lines: ReadonlyArray<string>, loginServer: string): ReadonlyArray<string> =>
  lines.map((line) => line.replaceAll(loginServer, "myregistry.azurecr.io"))

const withoutEnd = (lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.at(-1) === "" ? withoutEnd(lines.slice(0, -1)) : lines

const layers = [41, 28, 17, 9].map((size) => ({ sizeInBytes: size * 1_000_000 }))

layer(Layer.merge(AcrEmulator.layer(), NodeServices.layer), { excludeTestServices: true })("a terminal shows", (it) => {
  it.effect(
    "a copy that is half done",
    () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        const files = yield* FileSystem.FileSystem
        const folder = yield* files.makeTempDirectoryScoped()
        const platforms = ["linux/amd64", "linux/arm64"]
        yield* emulator.seed({ repository: "shop/api", tags: ["v1.4.0"], platforms, layers })
        // The first requests pass, and the others stall after so many bytes.
        for (const [index, afterBytes] of [31, 12, 5, 22, 9, 7].entries()) {
          yield* emulator.inject({
            method: "GET",
            path: /\/blobs\/sha256\/[^/]+\/data/,
            skip: 2 + index,
            consequence: { _tag: "StallBody", afterBytes: afterBytes * 1_234_567 }
          })
        }
        const shown = yield* onTerminal(["cp", "$REGISTRY/shop/api:v1.4.0", "--to-layout", `${folder}/backup`], {
          columns
        })
        // The rate is known after a second, and may be low. What follows shows that the drawing with it is whole.
        // oxlint-disable-next-line no-control-regex
        yield* shown.until(({ stdout }) => /B\/s {2}[\da-z ]+ left[^]*\u001b\[J/.test(stdout))
        const frame = shown.shown()
        const lines = withoutEnd(screen(frame.slice(0, frame.lastIndexOf("\u001b[J")), columns))
        yield* shown.type("\u0003")
        yield* shown.ended
        yield* emulator.clearFaults
        assert.match(lines[0] ?? "", /^[\d.]+ MiB of [\d.]+ MiB {2}\d+ %/)
        assert.match(lines[1] ?? "", /^ [0-9a-f]{12} {2}\[#+\.*\] {2}[\d.]+ MiB of [\d.]+ MiB$/)
        yield* picture("progress", "eacr cp myregistry.azurecr.io/shop/api:v1.4.0 --to-layout backup", lines)
      }),
    120_000
  )

  it.effect("what an image is made of", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      const files = yield* FileSystem.FileSystem
      const sbom = `${yield* files.makeTempDirectoryScoped()}/sbom.json`
      yield* files.writeFileString(sbom, '{"spdxVersion":"SPDX-2.3"}')
      const platforms = ["linux/amd64", "linux/arm64"]
      yield* emulator.seed({ repository: "shop/web", tags: ["v2"], platforms, layers: layers.slice(2) })
      yield* loggedIn(["attach", "$REGISTRY/shop/web:v2", sbom, "--artifact-type", "application/spdx+json"])
      const shown = yield* onTerminal(["tree", "$REGISTRY/shop/web:v2"], { columns })
      assert.strictEqual(yield* shown.ended, 0)
      const lines = withoutEnd(shownAs(screen(shown.shown(), columns), emulator.loginServer))
      assert.isTrue(lines.some((line) => line.includes("application/spdx+json")))
      yield* picture("tree", "eacr tree myregistry.azurecr.io/shop/web:v2", lines)
    })
  )
})
