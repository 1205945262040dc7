/**
 * The report of a retention run.
 *
 * @since 0.1.0
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Schema from "effect/Schema"
import * as Trash from "./Trash.ts"

/**
 * What one action deletes: a manifest with its tags, or a tag alone.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Action = Schema.Struct({
  /** The manifest that is deleted, or that the tag names. */
  digest: Digest.Digest,
  /** The tag, if it alone is deleted. */
  tag: Schema.optionalKey(Schema.String),
  /** The tags that are deleted with a manifest. */
  tags: Schema.Array(Schema.String),
  /** The rule that decided, if one did. */
  rule: Schema.optionalKey(Schema.String)
})

export type Action = typeof Action.Type

/**
 * The outcome of an action.
 *
 * **Details**
 *
 * - `done`: the registry deleted it, here or with its subject.
 * - `gone`: it did not exist any more.
 * - `changed`: it changed since the plan, or something that needs it was pushed. It stays.
 * - `needed`: something that needs it stays, so it stays too.
 * - `refused`: the registry refused to delete it: it is locked, the registry does not support deleting tags, or an index that the
 *   plan does not know names it.
 * - `failed`: the request failed. It may or may not be deleted.
 * - `notReached`: the run stopped earlier.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Outcome = Schema.Struct({
  ...Action.fields,
  /** The outcome. */
  outcome: Schema.Literals(["done", "gone", "changed", "needed", "refused", "failed", "notReached"]),
  /** Details for people to read. */
  detail: Schema.optionalKey(Schema.String)
})

export type Outcome = typeof Outcome.Type

/**
 * The state of the repository after the run.
 *
 * **Details**
 *
 * A push between the last check of an object and its deletion can go unseen. This check finds what was lost by that, as far as it
 * left a trace: without soft delete, a tag that was pushed in that window is deleted with its manifest and leaves none.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Check = Schema.Struct({
  /** Tags that the plan keeps and that are gone: deleted by another client or by this run. */
  missingTags: Schema.Array(Schema.Struct({ name: Schema.String, digest: Digest.Digest })),
  /** Manifests that the plan keeps and that are gone. */
  missingManifests: Schema.Array(Digest.Digest),
  /** Manifests that name missing ones, and did not when the plan was made. */
  broken: Schema.Array(Schema.Struct({ digest: Digest.Digest, missing: Schema.Array(Digest.Digest) })),
  /** Referrers that were pushed since the plan and whose subject this run deleted. */
  orphaned: Schema.Array(Schema.Struct({ digest: Digest.Digest, subject: Digest.Digest })),
  /** Manifests that the run deleted and that exist: they were pushed again, or the registry did not delete them. */
  present: Schema.Array(Digest.Digest),
  /** Tags that this run deleted with their manifests although the plan does not have them. Read from the trash. */
  lostTags: Schema.Array(Schema.Struct({ name: Schema.String, digest: Digest.Digest }))
})

export type Check = typeof Check.Type

/**
 * The report of a run.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Report = Schema.Struct({
  /** The version of this format. */
  version: Schema.Literal(1),
  /** The registry. */
  registry: Schema.String,
  /** The repository. */
  repository: Schema.String,
  /** The time of the plan. */
  plannedAt: Schema.DateTimeUtcFromString,
  /** When the run began, by this machine's clock. */
  startedAt: Schema.DateTimeUtcFromString,
  /** When the run ended. */
  endedAt: Schema.DateTimeUtcFromString,
  /** Each action, in the order of the plan. */
  outcomes: Schema.Array(Outcome),
  /** Why the run stopped early, if it did. */
  stopped: Schema.optionalKey(Schema.String),
  /** The state of the repository after the run; absent if that could not be read. */
  check: Schema.optionalKey(Check),
  /**
   * The steps for `Trash.restoreSteps` to restore everything that the run deleted. In this order: what a manifest names before
   * it, and subjects before their referrers.
   */
  restore: Schema.Array(Trash.Step)
})

export type Report = typeof Report.Type

/**
 * How a run ended.
 *
 * **Details**
 *
 * - `done`: everything that the plan deletes is gone.
 * - `changed`: some objects stay, because they changed or are needed, or exist again.
 * - `failed`: some objects could not be deleted, or the check found a loss.
 * - `stopped`: the run stopped early.
 *
 * @category models
 * @since 0.1.0
 */
export type Status = "done" | "changed" | "failed" | "stopped"

const hasLoss = ({ broken, lostTags, missingManifests, missingTags, orphaned }: Check): boolean =>
  [broken, lostTags, missingManifests, missingTags, orphaned].some((list) => list.length > 0)

/**
 * Tells how a run ended.
 *
 * @category getters
 * @since 0.1.0
 */
export const status = ({ check, outcomes, stopped }: Report): Status => {
  const has = (...wanted: ReadonlyArray<Outcome["outcome"]>) => outcomes.some(({ outcome }) => wanted.includes(outcome))
  if (stopped !== undefined) return "stopped"
  if (has("failed", "refused") || (check !== undefined && hasLoss(check))) return "failed"
  return has("changed", "needed") || (check !== undefined && check.present.length > 0) ? "changed" : "done"
}

/**
 * Counts the actions of each rule by outcome. Actions that no rule decided, such as those on images of an index, are under the
 * empty name.
 *
 * @category getters
 * @since 0.1.0
 */
export const totals = ({ outcomes }: Report): ReadonlyMap<string, ReadonlyMap<Outcome["outcome"], number>> => {
  const all = new Map<string, Map<Outcome["outcome"], number>>()
  for (const { outcome, rule = "" } of outcomes) {
    const counts = all.get(rule) ?? new Map<Outcome["outcome"], number>()
    all.set(rule, counts.set(outcome, (counts.get(outcome) ?? 0) + 1))
  }
  return all
}
