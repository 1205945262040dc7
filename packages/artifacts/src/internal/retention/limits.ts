/**
 * Safety limits: what a plan may delete at most.
 */
import * as Option from "effect/Option"
import type { PlannedManifest, PlannedTag } from "../../RetentionPlan.ts"
import type { Rules } from "../../RetentionRules.ts"
import * as AttachedTags from "../attachedTags.ts"

const defaultFraction = 0.5
const defaultRemaining = 1

const countDeleted = (things: ReadonlyArray<Pick<PlannedTag, "verdict">>): number =>
  things.filter(({ verdict }) => verdict === "delete").length

/** The tags that a limit does not count, so that its numbers differ from those of the plan. */
const uncounted = (count: number): string => {
  if (count === 0) return ""
  return count === 1
    ? ", not counting 1 tag of a signature or a referrer"
    : `, not counting ${count} tags of signatures and referrers`
}

const fractionProblem = (
  what: string,
  things: ReadonlyArray<Pick<PlannedTag, "verdict">>,
  most: number,
  note = ""
): ReadonlyArray<string> => {
  const deleted = countDeleted(things)
  return deleted > things.length * most
    ? [`it deletes ${deleted} of ${things.length} ${what}${note}, more than maxFraction ${most} allows`]
    : []
}

/** The limits that a plan exceeds, for people to read. */
export const exceeded = (
  tags: ReadonlyArray<PlannedTag>,
  manifests: ReadonlyArray<PlannedManifest>,
  { limits = {} }: Rules
): ReadonlyArray<string> => {
  const { maxDeletions = Infinity, maxFraction = defaultFraction, minRemaining = defaultRemaining } = limits
  // Tags that attach something follow their images, and do not show how many images remain.
  const ordinary = tags.filter(({ name }) => Option.isNone(AttachedTags.parse(name)))
  const deletions = countDeleted(tags) + countDeleted(manifests)
  const deletedTags = countDeleted(ordinary)
  const remaining = ordinary.length - deletedTags
  const note = uncounted(tags.length - ordinary.length)
  return [
    ...(deletions > maxDeletions
      ? [`it deletes ${deletions} tags and manifests, more than maxDeletions ${maxDeletions} allows`]
      : []),
    ...fractionProblem("tags", ordinary, maxFraction, note),
    ...fractionProblem("manifests", manifests, maxFraction),
    ...(deletedTags > 0 && remaining < minRemaining
      ? [`it leaves ${remaining} tags${note}, fewer than minRemaining ${minRemaining}`]
      : [])
  ]
}
