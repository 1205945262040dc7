/**
 * Makes executables of the command that need no Node: `node test/release/executables.ts FOLDER [TARGET...]`, after
 * `npx -y pnpm@12 build`. They contain Bun, whose command is `bun`, or what the variable `BUN` names. `SHA256SUMS` lists
 * their checksums.
 */
import { createHash } from "node:crypto"
import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { run } from "../support/command.ts"

/** Platforms as Bun names them. */
const targets = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64", "windows-x64"] as const

const bin = fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url))

const fileName = (target: string): string => `eacr-${target}${target.startsWith("windows") ? ".exe" : ""}`

/** Bytecode takes the place of parsing, which is most of a start. */
const compile = Effect.fnUntraced(function* (folder: string, target: string) {
  const name = fileName(target)
  yield* run(process.env["BUN"] ?? "bun", [
    "build",
    "--compile",
    "--minify",
    "--bytecode",
    "--format=esm",
    `--target=bun-${target}`,
    `--outfile=${join(folder, name)}`,
    bin
  ])
  const bytes = yield* Effect.promise(() => readFile(join(folder, name)))
  return `${createHash("sha256").update(bytes).digest("hex")}  ${name}\n`
})

/** Makes the executables for some platforms, one after the other. */
const makeExecutables = Effect.fnUntraced(function* (folder: string, wanted: ReadonlyArray<string>) {
  yield* Effect.promise(() => mkdir(folder, { recursive: true }))
  const sums = yield* Effect.forEach(wanted, (target) => compile(folder, target))
  yield* Effect.promise(() => writeFile(join(folder, "SHA256SUMS"), sums.join("")))
})

const [folder = "executables", ...wanted] = process.argv.slice(2)
NodeRuntime.runMain(makeExecutables(folder, wanted.length === 0 ? targets : wanted))
