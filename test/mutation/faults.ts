/**
 * All faults. Their sentences are different, so that each can be named.
 */
import { artifacts } from "./artifacts.ts"
import { auth } from "./auth.ts"
import { cli } from "./cli.ts"
import { content } from "./content.ts"
import { emulator } from "./emulator.ts"
import type { Fault } from "./fault.ts"
import { files } from "./files.ts"
import { http } from "./http.ts"
import { migration } from "./migration.ts"
import { migrationCopies } from "./migrationCopies.ts"
import { migrationRuns } from "./migrationRuns.ts"
import { packages } from "./packages.ts"
import { referrers } from "./referrers.ts"
import { retention } from "./retention.ts"
import { transfers } from "./transfers.ts"

export const faults: ReadonlyArray<Fault> = [
  ...transfers,
  ...http,
  ...auth,
  ...content,
  ...referrers,
  ...artifacts,
  ...files,
  ...retention,
  ...migration,
  ...migrationRuns,
  ...migrationCopies,
  ...emulator,
  ...cli,
  ...packages
]
