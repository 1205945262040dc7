/**
 * What became of a plan.
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
  /** The tags that go with a manifest. */
  tags: Schema.Array(Schema.String),
  /** The rule that decides, if one does. */
  rule: Schema.optionalKey(Schema.String)
})

/**
 * One action.
 *
 * @category models
 * @since 0.1.0
 */
export type Action = typeof Action.Type

/**
 * What became of an action.
 *
 * **Details**
 *
 * - `done`: the registry deleted it, here or with its subject.
 * - `gone`: it was not there any more.
 * - `changed`: it changed since the plan, or something came that needs it. It stays.
 * - `needed`: something that needs it stays.
 * - `refused`: the registry does not delete it: it is locked, the registry deletes no tags, or an index that the plan does not
 *   know names it.
 * - `failed`: the request failed. Whether it is deleted is not known.
 * - `notReached`: the run stopped before.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Outcome = Schema.Struct({
  ...Action.fields,
  /** What became of it. */
  outcome: Schema.Literals(["done", "gone", "changed", "needed", "refused", "failed", "notReached"]),
  /** What exactly, for people to read. */
  detail: Schema.optionalKey(Schema.String)
})

/**
 * What became of an action.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = typeof Outcome.Type

/**
 * What the repository looked like after the run.
 *
 * **Details**
 *
 * Between the last look at an object and its deletion a push can go unseen. The check finds what is lost by that, as far as
 * anything shows it: without soft delete, a tag that was pushed in that time is gone with its manifest and leaves no trace.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Check = Schema.Struct({
  /** Tags that the plan keeps and that are gone: something else deleted them, or this run. */
  missingTags: Schema.Array(Schema.Struct({ name: Schema.String, digest: Digest.Digest })),
  /** Manifests that the plan keeps and that are gone. */
  missingManifests: Schema.Array(Digest.Digest),
  /** Manifests that name others which are missing, and did not when the plan was made. */
  broken: Schema.Array(Schema.Struct({ digest: Digest.Digest, missing: Schema.Array(Digest.Digest) })),
  /** Referrers that came since the plan and whose subject this run deleted. */
  orphaned: Schema.Array(Schema.Struct({ digest: Digest.Digest, subject: Digest.Digest })),
  /** Manifests that the run deleted and that are there: pushed again, or the registry does not do what it says. */
  present: Schema.Array(Digest.Digest),
  /** Tags in the trash that this run deleted with their manifests, and that the plan does not have. */
  lostTags: Schema.Array(Schema.Struct({ name: Schema.String, digest: Digest.Digest }))
})

/**
 * What the repository looked like after the run.
 *
 * @category models
 * @since 0.1.0
 */
export type Check = typeof Check.Type

/**
 * What became of a plan.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Report = Schema.Struct({
  /** The form of this data. */
  version: Schema.Literal(1),
  /** The registry. */
  registry: Schema.String,
  /** The repository. */
  repository: Schema.String,
  /** The time of the plan. */
  plannedAt: Schema.DateTimeUtcFromString,
  /** When the run began, by this machine's clock. */
  startedAt: Schema.DateTimeUtcFromString,
  /** When it ended. */
  endedAt: Schema.DateTimeUtcFromString,
  /** Each action, in the order of the plan. */
  outcomes: Schema.Array(Outcome),
  /** Why the run stopped before its end, if it did. */
  stopped: Schema.optionalKey(Schema.String),
  /** What the repository looked like afterwards; absent if that could not be read. */
  check: Schema.optionalKey(Check),
  /**
   * What restores everything that the run deleted, in this order: what a manifest names before it, subjects before their
   * referrers. `Trash.restoreSteps` does that.
   */
  restore: Schema.Array(Trash.Step)
})

/**
 * What became of a plan.
 *
 * @category models
 * @since 0.1.0
 */
export type Report = typeof Report.Type

/**
 * How a run ended.
 *
 * **Details**
 *
 * - `done`: everything that was planned is gone.
 * - `changed`: some stays, since it changed or is needed, or is there again.
 * - `failed`: some could not be deleted, or the check found a loss.
 * - `stopped`: the run stopped before its end.
 *
 * @category models
 * @since 0.1.0
 */
export type Status = "done" | "changed" | "failed" | "stopped"

const hasLoss = ({ broken, lostTags, missingManifests, missingTags, orphaned }: Check): boolean =>
  [broken, lostTags, missingManifests, missingTags, orphaned].some((list) => list.length > 0)

/**
 * How a run ended.
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
 * How many actions of each rule had each outcome. What no rule decided, such as the images of an index, is
 * under the empty name.
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
