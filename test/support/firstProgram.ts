/**
 * The first program of the README, as it stands there and as docs/startup.md makes it start faster.
 */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { run } from "./command.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

const read = (path: string) => Effect.promise(() => readFile(join(root, path), "utf8"))

/** The program of the README. It has no types: it is JavaScript as well. */
export const firstProgram = Effect.map(
  read("README.md"),
  (readme) => /^## A first program\n[\s\S]*?^```ts\n([\s\S]*?)^```$/m.exec(readme)?.[1] ?? ""
)

/** The same program with each module imported by its own path. */
export const withDeepImports = (program: string): string =>
  program.replace(/^import \{ (.+) \} from "(.+)"$/gm, (_, names: string, from: string) =>
    names
      .split(", ")
      .map((name) => `import * as ${name} from "${from}/${name}"`)
      .join("\n")
  )

/** The program that docs/startup.md shows. */
export const deepProgram = Effect.map(
  read("docs/startup.md"),
  (guide) => /^```ts\n([\s\S]*?)^```$/m.exec(guide)?.[1] ?? ""
)

const rolldown = fileURLToPath(new URL("../node_modules/rolldown/bin/cli.mjs", import.meta.url))

/** The two commands of docs/startup.md that bundle `first.ts`, by the option that names the target. */
const commands = Effect.map(read("docs/startup.md"), (guide) => {
  const command = (target: string) =>
    new RegExp(`^npx rolldown (first\\.ts .*${target} .*)$`, "m").exec(guide)?.[1]?.replaceAll('"', "").split(" ") ?? []
  return { file: command("--file"), folder: command("--dir") }
})

/** Runs a command of docs/startup.md where `first.ts` is, with more options. */
export const bundleFirst = Effect.fnUntraced(function* (
  into: "file" | "folder",
  cwd: string,
  more: ReadonlyArray<string> = []
) {
  const command = (yield* commands)[into]
  return yield* run(process.execPath, [rolldown, ...command, ...more], { cwd })
})
