/**
 * Decides what to do with each artifact of a repository, from the content of both sides. Pure.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Referrer from "@effect-acr/client/Referrer"
import type { State } from "../MigrationReport.ts"
import type { Rules } from "../MigrationRules.ts"
import type { Holdings, Inventory, Listed } from "./inventory.ts"
import type { Known, Planned } from "./store/store.ts"

export interface Comparison {
  readonly source: Inventory
  readonly target: Holdings
  readonly known: ReadonlyMap<Digest.Digest, Known>
  readonly rules: Pick<Rules, "cosignTags" | "onTag" | "referrers" | "untagged">
  /** Whether tagged artifacts were copied in an earlier pass. */
  readonly isLater: boolean
  /** The fingerprint of possible referrers that no list of the target shows, if the source lists some. */
  readonly possibleReferrers: string | undefined
  /** The fingerprint when copies last looked for referrers. */
  readonly lookedFor: string | undefined
  /** Whether failed and refused artifacts are retried: once in each call of a run. */
  readonly isFirst: boolean
  /** Whether this pass only lists, and copies nothing. */
  readonly isLast: boolean
  /** Whether this is a plan, which knows only lists. */
  readonly isPlan: boolean
}

/** The states of artifacts that are at the target. */
export const arrived: ReadonlySet<State> = new Set(["copied", "present", "verified"])

/** States that a retry would not change. */
const settled: ReadonlySet<State> = new Set(["failed", "refused", "skipped"])

type Sight = "whole" | "incomplete" | "unknown"

const same = (one: ReadonlyArray<string>, other: ReadonlyArray<string>): boolean =>
  one.length === other.length && one.every((name) => other.includes(name))

/** What the lists of the target say of an artifact. */
const sightOf = (
  { rules: { onTag = "overwrite" }, target }: Comparison,
  digest: Digest.Digest,
  tags: ReadonlyArray<string>
): Sight => {
  if (target.manifests !== undefined && !target.manifests.has(digest)) return "incomplete"
  if (target.lacking?.has(digest) === true) return "incomplete"
  let isUnknown = tags.length === 0 && target.manifests === undefined
  for (const tag of tags) {
    if (!target.tags.has(tag)) return "incomplete"
    const found = target.tags.get(tag)
    if (found !== undefined && found !== digest && onTag !== "keep") return "incomplete"
    // A copy finds out what is there beside a tag that is kept.
    if (found !== digest) isUnknown = true
  }
  return isUnknown ? "unknown" : "whole"
}

/** Whether a copy failed or was refused, and for a reason that stays. */
const isFailed = ({ isTransient, state }: Known): boolean => (state === "failed" || state === "refused") && !isTransient

interface Growing extends Comparison {
  /** Whether the target has more than in the previous pass, possibly the subjects of orphans. */
  readonly hasGrown: boolean
}

/** Whether its state stays: this pass copies nothing, or a retry would change nothing, as for an orphan. */
const isSettled = (
  { hasGrown, isFirst, isLast }: Growing,
  { isOrphan, isTransient, state }: Known,
  { tags }: Listed
): boolean => {
  if (isLast) return settled.has(state)
  if (isOrphan) return !hasGrown && !isFirst
  return settled.has(state) && !isTransient && (!isFirst || (state === "skipped" && tags.length === 0))
}

/**
 * Whether an artifact may have referrers that lists do not show, so that a copy has to look for them. Copies of new artifacts look.
 * Copies of known ones look once in each call if the source lists only tags, and otherwise if it lists other possible referrers than
 * before.
 */
const isUnlooked = (
  { isFirst, isPlan, lookedFor, possibleReferrers, rules, source }: Comparison,
  before: Known | undefined
): boolean => {
  if (isPlan) return false
  const isNew = before === undefined || before.state === "planned" || before.isTransient
  const hasReferrers = rules.referrers !== false || rules.cosignTags === true
  if (source.isOfTags === true) return hasReferrers && (isNew || isFirst)
  return possibleReferrers !== undefined && (isNew || possibleReferrers !== lookedFor)
}

const stateOf = (comparison: Growing, digest: Digest.Digest, listed: Listed): State => {
  const { tags } = listed
  const before = comparison.known.get(digest)
  // The next call reads it back. A copy, such as that of a new tag, would pass over the damage.
  if (before?.isDamaged === true) return before.state
  const sight = sightOf(comparison, before?.root ?? digest, tags)
  // Lists do not show what else failed, such as its referrers: the next call tries it again.
  if (sight === "whole" && before !== undefined && isFailed(before)) {
    return comparison.isFirst ? "planned" : before.state
  }
  if (
    sight !== "incomplete" &&
    (tags.length > 0 || comparison.rules.untagged === true) &&
    isUnlooked(comparison, before)
  ) {
    return comparison.isLast && before !== undefined ? before.state : "planned"
  }
  if (sight === "whole") return before?.state === "copied" || before?.state === "verified" ? "verified" : "present"
  if (before === undefined || !same(before.tags, tags)) return "planned"
  // The source lists it, and has not had it since the copies.
  if (comparison.isLast && before.state === "vanished") return "failed"
  if (isSettled(comparison, before, listed)) return before.state
  return sight === "unknown" && arrived.has(before.state) ? before.state : "planned"
}

