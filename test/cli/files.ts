/**
 * The files that are made of the command.
 */
import { execFileSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import { pages } from "./page.ts"
import { fileName, schemaFile } from "./schema.ts"

const root = new URL("../../", import.meta.url)

const pathOf = (name: string): string => fileURLToPath(new URL(name, root))

/** A text as the formatter leaves it. */
const formatted = (path: string, text: string): string =>
  execFileSync(pathOf("node_modules/.bin/oxfmt"), ["--stdin-filepath", path], {
    cwd: pathOf("."),
    input: text,
    encoding: "utf8"
  })

/** Their contents by their paths. */
export const files: Effect.Effect<ReadonlyMap<string, string>> = Effect.map(
  pages,
  (texts) =>
    new Map(
      [
        [pathOf(`packages/cli/schema/${fileName}`), schemaFile()] as const,
        ...Object.entries(texts).map(([name, text]) => [pathOf(`docs/cli/${name}`), text] as const)
      ].map(([path, text]) => [path, formatted(path, text)])
    )
)
