/**
 * The command `eacr` as the package of npm has it, and as an executable.
 */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { alone } from "../support/alone.ts"
import { run, temporaryFolder } from "../support/command.ts"
import { pnpm, project } from "../support/packed.ts"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** Builds the command. Its compile cache is empty until the first call, and gone when the scope closes. */
export const npmForm = Effect.gen(function* () {
  yield* alone("build", pnpm(["run", "build"], root))
  const command: ReadonlyArray<string> = [process.execPath, join(root, "packages/cli/dist/bin.js")]
  const environment: Readonly<Record<string, string>> = { XDG_CACHE_HOME: yield* temporaryFolder }
  return { command, environment }
})

/** Makes the executable for this machine, which contains Bun. The command is built. */
export const executable = Effect.gen(function* () {
  const tools = yield* project({ allowBuilds: { bun: true } })
  // A package named `bun` would be taken for the manager of the project.
  yield* pnpm(["add", "runtime@npm:bun@1"], tools)
  const folder = yield* temporaryFolder
  const target = `${process.platform}-${process.arch}`
  yield* run(process.execPath, [join(root, "test/release/executables.ts"), folder, target], {
    env: { ...process.env, BUN: join(tools, "node_modules/runtime/bin/bun.exe") }
  })
  return join(folder, `eacr-${target}`)
})
