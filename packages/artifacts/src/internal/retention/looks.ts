/**
 * The check right before a deletion: whether everything is still as planned, and what was pushed since.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Referrer from "@effect-acr/client/Referrer"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { RetentionError } from "../../RetentionError.ts"
import type { PlannedManifest, PlannedTag } from "../../RetentionPlan.ts"
import type { Outcome } from "../../RetentionReport.ts"
import type { Look, ManifestState, RetentionTarget } from "../../RetentionTarget.ts"
import * as AttachedTags from "../attachedTags.ts"
import * as Actions from "./actions.ts"
import * as Arrivals from "./arrivals.ts"
import * as Descriptions from "./descriptions.ts"

type Failure = RegistryError | RetentionError

/** How often a check is repeated because something was pushed meanwhile. */
const mostLooks = 10

export type Said = Pick<Outcome, "outcome" | "detail">

export const done: Said = { outcome: "done" }
export const gone: Said = { outcome: "gone" }

export const stays = (outcome: "changed" | "needed" | "refused" | "failed", detail: string): Said => ({
  outcome,
  detail
})

/** The knowledge of a run about the repository. */
export interface Known {
  readonly target: RetentionTarget
  readonly planned: ReadonlyMap<Digest.Digest, PlannedManifest>
  readonly plannedTags: ReadonlyMap<string, PlannedTag>
  readonly descriptions: Descriptions.Descriptions
  /** How far the registry's clock is ahead of this machine's. */
  readonly ahead: Duration.Duration
  readonly arrivals: Arrivals.Arrivals
  /** The planned manifests that are gone. */
  readonly gone: Set<Digest.Digest>
}

const isLater = (now: DateTime.Utc | undefined, planned: DateTime.Utc | undefined): boolean =>
  now !== undefined && planned !== undefined && DateTime.isGreaterThan(now, planned)

/** How a manifest changed since the plan, if it did. */
const changeOf = (
  now: ManifestState,
  planned: Pick<PlannedManifest, "createdOn" | "updatedOn" | "tags" | "isLocked">
): string | undefined => {
  const { createdOn, isLocked, tags, updatedOn } = planned
  // A manifest may have thousands of tags.
  const known = new Set(tags)
  const added = now.tags.filter((tag) => !known.has(tag))
  if (added.length > 0) return `it has new tags: ${added.join(", ")}`
  if (now.isLocked && !isLocked) return "it was locked"
  if (isLater(now.updatedOn, updatedOn) || isLater(now.createdOn, createdOn)) return "it was pushed or changed again"
  return undefined
}

const tagChangeOf = (
  now: { readonly digest: Digest.Digest; readonly updatedOn?: DateTime.Utc; readonly isLocked: boolean },
  planned: Pick<PlannedTag, "digest" | "updatedOn" | "isLocked">
): string | undefined => {
  if (now.digest !== planned.digest) return `the tag names ${now.digest} now`
  if (now.isLocked && !planned.isLocked) return "the tag was locked"
  if (isLater(now.updatedOn, planned.updatedOn)) return "the tag was pushed or changed again"
  return undefined
}

/** The digests that a tag concerns: the manifest that it names, and the one that its name attaches to. */
const aboutOf = (digest: Digest.Digest, tag: string): ReadonlyArray<Digest.Digest> => [
  digest,
  ...Option.toArray(Option.flatMap(AttachedTags.parse(tag), ({ subject }) => subject))
]

/** Whether a tag was attached to one of the manifests since the plan. */
const isAttached = (
  { plannedTags }: Known,
  digest: Digest.Digest,
  tag: string,
  going: ReadonlySet<Digest.Digest>
): boolean => plannedTags.get(tag)?.digest !== digest && aboutOf(digest, tag).some((one) => going.has(one))

/** A tag that was pushed since the plan and concerns one of the manifests, if there is one. */
const pushedTag = (
  { plannedTags }: Known,
  { newerTags }: Look,
  going: ReadonlySet<Digest.Digest>
): string | undefined => {
  const pushed = newerTags.find((tag) => {
    const { digest, name, updatedOn } = tag
    const then = plannedTags.get(name)
    const isSame = then?.digest === digest && !isLater(updatedOn, then.updatedOn)
    return !isSame && aboutOf(digest, name).some((one) => going.has(one))
  })
  return pushed === undefined ? undefined : `the tag ${pushed.name} was pushed`
}

