/**
 * Carries out a plan: looks again right before each deletion, and deletes only what is still as it was planned.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Referrer from "@effect-acr/client/Referrer"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import { RetentionError } from "../../RetentionError.ts"
import type { RetentionJournal } from "../../RetentionJournal.ts"
import type { Plan, PlannedManifest, PlannedTag } from "../../RetentionPlan.ts"
import type { Action, Outcome, Report } from "../../RetentionReport.ts"
import type { Rules } from "../../RetentionRules.ts"
import type { Look, ManifestState, RetentionTarget } from "../../RetentionTarget.ts"
import * as Actions from "./actions.ts"
import * as Arrivals from "./arrivals.ts"
import * as AttachedTags from "../attachedTags.ts"
import { isDenied } from "../denied.ts"
import * as Check from "./check.ts"
import { contradictions } from "./contradictions.ts"
import * as Descriptions from "./descriptions.ts"
import { exceeded } from "./limits.ts"
import { restoreSteps } from "./restoreOrder.ts"

/**
 * How to carry out a plan.
 *
 * @category options
 * @since 0.1.0
 */
export interface ApplyOptions {
  /** Where to write what was done, to resume an interrupted run. Defaults to nowhere. */
  readonly journal?: RetentionJournal
  /** How old the plan may be. Defaults to one hour. A long run that is resumed needs more. */
  readonly maxAge?: Duration.Input
  /** Whether locked tags and manifests may be unlocked and deleted, if the rules include them. Defaults to `false`. */
  readonly allowLocked?: boolean
  /** How many deletions are under way at the same time. Defaults to 8. */
  readonly concurrency?: number
  /** As for `inventory`. */
  readonly cache?: KeyValueStore.KeyValueStore
}

type Failure = RegistryError | RetentionError

const defaultMaxAge = Duration.hours(1)
const defaultConcurrency = 8

/** How often a look is repeated because something came meanwhile. A registry that changes faster is busy. */
const mostLooks = 10

const refuse = (problem: RetentionError["problem"], description: string) =>
  Effect.fail(new RetentionError({ problem, description }))

/** A plan that may be carried out. */
interface Admitted {
  /** The registry's time. */
  readonly now: DateTime.Utc
  readonly levels: ReadonlyArray<ReadonlyArray<Actions.Step>>
}

/** Refuses a plan that is not for this run. */
const admit = (
  target: RetentionTarget,
  plan: Plan,
  rules: Rules,
  options: ApplyOptions
): Effect.Effect<Admitted, Failure> =>
  Effect.gen(function* () {
    const { place, repository } = target.origin
    if (plan.registry !== place || plan.repository !== repository) {
      return yield* refuse(
        "OtherRepository",
        `the plan is for ${plan.registry}/${plan.repository}, and this is ${place}/${repository}`
      )
    }
    if (!Equal.equals(plan.rules, rules))
      return yield* refuse("OtherRules", "the plan was made by other rules: make a new one")
    const here = yield* DateTime.now
    const now = Option.getOrElse(yield* target.now, () => here)
    const age = Duration.abs(DateTime.distance(plan.at, now))
    const { allowLocked = false, maxAge = defaultMaxAge } = options
    const most = Duration.fromInputUnsafe(maxAge)
    if (Duration.isGreaterThan(age, most)) {
      return yield* refuse(
        "TooOld",
        `the plan is ${Duration.format(age)} old, and maxAge is ${Duration.format(most)}: make a new one`
      )
    }
    // A plan is data, which may have been edited.
    const exceeds = exceeded(plan.tags, plan.manifests, rules)
    if (exceeds.length > 0) {
      return yield* refuse("LimitExceeded", `the plan exceeds the limits of its rules: ${exceeds.join("; ")}`)
    }
    const [contradiction] = contradictions(plan)
    if (contradiction !== undefined) return yield* refuse("InconsistentPlan", contradiction)
    const levels = Actions.levels(plan)
    const locked = new Set(levels.flatMap((steps) => steps.flatMap((step) => step.locked)))
    const [first] = locked
    if (!allowLocked && first !== undefined) {
      const others = locked.size > 1 ? ` and ${locked.size - 1} more` : ""
      const what = `the plan deletes what is locked: ${first}${others}`
      return yield* refuse("LocksNotAllowed", `${what}; the run has to say allowLocked for that`)
    }
    return { now, levels }
  })

