/**
 * Writes docs/from-dotnet.md, and prints the table that belongs into the README: `npx -y pnpm@12 parity`.
 */
import { writeFile } from "node:fs/promises"
import { NodeRuntime } from "@effect/platform-node"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { page, summary } from "./page.ts"

NodeRuntime.runMain(
  Effect.andThen(
    Effect.promise(() => writeFile(new URL("../../docs/from-dotnet.md", import.meta.url), page)),
    Console.log(summary)
  )
)
