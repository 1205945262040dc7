/**
 * Writes docs/troubleshooting.md: `npx -y pnpm@12 troubleshooting`.
 */
import { writeFile } from "node:fs/promises"
import { NodeRuntime } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import { write } from "./guide.ts"
import { scenarios } from "./scenarios.ts"

NodeRuntime.runMain(
  Effect.flatMap(write(scenarios), (text) =>
    Effect.promise(() => writeFile(new URL("../../docs/troubleshooting.md", import.meta.url), text))
  )
)
