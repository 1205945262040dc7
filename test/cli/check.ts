/**
 * Fails if the schema or a page of the command is not what the command makes of it: a part of `npx -y pnpm@12 check`.
 */
import { existsSync, readFileSync } from "node:fs"
import * as Effect from "effect/Effect"
import { files } from "./files.ts"

const stale = Array.from(await Effect.runPromise(files)).filter(
  ([path, text]) => !existsSync(path) || readFileSync(path, "utf8") !== text
)

if (stale.length > 0) {
  console.error(`${stale.map(([path]) => path).join("\n")}\n\nnot up to date: npx -y pnpm@12 cli writes them`)
  process.exitCode = 1
}
