/**
 * The flag of verbs that change something.
 */
import * as Flag from "effect/cli/Flag"

export const dryRunFlag = Flag.Boolean("dry-run").pipe(
  Flag.withDescription("Say what would be done, and change nothing"),
  Flag.withoutNegation,
  Flag.withDefault(false)
)
