/**
 * Fails if anything that a user can reach is not documented: a part of `npx -y pnpm@12 check`.
 */
import { readPackages } from "./packages.ts"
import { undocumented } from "./undocumented.ts"

const missing = undocumented(readPackages())
if (missing.length > 0) {
  console.error(`${missing.join("\n")}\n\n${missing.length} things are not documented`)
  process.exitCode = 1
}
