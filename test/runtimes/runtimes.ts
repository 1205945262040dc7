/**
 * The runtimes that the library is made for, each from the package of npm that carries its binary: the machine's own are
 * not asked.
 */
import { join } from "node:path"
import * as Effect from "effect/Effect"
import { pnpm, project } from "../support/packed.ts"

/** What a program may do on Deno, which asks. */
export type Right = "env" | "net" | "read" | "run" | "sys" | "write"

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

/** A folder that holds the binaries, until the scope closes; tells where they are. */
export const install = Effect.gen(function* () {
  const folder = yield* project({ allowBuilds: { bun: true, deno: true, node: true } })
  yield* pnpm(["add", ...runtimes.map((runtime) => `${aliasOf(runtime)}@npm:${runtime.from}`)], folder)
  return (runtime: Runtime) => join(folder, "node_modules", aliasOf(runtime), runtime.binary)
})
