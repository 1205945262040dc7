/**
 * Carries out a plan: deletes what did not change since, and records the outcome of each action.
 */
import type * as Digest from "@effect-acr/client/Digest"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import type { RetentionError } from "../../RetentionError.ts"
import type { RetentionJournal } from "../../RetentionJournal.ts"
import type { Plan } from "../../RetentionPlan.ts"
import type { Action, Outcome, Report } from "../../RetentionReport.ts"
import type { Rules } from "../../RetentionRules.ts"
import type { RetentionTarget } from "../../RetentionTarget.ts"
import * as Actions from "./actions.ts"
import { admit } from "./admission.ts"
import * as Arrivals from "./arrivals.ts"
import { isDenied } from "../denied.ts"
import * as Check from "./check.ts"
import * as Descriptions from "./descriptions.ts"
import { done, gone, type Known, lookAt, lookAtTag, type Said, stays } from "./looks.ts"
import { restoreSteps } from "./restoreOrder.ts"

/**
 * How to carry out a plan.
 *
 * @category options
 * @since 0.1.0
 */
export interface ApplyOptions {
  /** Records the outcomes, so that an interrupted run can be resumed. Defaults to no journal. */
  readonly journal?: RetentionJournal
  /** The maximum age of the plan. Defaults to one hour. To resume a long run, set it higher. */
  readonly maxAge?: Duration.Input
  /** Whether to unlock and delete locked tags and manifests, if the rules include them. Defaults to false. */
  readonly allowLocked?: boolean
  /** How many deletions to run at the same time. Defaults to 8. */
  readonly concurrency?: number
  /** The cache of manifests, as for `inventory`. Defaults to none. */
  readonly cache?: KeyValueStore.KeyValueStore
  /**
   * Called with the report if the run is interrupted, since the effect then has no result. The report has no `check`, which would
   * take requests. Defaults to nothing.
   */
  readonly onInterrupt?: (report: Report) => Effect.Effect<void>
}

type Failure = RegistryError | RetentionError

const defaultMaxAge = Duration.hours(1)
const defaultConcurrency = 8

interface Run extends Known {
  /** Why the run ends early, if it does. */
  stopped: string | undefined
}

/** Errors after which nothing else would succeed. */
const isFatal = (error: Failure): boolean => error._tag === "RetentionError" || isDenied(error)

/** Responses that mean that nothing was deleted. Google's registry returns 400 as long as an index or a tag names a manifest. */
const refusals: ReadonlySet<string> = new Set(["Locked", "Unsupported", "InvalidRequest"])

/** The outcome of a step whose request failed. A fatal error stops the run. */
const saidOf = (error: Failure): Said => {
  if (error._tag === "RetentionError") return stays("failed", error.message)
  return stays(refusals.has(error.reason._tag) ? "refused" : "failed", error.message)
}

/** An object that no longer exists need not be unlocked or locked again. */
const ifThere = <A>(effect: Effect.Effect<A, RegistryError>, otherwise: A): Effect.Effect<A, RegistryError> =>
  Effect.catchReason(effect, "RegistryError", "NotFound", () => Effect.succeed(otherwise))

/**
 * Deletes an object with locked parts: they are unlocked first, and locked again if they are not deleted. So is what the registry
 * should have deleted with the object and did not.
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

/** Deletes the object of a step. Only here does a 404 mean that it is gone: what depends on it is deleted next. */
const remove = (
  { target }: Run,
  { digest, locked, tag, tags }: Actions.Step,
  onUnlocked: (name: string, error: RegistryError) => void
): Effect.Effect<Said, RegistryError> => {
  const removed = Effect.as(tag === undefined ? target.deleteManifest(digest) : target.deleteTag(tag), done)
  const own = new Set(tag === undefined ? [digest, ...tags] : [tag])
  return unlocked(target.unlock, locked, own, ifThere(removed, gone), onUnlocked)
}