/**
 * Whether an untagged manifest may be missing at the target. Without lists of the target, that may be each of them, and copies find
 * out: but only where the rules want all, since copies of tagged artifacts look for their referrers.
 */
const isLoose = ({ isPlan, rules, target }: Comparison, digest: Digest.Digest): boolean =>
  target.manifests === undefined
    ? rules.untagged === true && !isPlan
    : (rules.untagged === true || rules.referrers !== false) && !target.manifests.has(digest)

/** An artifact that is at the target by its lists, or was copied to a target that lists no digests, to be read back. */
export interface Doubted {
  readonly digest: Digest.Digest
  readonly root: Digest.Digest
  readonly tags: ReadonlyArray<string>
  /** Its state if the target has it. */
  readonly state: "copied" | "verified"
  /** Whether reading it back found damage in an earlier call. */
  readonly wasDamaged: boolean
}

/** The candidates for reading back: artifacts that were copied, as far as both places have them, and those that were damaged. */
export const toReadBack = (comparison: Comparison, planned: ReadonlyArray<Planned>): ReadonlyArray<Doubted> =>
  planned.flatMap(({ digest, state, tags }): ReadonlyArray<Doubted> => {
    const before = comparison.known.get(digest)
    if (before === undefined || !comparison.source.manifests.has(digest)) return []
    const doubted = { digest, root: before.root ?? digest, tags }
    if (comparison.isFirst && before.isDamaged && state === "failed") {
      return [{ ...doubted, state: "verified", wasDamaged: true }]
    }
    return before.state === "copied" && (state === "copied" || state === "verified")
      ? [{ ...doubted, state, wasDamaged: false }]
      : []
  })

/** Tags of the target that the source lacks, without those of lists of referrers, which copies of referrers set. */
export const extraTags = (
  { source, target }: Pick<Comparison, "source" | "target">,
  isWanted: (tag: string) => boolean
): ReadonlyArray<string> => {
  const wanted = new Set(Array.from(source.manifests.values(), ({ tags }) => tags).flat())
  return Array.from(target.tags.keys()).filter((tag) => isWanted(tag) && !wanted.has(tag) && !Referrer.isTag(tag))
}

/** The number of tags of artifacts to copy that the target lacks. */
export const newTags = ({ target }: Pick<Comparison, "target">, planned: ReadonlyArray<Planned>): number =>
  planned.reduce(
    (sum, { state, tags }) => (state === "planned" ? sum + tags.filter((tag) => !target.tags.has(tag)).length : sum),
    0
  )

/** Counts common tags: those that name another manifest at the target, and those whose digest the target does not list. */
export const otherTags = ({
  known,
  source,
  target
}: Pick<Comparison, "known" | "source" | "target">): { readonly others: number; readonly unknown: number } => {
  let [others, unknown] = [0, 0]
  for (const [digest, { tags }] of source.manifests) {
    for (const tag of tags) {
      if (!target.tags.has(tag)) continue
      const found = target.tags.get(tag)
      if (found === undefined) unknown += 1
      else if (found !== (known.get(digest)?.root ?? digest)) others += 1
    }
  }
  return { others, unknown }
}

/** The state of an artifact that the source no longer lists. */
const goneState = (state: State): State => (arrived.has(state) || state === "skipped" ? state : "vanished")

/** The artifacts of a repository with their new states. */
export const compare = (comparison: Comparison): ReadonlyArray<Planned> => {
  const { isLater, known, source } = comparison
  const hasGrown = Array.from(known.values()).some(({ state }) => state === "copied")
  const growing = { ...comparison, hasGrown }
  const listed = Array.from(source.manifests)
  const plan = ([digest, one]: readonly [Digest.Digest, Listed]): Planned => {
    const { changed, size, tags } = one
    return { digest, size, changed, tags, state: stateOf(growing, digest, one) }
  }
  const planned = listed.filter(([digest, { tags }]) => tags.length > 0 || known.has(digest)).map(plan)
  for (const [digest, { state }] of known) {
    if (source.manifests.has(digest)) continue
    planned.push({ digest, size: undefined, changed: undefined, tags: [], state: goneState(state) })
  }
  // Most untagged manifests are parts of tagged artifacts, which bring them along.
  if (!isLater && planned.some(({ state }) => state === "planned")) return planned
  const loose = listed.filter(
    ([digest, { tags }]) => tags.length === 0 && !known.has(digest) && isLoose(comparison, digest)
  )
  return [...planned, ...loose.map(plan)]
}