/** What is said of a step. */
type Said = Pick<Outcome, "outcome" | "detail">

const done: Said = { outcome: "done" }
const gone: Said = { outcome: "gone" }

const stays = (outcome: "changed" | "needed" | "refused" | "failed", detail: string): Said => ({ outcome, detail })

/** Errors after which nothing else would succeed. */
const isFatal = (error: Failure): boolean => error._tag === "RetentionError" || isDenied(error)

/** Answers that say that nothing was deleted. Google's registry answers 400 as long as an index or a tag names a manifest. */
const refusals: ReadonlySet<string> = new Set(["Locked", "Unsupported", "InvalidRequest"])

/** What a failed request says of a step; a fatal one stops the run. */
const saidOf = (error: Failure): Said => {
  if (error._tag === "RetentionError") return stays("failed", error.message)
  return stays(refusals.has(error.reason._tag) ? "refused" : "failed", error.message)
}

const isLater = (now: DateTime.Utc | undefined, planned: DateTime.Utc | undefined): boolean =>
  now !== undefined && planned !== undefined && DateTime.isGreaterThan(now, planned)

/** Why a manifest is not as it was planned, if so. */
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

/** A run. */
interface Run {
  readonly target: RetentionTarget
  readonly plan: Plan
  readonly planned: ReadonlyMap<Digest.Digest, PlannedManifest>
  readonly plannedTags: ReadonlyMap<string, PlannedTag>
  readonly descriptions: Descriptions.Descriptions
  /** How far the registry's clock is ahead of this machine's. */
  readonly ahead: Duration.Duration
  readonly arrivals: Arrivals.Arrivals
  /** What was planned and is gone. */
  readonly gone: Set<Digest.Digest>
  /** Why the run ends early, once it does. */
  stopped: string | undefined
}

/** The digests that a tag is about: what it names, and what it is attached to by its name. */
const aboutOf = (digest: Digest.Digest, tag: string): ReadonlyArray<Digest.Digest> => [
  digest,
  ...Option.toArray(Option.flatMap(AttachedTags.parse(tag), ({ subject }) => subject))
]

/** Whether a tag was attached to one of some manifests since the plan. */
const isAttached = (
  { plannedTags }: Run,
  digest: Digest.Digest,
  tag: string,
  going: ReadonlySet<Digest.Digest>
): boolean => plannedTags.get(tag)?.digest !== digest && aboutOf(digest, tag).some((one) => going.has(one))