/** Carries out a step, and records the outcome unless the step is interrupted. */
const perform = (
  run: Run,
  step: Actions.Step,
  record: (said: Said) => Effect.Effect<void>,
  onCutOff: () => void
): Effect.Effect<void> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function* () {
      // Other steps may be in the middle of a deletion: they finish, and no more begin.
      if (run.stopped !== undefined) return
      const blocker = step.after.find((digest) => !run.gone.has(digest))
      if (blocker !== undefined) return yield* record(stays("needed", `${blocker} needs it, and stays`))
      const { tag } = step
      const unlocked: Array<string> = []
      const onUnlocked = (name: string, { message }: RegistryError) =>
        void unlocked.push(`${name} could not be locked again: ${message}`)
      // A deletion is recorded even if the run is interrupted meanwhile.
      const said = yield* restore(tag === undefined ? lookAt(run, step) : lookAtTag(run, step, tag)).pipe(
        Effect.flatMap(
          Option.match({
            onSome: Effect.succeed<Said>,
            onNone: () => restore(remove(run, step, onUnlocked)).pipe(Effect.onInterrupt(() => Effect.sync(onCutOff)))
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

/** The descriptions of the manifests in a plan. */
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

/** The part of a step that is reported. */
const actionOf = ({ digest, rule, tag, tags }: Actions.Step): Action => ({
  digest,
  ...(tag === undefined ? {} : { tag }),
  tags,
  ...(rule === undefined ? {} : { rule })
})

/** The outcome of each action, in the order of the plan. */
const outcomesOf = (
  levels: ReadonlyArray<ReadonlyArray<Actions.Step>>,
  outcomes: ReadonlyMap<string, Outcome>
): ReadonlyArray<Outcome> =>
  levels.flat().map((step): Outcome => outcomes.get(step.key) ?? { ...actionOf(step), outcome: "notReached" })

const isSettled = ({ outcome }: Outcome): boolean => outcome === "done" || outcome === "gone"

export const apply = (
  target: RetentionTarget,
  plan: Plan,
  rules: Rules,
  options: ApplyOptions
): Effect.Effect<Report, Failure> =>
  Effect.gen(function* () {
    const { allowLocked = false, cache, concurrency = defaultConcurrency, journal, maxAge = defaultMaxAge } = options
    const { onInterrupt = () => Effect.void } = options
    const { levels, now: since } = yield* admit(target, plan, rules, {
      allowLocked,
      maxAge: Duration.fromInputUnsafe(maxAge)
    })
    const startedAt = yield* DateTime.now
    const earlier = journal === undefined ? [] : yield* journal.begin(plan)
    const outcomes = new Map(earlier.filter(isSettled).map((outcome) => [Actions.keyOf(outcome), outcome]))
    const descriptions = Descriptions.remembering(Descriptions.make(target, cache), descriptionsOf(plan))
    const run: Run = {
      target,
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
      // If the journal fails, the run stops. The report has the outcome.
      return Effect.catch(journal.record(outcome), ({ message }) => Effect.sync(() => void (run.stopped = message)))
    }
    // Not recorded in the journal: a resumed run checks the object again.
    const cutOff = (step: Actions.Step) => () =>
      void outcomes.set(step.key, { ...actionOf(step), ...stays("failed", "it was interrupted: it may be deleted") })
    const report = (check: Option.Option<Report["check"] & {}>): Effect.Effect<Report> =>
      Effect.map(DateTime.now, (endedAt) => {
        const all = outcomesOf(levels, outcomes)
        return {
          version: 1,
          registry: plan.registry,
          repository: plan.repository,
          plannedAt: plan.at,
          startedAt,
          endedAt,
          outcomes: all,
          ...(run.stopped === undefined ? {} : { stopped: run.stopped }),
          ...Option.match(check, { onNone: () => ({}), onSome: (check) => ({ check }) }),
          restore: restoreSteps(plan, all, earlier.length > 0)
        }
      })
    const carryOut = Effect.forEach(
      levels,
      (steps) =>
        Effect.forEach(
          steps.filter(({ key }) => !outcomes.has(key)),
          (step) => perform(run, step, record(step), cutOff(step)),
          { concurrency, discard: true }
        ),
      { discard: true }
    )
    const interrupted = Effect.suspend(() => {
      run.stopped = "it was interrupted"
      return Effect.flatMap(report(Option.none()), onInterrupt)
    })
    return yield* Effect.gen(function* () {
      yield* carryOut
      return yield* report(yield* Check.run(target, plan, outcomesOf(levels, outcomes), since, descriptions))
    }).pipe(Effect.onInterrupt(() => interrupted))
  })
