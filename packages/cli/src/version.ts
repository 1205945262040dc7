/**
 * The versions of the command and of what it runs on.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { getCurrentVersion } from "effect/Version"
import * as Answer from "./answer.ts"

/** `npx -y pnpm@12 release:version` writes it. */
export const version = "0.1.0"

/** The runtime and its version. Bun and Deno say that they are Node as well. */
const runtime = (): string => {
  const { bun, deno, node } = process.versions
  if (bun !== undefined) return `bun ${bun}`
  return deno === undefined ? `node ${node}` : `deno ${deno}`
}

const platform = (): string => `${process.platform} ${process.arch}`

/** What `--version` prints. */
export const text = (): string => `eacr ${version} (effect ${getCurrentVersion()}, ${runtime()}, ${platform()})`

/** What `--version --json` prints. */
export const document = Answer.document({
  eacr: Schema.String,
  effect: Schema.String,
  /** The runtime and its version: `node 24.21.0`. */
  runtime: Schema.String,
  /** The operating system and the architecture, as Node.js names them: `linux x64`. */
  platform: Schema.String
})

export const json: Effect.Effect<string> = Effect.suspend(
  () =>
    Answer.make(
      document,
      { eacr: version, effect: getCurrentVersion(), runtime: runtime(), platform: platform() },
      { text: () => [text()] }
    ).json
)
