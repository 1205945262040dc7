/**
 * Fails if anything that a user can reach is not documented, or has no page: a part of `npx -y pnpm@12 check`.
 */
import { folder, readPackages, root } from "./packages.ts"
import { undocumented } from "./undocumented.ts"
import { unpaged } from "./unpaged.ts"

const packages = readPackages()
const missing = [...undocumented(packages), ...unpaged(root, folder, packages)]
if (missing.length > 0) {
  console.error(`${missing.join("\n")}\n\n${missing.length} things are not documented`)
  process.exitCode = 1
}
