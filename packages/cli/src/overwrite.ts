/**
 * The flag of verbs that write files.
 */
import * as Flag from "effect/cli/Flag"

export const overwriteFlag = (description: string) =>
  Flag.Boolean("overwrite").pipe(Flag.withDescription(description), Flag.withDefault(false))
