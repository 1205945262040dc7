/**
 * Writes docs/observability.md: `npx -y pnpm@12 observability`.
 */
import { writeFile } from "node:fs/promises"
import { NodeRuntime } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import { page } from "./page.ts"
import { watchedPush } from "./push.ts"

NodeRuntime.runMain(
  Effect.flatMap(watchedPush, (watched) =>
    Effect.promise(() => writeFile(new URL("../../docs/observability.md", import.meta.url), page(watched)))
  )
)
