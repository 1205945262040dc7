/**
 * The versions of the command and of what it runs on.
 */
import { getCurrentVersion } from "effect/Version"

/** `npx -y pnpm@12 release:version` writes it. */
export const version = "0.1.0"

/** The runtime and its version. Bun and Deno say that they are Node as well. */
const runtime = (): string => {
  const { bun, deno, node } = process.versions
  if (bun !== undefined) return `bun ${bun}`
  return deno === undefined ? `node ${node}` : `deno ${deno}`
}

/** What `--version` prints. */
export const text = (): string =>
  `eacr ${version} (effect ${getCurrentVersion()}, ${runtime()}, ${process.platform} ${process.arch})`
