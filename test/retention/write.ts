/**
 * Writes docs/retention-vs-acr-purge.md and docs/retention-rules.md: `npx -y pnpm@12 retention`.
 */
import { writeFile } from "node:fs/promises"
import { NodeRuntime } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import { findingsPage } from "./findingsPage.ts"
import { rulesPage } from "./rulesPage.ts"

const write = (name: string, text: string) =>
  Effect.promise(() => writeFile(new URL(`../../docs/${name}`, import.meta.url), text))

NodeRuntime.runMain(
  Effect.gen(function* () {
    yield* write("retention-vs-acr-purge.md", yield* findingsPage)
    yield* write("retention-rules.md", rulesPage)
  })
)
