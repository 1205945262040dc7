/**
 * Writes docs/from-dotnet.md: `npx -y pnpm@12 parity`.
 */
import { writeFile } from "node:fs/promises"
import { NodeRuntime } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import { page } from "./page.ts"

NodeRuntime.runMain(Effect.promise(() => writeFile(new URL("../../docs/from-dotnet.md", import.meta.url), page)))
