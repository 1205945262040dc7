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
import { executableName, targets } from "./targets.ts"

const bin = fileURLToPath(new URL("../../packages/cli/dist/bin.js", import.meta.url))

/**
 * Bytecode takes the place of parsing, which is most of a start. Split files are read when they are needed. Compiling to machine code
 * fifty times as late takes half off the processor time of `ls`, a third off that of a pull of 60 small blobs, and nothing from large
 * transfers.
 *
 * By default, an executable would read `.env` and run what `bunfig.toml` names: files of the folder that the user happens to be in.
 */
const options = [
  "--minify",
  "--bytecode",
  "--format=esm",
  "--splitting",
  "--compile-jit-policy=50",
  "--no-compile-autoload-dotenv",
  "--no-compile-autoload-bunfig"
]

const compile = Effect.fnUntraced(function* (folder: string, target: string) {
  const name = executableName(target)
  yield* run(process.env["BUN"] ?? "bun", [
    "build",
    "--compile",
    ...options,
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
