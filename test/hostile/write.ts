/**
 * Writes docs/hostile-registries.md: `npx -y pnpm@12 hostile`.
 */
import { writeFile } from "node:fs/promises"
import { NodeRuntime } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import { compare } from "../sideBySide/run.ts"
import { scenarios } from "../sideBySide/scenarios.ts"
import { page } from "./page.ts"
import { groups } from "./rows.ts"

NodeRuntime.runMain(
  Effect.flatMap(Effect.forEach(scenarios, compare, { concurrency: 4 }), (compared) =>
    Effect.promise(() =>
      writeFile(new URL("../../docs/hostile-registries.md", import.meta.url), page(compared, groups))
    )
  )
)
