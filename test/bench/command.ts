/**
 * The command `eacr` as the package of npm has it.
 */
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { alone } from "../support/alone.ts"
import { temporaryFolder } from "../support/command.ts"
import { pnpm } from "../support/packed.ts"

export const root = fileURLToPath(new URL("../..", import.meta.url))

/** Builds the command. Its compile cache is empty until the first call, and gone when the scope closes. */
export const npmForm = Effect.gen(function* () {
  yield* alone("build", pnpm(["run", "build"], root))
  const command: ReadonlyArray<string> = [process.execPath, join(root, "packages/cli/dist/bin.js")]
  const environment: Readonly<Record<string, string>> = { XDG_CACHE_HOME: yield* temporaryFolder }
  return { command, environment }
})
