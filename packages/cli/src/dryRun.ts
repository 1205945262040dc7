/**
 * The flag of verbs that change something, and the words for what it would be.
 */
import * as Flag from "effect/cli/Flag"

export const dryRunFlag = Flag.Boolean("dry-run").pipe(
  Flag.withDescription("Say what would be done, and change nothing"),
  Flag.withoutNegation,
  Flag.withDefault(false)
)

/** What is said of an object: what was done to it, or would be. */
export const outcome = (isDryRun: boolean, done: string): string => (isDryRun ? `would be ${done}` : done)

/** What is said of a tag. One that names the artifact already is left alone. */
export const tagOutcome = (isDryRun: boolean, is: "set" | "moved" | "kept" | "unchanged"): string =>
  is === "unchanged" ? is : outcome(isDryRun, is)
