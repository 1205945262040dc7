/**
 * Writes docs/emulator-conformance.md: `npx -y pnpm@12 conformance`.
 */
import { writeFileSync } from "node:fs"
import { page } from "./page.ts"

writeFileSync(new URL("../../docs/emulator-conformance.md", import.meta.url), page())
