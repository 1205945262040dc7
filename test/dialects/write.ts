/**
 * Writes docs/registries.md: `npx -y pnpm@12 dialects`.
 */
import { writeFile } from "node:fs/promises"
import { NodeRuntime } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import { dialects } from "./dialects.ts"
import { page } from "./page.ts"
import { run } from "./run.ts"

NodeRuntime.runMain(
  Effect.flatMap(Effect.forEach(dialects, run), (reports) =>
    Effect.promise(() => writeFile(new URL("../../docs/registries.md", import.meta.url), page(reports)))
  )
)
