/**
 * Fails, and says where, if an import goes up a floor; a part of `npx -y pnpm@12 check`.
 */
import { imports, modules } from "./imports.ts"
import { broken } from "./rules.ts"

const problems = broken(modules, imports)
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