/** A tag that was pushed since the plan and is about one of some manifests, if there is one. */
const pushedTag = (
  { plannedTags }: Run,
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

/** What came since the plan and needs one of some manifests or owns one, if so, and whether it had to be read. */
const needOf = (
  run: Run,
  newer: Look["newer"],
  going: ReadonlySet<Digest.Digest>,
  owners: ReadonlySet<string>
): Effect.Effect<{ readonly need: string | undefined; readonly hasRead: boolean }, Failure> =>
  Effect.gen(function* () {
    const { descriptions, gone, planned } = run
    // What is planned to go goes later, or has been looked at. If it is gone and there again, it was pushed.
    const goesLater = (digest: Digest.Digest) => planned.get(digest)?.verdict === "delete" && !gone.has(digest)
    const seen = new Set(going)
    let hasRead = false
    const waiting = newer.filter(({ digest }) => !going.has(digest))
    for (const { digest, tags } of waiting) {
      const attached = tags.find((tag) => isAttached(run, digest, tag, going))
      if (attached !== undefined) return { need: `the tag ${attached} was attached to it`, hasRead }
      if (seen.has(digest) || goesLater(digest)) continue
      seen.add(digest)
      hasRead ||= !descriptions.isKnown(digest)
      const description = yield* descriptions.read(digest)
      if (Option.isNone(description)) {
        if (planned.has(digest)) continue
        return { need: `${digest} came and cannot be read`, hasRead }
      }
      if (owners.has(Referrer.tag(digest))) return { need: `${digest} came, which it belongs to`, hasRead }
      const { subject } = description.value
      const children = Descriptions.entriesOf(description.value)
      const needs = [...children, ...(subject === undefined ? [] : [subject])]
      if (needs.some((one) => going.has(one))) return { need: `${digest} came, which needs it`, hasRead }
      // An index of indexes. What the plan keeps needs nothing that goes.
      for (const child of children) {
        if (planned.get(child)?.verdict !== "keep") waiting.push({ digest: child, tags: [] })
      }
    }
    return { need: undefined, hasRead }
  })

/** Why one of some manifests is not as it was planned, if so. */
const changesOf = ({ planned }: Run, { manifests }: Look, step: Actions.Step): string | undefined => {
  for (const [digest, now] of manifests) {
    const then = planned.get(digest)
    const change = then === undefined ? undefined : changeOf(now, then)
    if (change !== undefined) return digest === step.digest ? change : `${digest}, which goes with it: ${change}`
  }
  return undefined
}

/** Whether an earlier look saw something that this run deleted since. If it came again, it has a later time than in the plan. */
const isPast = ({ gone, planned }: Run, { digest, updatedOn }: Arrivals.Arrival): boolean => {
  const then = planned.get(digest)?.updatedOn
  return gone.has(digest) && then !== undefined && !isLater(updatedOn, then)
}

/** Looks at manifests, and at all that came since the plan. */
const look = (run: Run, manifests: Arr.NonEmptyReadonlyArray<Digest.Digest>): Effect.Effect<Look, RegistryError> =>
  Effect.gen(function* () {
    const { ahead, arrivals, target } = run
    const begunAt = DateTime.addDuration(yield* DateTime.now, ahead)
    const seen = yield* target.look(manifests, arrivals.since)
    return { ...seen, ...Arrivals.add(arrivals, seen, begunAt, (manifest) => isPast(run, manifest)) }
  })

/** What forbids to delete a manifest right now, if anything does. */
const lookAt = (run: Run, step: Actions.Step): Effect.Effect<Option.Option<Said>, Failure> =>
  Effect.gen(function* () {
    const { digest, owners } = step
    const subject = run.planned.get(digest)?.subject
    const isCascade = subject !== undefined && run.gone.has(subject)
    const absent = Option.some(isCascade ? { ...done, detail: "the registry deleted it with its subject" } : gone)
    // Most likely it went with its subject, and so did its own referrers: a chain of them would look at each again and again.
    const isChain = isCascade && step.together !== Actions.alone
    if (isChain && !(yield* look(run, [digest])).manifests.has(digest)) return absent
    const together = step.together()
    const going = new Set([digest, ...together])
    for (let looks = 0; looks < mostLooks; looks++) {
      const seen = yield* look(run, [digest, ...together])
      if (!seen.manifests.has(digest)) return absent
      const change = changesOf(run, seen, step) ?? pushedTag(run, seen, going)
      if (change !== undefined) return Option.some(stays("changed", change))
      const { hasRead, need } = yield* needOf(run, seen.newer, going, owners)
      if (need !== undefined) return Option.some(stays("changed", need))
      // Reading took time, so that the look is no longer the last thing before the deletion.
      if (!hasRead) return Option.none()
    }
    return Option.some(stays("changed", "the repository changes faster than it can be looked at"))
  })

/** Why a tag alone cannot be deleted right now, if so. */
const lookAtTag = (
  run: Run,
  { digest, owners }: Actions.Step,
  name: string
): Effect.Effect<Option.Option<Said>, Failure> => {
  const { plannedTags, target } = run
  const newer = owners.size === 0 ? Effect.succeed([]) : Effect.map(look(run, [digest]), ({ newer }) => newer)
  return Effect.map(Effect.all([target.tag(name), newer], { concurrency: 2 }), ([tag, came]) => {
    if (Option.isNone(tag)) return Option.some(gone)
    const then = plannedTags.get(name)
    const change = then === undefined ? undefined : tagChangeOf(tag.value, then)
    if (change !== undefined) return Option.some(stays("changed", change))
    const owner = came.find((one) => owners.has(Referrer.tag(one.digest)))
    return owner === undefined
      ? Option.none()
      : Option.some(stays("changed", `${owner.digest} came, which it belongs to`))
  })
}

/** Something that is not there any more need not be unlocked, nor locked again. */
const ifThere = <A>(effect: Effect.Effect<A, RegistryError>, otherwise: A): Effect.Effect<A, RegistryError> =>
  Effect.catchReason(effect, "RegistryError", "NotFound", () => Effect.succeed(otherwise))

/**
 * Deletes something whose parts are locked: they are unlocked before, and locked again if it is not deleted. So is what the
 * registry should have deleted along with it and did not.
 */
const unlocked = <A>(
  unlock: RetentionTarget["unlock"],
  [first, ...others]: ReadonlyArray<string>,
  own: ReadonlySet<string>,
  remove: Effect.Effect<A, RegistryError>,
  onFailure: (name: string, error: RegistryError) => void
): Effect.Effect<A, RegistryError> =>
  first === undefined
    ? remove
    : Effect.acquireUseRelease(
        ifThere(unlock(first), { relock: Effect.void }),
        () => unlocked(unlock, others, own, remove, onFailure),
        ({ relock }, exit) =>
          Exit.isSuccess(exit) && own.has(first)
            ? Effect.void
            : Effect.catch(ifThere(relock, undefined), (error) => Effect.sync(() => onFailure(first, error)))
      )

/** Deletes what a step says. Only here a 404 means that it is gone: what depends on it goes next. */
const remove = (
  { target }: Run,
  { digest, locked, tag, tags }: Actions.Step,
  onUnlocked: (name: string, error: RegistryError) => void
): Effect.Effect<Said, RegistryError> => {
  const removed = Effect.as(tag === undefined ? target.deleteManifest(digest) : target.deleteTag(tag), done)
  const own = new Set(tag === undefined ? [digest, ...tags] : [tag])
  return unlocked(target.unlock, locked, own, ifThere(removed, gone), onUnlocked)
}

/** Carries out a step, and records what became of it. */
const perform = (run: Run, step: Actions.Step, record: (said: Said) => Effect.Effect<void>): Effect.Effect<void> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      // Others may be in the middle of a deletion: they come to their end, and no more begin.
      if (run.stopped !== undefined) return
      const blocker = step.after.find((digest) => !run.gone.has(digest))
      if (blocker !== undefined) return yield* record(stays("needed", `${blocker} needs it, and stays`))
      const { tag } = step
      const unlocked: Array<string> = []
      const onUnlocked = (name: string, { message }: RegistryError) =>
        void unlocked.push(`${name} could not be locked again: ${message}`)
      // What is deleted is recorded, even if the run is interrupted meanwhile.
      const said = yield* restore(tag === undefined ? lookAt(run, step) : lookAtTag(run, step, tag)).pipe(
        Effect.flatMap(
          Option.match({
            onSome: Effect.succeed<Said>,
            onNone: () => restore(remove(run, step, onUnlocked))
          })
        ),
        Effect.catchTag(["RegistryError", "RetentionError"], (error) =>
          Effect.sync(() => {
            if (isFatal(error)) run.stopped = error.message
            return saidOf(error)
          })
        )
      )
      if (tag === undefined && (said.outcome === "done" || said.outcome === "gone")) run.gone.add(step.digest)
      const details = [...(said.detail === undefined ? [] : [said.detail]), ...unlocked]
      yield* record(details.length === 0 ? said : { ...said, detail: details.join("; ") })
    })
  )