/** Why one of the manifests is needed by something pushed since the plan, if it is, and whether a manifest had to be read to know that. */
const needOf = (
  known: Known,
  newer: Look["newer"],
  going: ReadonlySet<Digest.Digest>,
  owners: ReadonlySet<string>
): Effect.Effect<{ readonly need: string | undefined; readonly hasRead: boolean }, Failure> =>
  Effect.gen(function* () {
    const { descriptions, gone, planned } = known
    // A manifest that the plan deletes is deleted later, or was checked. If it was deleted and exists again, it was pushed.
    const goesLater = (digest: Digest.Digest) => planned.get(digest)?.verdict === "delete" && !gone.has(digest)
    const seen = new Set(going)
    let hasRead = false
    const waiting = newer.filter(({ digest }) => !going.has(digest))
    for (const { digest, tags } of waiting) {
      const attached = tags.find((tag) => isAttached(known, digest, tag, going))
      if (attached !== undefined) return { need: `the tag ${attached} was attached to it`, hasRead }
      if (seen.has(digest) || goesLater(digest)) continue
      seen.add(digest)
      hasRead ||= !descriptions.isKnown(digest)
      const description = yield* descriptions.read(digest)
      if (Option.isNone(description)) {
        if (planned.has(digest)) continue
        return { need: `${digest} was pushed and cannot be read`, hasRead }
      }
      if (owners.has(Referrer.tag(digest))) return { need: `${digest}, to which it belongs, was pushed`, hasRead }
      const { subject } = description.value
      const children = Descriptions.entriesOf(description.value)
      const needs = [...children, ...(subject === undefined ? [] : [subject])]
      if (needs.some((one) => going.has(one))) return { need: `${digest}, which needs it, was pushed`, hasRead }
      // An index of indexes. Nothing that the plan keeps needs anything that it deletes.
      for (const child of children) {
        if (planned.get(child)?.verdict !== "keep") waiting.push({ digest: child, tags: [] })
      }
    }
    return { need: undefined, hasRead }
  })

/** How one of the manifests changed since the plan, if one did. */
const changesOf = ({ planned }: Known, { manifests }: Look, step: Actions.Step): string | undefined => {
  for (const [digest, now] of manifests) {
    const then = planned.get(digest)
    const change = then === undefined ? undefined : changeOf(now, then)
    if (change !== undefined) return digest === step.digest ? change : `${digest}, which is deleted with it: ${change}`
  }
  return undefined
}

/** Whether an earlier check saw an object that this run deleted since. If it was pushed again, its time is later than in the plan. */
const isPast = ({ gone, planned }: Known, { digest, updatedOn }: Arrivals.Arrival): boolean => {
  const then = planned.get(digest)?.updatedOn
  return gone.has(digest) && then !== undefined && !isLater(updatedOn, then)
}

/** Reads manifests, and everything pushed since the plan. */
const look = (known: Known, manifests: Arr.NonEmptyReadonlyArray<Digest.Digest>): Effect.Effect<Look, RegistryError> =>
  Effect.gen(function* () {
    const { ahead, arrivals, target } = known
    const begunAt = DateTime.addDuration(yield* DateTime.now, ahead)
    const seen = yield* target.look(manifests, arrivals.since)
    return { ...seen, ...Arrivals.add(arrivals, seen, begunAt, (manifest) => isPast(known, manifest)) }
  })

/** The outcome if a manifest must not be deleted now; none if it may be. */
export const lookAt = (known: Known, step: Actions.Step): Effect.Effect<Option.Option<Said>, Failure> =>
  Effect.gen(function* () {
    const { digest, owners } = step
    const subject = known.planned.get(digest)?.subject
    const isCascade = subject !== undefined && known.gone.has(subject)
    const absent = Option.some(isCascade ? { ...done, detail: "the registry deleted it with its subject" } : gone)
    // Most likely it was deleted with its subject, and so were its own referrers: in a chain, each would be checked again and
    // again.
    const isChain = isCascade && step.together !== Actions.alone
    if (isChain && !(yield* look(known, [digest])).manifests.has(digest)) return absent
    const together = step.together()
    const going = new Set([digest, ...together])
    for (let looks = 0; looks < mostLooks; looks++) {
      const seen = yield* look(known, [digest, ...together])
      if (!seen.manifests.has(digest)) return absent
      const change = changesOf(known, seen, step) ?? pushedTag(known, seen, going)
      if (change !== undefined) return Option.some(stays("changed", change))
      const { hasRead, need } = yield* needOf(known, seen.newer, going, owners)
      if (need !== undefined) return Option.some(stays("changed", need))
      // Reading took time, so that the check must be repeated right before the deletion.
      if (!hasRead) return Option.none()
    }
    return Option.some(stays("changed", "the repository changes faster than it can be checked"))
  })

/** The outcome if a tag must not be deleted now; none if it may be. */
export const lookAtTag = (
  known: Known,
  { digest, owners }: Actions.Step,
  name: string
): Effect.Effect<Option.Option<Said>, Failure> => {
  const { plannedTags, target } = known
  const newer = owners.size === 0 ? Effect.succeed([]) : Effect.map(look(known, [digest]), ({ newer }) => newer)
  return Effect.map(Effect.all([target.tag(name), newer], { concurrency: 2 }), ([tag, came]) => {
    if (Option.isNone(tag)) return Option.some(gone)
    const then = plannedTags.get(name)
    const change = then === undefined ? undefined : tagChangeOf(tag.value, then)
    if (change !== undefined) return Option.some(stays("changed", change))
    const owner = came.find((one) => owners.has(Referrer.tag(one.digest)))
    return owner === undefined
      ? Option.none()
      : Option.some(stays("changed", `${owner.digest}, to which it belongs, was pushed`))
  })
}
