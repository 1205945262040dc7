/**
 * Writes docs/from-dotnet.md and the pages of its classes: `npx -y pnpm@12 parity`.
 */
import { mkdir, writeFile } from "node:fs/promises"
import { NodeRuntime } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import { pages } from "./page.ts"

const docs = new URL("../../docs/", import.meta.url)

const write = Effect.gen(function* () {
  yield* Effect.promise(() => mkdir(new URL("from-dotnet/", docs), { recursive: true }))
  for (const [path, text] of pages) yield* Effect.promise(() => writeFile(new URL(path, docs), text))
})

NodeRuntime.runMain(write)