/** What is known of the manifests of a plan. */
const descriptionsOf = ({ manifests }: Plan): ReadonlyArray<readonly [Digest.Digest, Descriptions.Description]> =>
  manifests.flatMap(({ artifactType, children, digest, kind, otherEntries, sizeBytes = 0, subject }) =>
    kind === "unknown"
      ? []
      : [
          [
            digest,
            {
              kind,
              ...(artifactType === undefined ? {} : { artifactType }),
              sizeBytes,
              children,
              ...(otherEntries === undefined ? {} : { otherEntries }),
              ...(subject === undefined ? {} : { subject })
            }
          ] as const
        ]
  )

/** The part of a step that reports say. */
const actionOf = ({ digest, rule, tag, tags }: Actions.Step): Action => ({
  digest,
  ...(tag === undefined ? {} : { tag }),
  tags,
  ...(rule === undefined ? {} : { rule })
})

const isSettled = ({ outcome }: Outcome): boolean => outcome === "done" || outcome === "gone"

export const apply = (
  target: RetentionTarget,
  plan: Plan,
  rules: Rules,
  options: ApplyOptions
): Effect.Effect<Report, Failure> =>
  Effect.gen(function* () {
    const { cache, concurrency = defaultConcurrency, journal } = options
    const { levels, now: since } = yield* admit(target, plan, rules, options)
    const startedAt = yield* DateTime.now
    const earlier = journal === undefined ? [] : yield* journal.begin(plan)
    const outcomes = new Map(earlier.filter(isSettled).map((outcome) => [Actions.keyOf(outcome), outcome]))
    const descriptions = Descriptions.remembering(Descriptions.make(target, cache), descriptionsOf(plan))
    const run: Run = {
      target,
      plan,
      planned: new Map(plan.manifests.map((manifest) => [manifest.digest, manifest])),
      plannedTags: new Map(plan.tags.map((tag) => [tag.name, tag])),
      descriptions,
      ahead: DateTime.distance(startedAt, since),
      arrivals: Arrivals.make(plan.at),
      gone: new Set(Array.from(outcomes.values()).flatMap(({ digest, tag }) => (tag === undefined ? [digest] : []))),
      stopped: undefined
    }
    const record = (step: Actions.Step) => (said: Said) => {
      const outcome: Outcome = { ...actionOf(step), ...said }
      outcomes.set(step.key, outcome)
      if (journal === undefined) return Effect.void
      // What cannot be written down is not continued. The report has it.
      return Effect.catch(journal.record(outcome), ({ message }) => Effect.sync(() => void (run.stopped = message)))
    }
    yield* Effect.forEach(
      levels,
      (steps) =>
        Effect.forEach(
          steps.filter(({ key }) => !outcomes.has(key)),
          (step) => perform(run, step, record(step)),
          { concurrency, discard: true }
        ),
      { discard: true }
    )
    const all = levels
      .flat()
      .map((step): Outcome => outcomes.get(step.key) ?? { ...actionOf(step), outcome: "notReached" })
    const check = yield* Check.run(target, plan, all, since, descriptions)
    return {
      version: 1,
      registry: plan.registry,
      repository: plan.repository,
      plannedAt: plan.at,
      startedAt,
      endedAt: yield* DateTime.now,
      outcomes: all,
      ...(run.stopped === undefined ? {} : { stopped: run.stopped }),
      ...Option.match(check, { onNone: () => ({}), onSome: (check) => ({ check }) }),
      restore: restoreSteps(plan, all, earlier.length > 0)
    }
  })
