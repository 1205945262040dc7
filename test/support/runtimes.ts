/**
 * The runtimes that the library is made for, each from the package of npm that carries its binary: the machine's own are
 * not asked.
 */
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type CommandFailed, run } from "./command.ts"
import { pnpm, project } from "./packed.ts"

/** What a program may do on Deno, which asks. */
type Right = "env" | "net" | "read" | "run" | "write"

/** A file of a folder, and what it is given. */
export interface Program {
  readonly folder: string
  readonly file: string
  readonly rights: ReadonlyArray<Right>
  readonly args?: ReadonlyArray<string>
  readonly env?: { readonly [name: string]: string }
}

/** A package, where the binary is in it, and how this runs a program. */
export interface Runtime {
  readonly name: string
  readonly from: string
  readonly binary: string
  readonly args: (rights: ReadonlyArray<Right>) => ReadonlyArray<string>
}

export const runtimes: ReadonlyArray<Runtime> = [
  { name: "Node 22", from: "node@22", binary: "bin/node", args: () => [] },
  { name: "Node 24", from: "node@24", binary: "bin/node", args: () => [] },
  { name: "Node 26", from: "node@26", binary: "bin/node", args: () => [] },
  { name: "Bun", from: "bun@1", binary: "bin/bun.exe", args: () => ["run"] },
  {
    name: "Deno",
    from: "deno@2",
    binary: "deno",
    args: (rights) => ["run", "--no-prompt", ...rights.map((right) => `--allow-${right}`)]
  }
]

/** The name of a runtime's package here, where there is more than one `node`. */
const aliasOf = ({ from }: Runtime): string => from.replace("@", "")

/** The binaries, installed. */
export class Runtimes extends Context.Service<
  Runtimes,
  {
    /** Runs a program to its end in its folder, and tells the lines that it printed. */
    readonly run: (runtime: Runtime, program: Program) => Effect.Effect<ReadonlyArray<string>, CommandFailed>
  }
>()("test/Runtimes") {}

export const layer = Layer.effect(
  Runtimes,
  Effect.gen(function* () {
    const folder = yield* project({ allowBuilds: { bun: true, deno: true, node: true } })
    yield* pnpm(["add", ...runtimes.map((runtime) => `${aliasOf(runtime)}@npm:${runtime.from}`)], folder)
    return {
      run: (runtime, { args = [], env = {}, file, folder: cwd, rights }) =>
        Effect.map(
          run(
            join(folder, "node_modules", aliasOf(runtime), runtime.binary),
            [...runtime.args(rights), file, ...args],
            { cwd, env: { ...process.env, ...env } }
          ),
          (printed) => printed.trim().split("\n")
        )
    }
  })
)
