/**
 * Writes docs/cli and packages/cli/schema: `npx -y pnpm@12 cli`.
 */
import { writeFile } from "node:fs/promises"
import * as Effect from "effect/Effect"
import { files } from "./files.ts"

for (const [path, text] of await Effect.runPromise(files)) await writeFile(path, text)
