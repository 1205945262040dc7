/**
 * The flag `--dry-run`, and the words for outcomes that did not happen yet.
 */
import * as Flag from "effect/cli/Flag"

export const dryRunFlag = Flag.Boolean("dry-run").pipe(
  Flag.withDescription("Show what would be done, and change nothing"),
  Flag.withoutNegation,
  Flag.withDefault(false)
)

/** The outcome of an object: what was done to it, or would be. */
export const outcome = (isDryRun: boolean, done: string): string => (isDryRun ? `would be ${done}` : done)

/** The outcome of a tag. A tag that already names the artifact is not changed. */
export const tagOutcome = (isDryRun: boolean, is: "set" | "moved" | "kept" | "unchanged"): string =>
  is === "unchanged" ? is : outcome(isDryRun, is)
