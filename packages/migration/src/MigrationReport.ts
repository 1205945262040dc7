/**
 * What became of a migration.
 *
 * @since 0.1.0
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Schema from "effect/Schema"

/**
 * What became of an artifact.
 *
 * **Details**
 *
 * - `planned`: it is to be copied.
 * - `copied`: this run copied it.
 * - `present`: the target had it with its tags already.
 * - `verified`: this run copied it, and the target's own lists have it with its tags.
 * - `failed`: it could not be copied, or a tag names something else and the rules say `fail`; `class` and `detail` say why.
 * - `refused`: the target does not take it: a lock, a limit, a name or a type.
 * - `skipped`: the rules leave it out, such as one whose tags the target keeps for something else.
 * - `vanished`: the source does not have it any more.
 *
 * @category schemas
 * @since 0.1.0
 */
export const State = Schema.Literals([
  // Databases keep the places in this list: new states come last.
  "planned",
  "copied",
  "present",
  "verified",
  "failed",
  "refused",
  "skipped",
  "vanished"
])

/**
 * What became of an artifact.
 *
 * @category models
 * @since 0.1.0
 */
export type State = typeof State.Type

/**
 * An artifact of the source and what became of it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Outcome = Schema.Struct({
  /** The route of the rules, from 0. */
  route: Schema.Natural,
  /** The repository at the source. */
  source: Schema.String,
  /** The repository at the target. */
  target: Schema.String,
  /** The digest at the source. */
  digest: Digest.Digest,
  /** The digest at the target, where it is another one: an index of which platforms are left out. */
  targetDigest: Schema.optionalKey(Digest.Digest),
  /** The tags that name it. */
  tags: Schema.Array(Schema.String),
  /** What became of it. */
  state: State,
  /**
   * The kind of failure: `gone`, `forbidden`, `refused`, `transient`, `content`, `exists`, or `other`. By reading it back:
   * `damaged`, `repaired`, or `unread`. Of a referrer that is left out: `orphan`, since its subject is not at the target. Of an artifact that is copied without layers that may not be distributed: `foreign`.
   */
  class: Schema.optionalKey(Schema.String),
  /** What happened, for a person to read. */
  detail: Schema.optionalKey(Schema.String),
  /** How often it was tried. */
  attempts: Schema.Natural
})

/**
 * An artifact of the source and what became of it.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = typeof Outcome.Type

/**
 * A repository that is not copied.
 *
 * **Details**
 *
 * - `notListed`: the source does not list its tags.
 * - `targetNotListed`: the target does not say what it has in it.
 * - `invalidName`: the target takes no such name.
 * - `collision`: two sources would become one repository.
 * - `unavailable`: the source or the target cannot be reached, or asks for fewer requests. A later pass may list it.
 * - `leftOut`: its lists have records that cannot be read, such as tags with invalid names. All others are copied. The client
 *   reports such records as warnings, so a program whose minimum log level is above them does not have this problem.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RepositoryProblem = Schema.Struct({
  /** The route of the rules, from 0. */
  route: Schema.Natural,
  /** The repository at the source. */
  source: Schema.String,
  /** The repository at the target. */
  target: Schema.String,
  /** What is wrong. */
  problem: Schema.Literals(["notListed", "targetNotListed", "invalidName", "collision", "unavailable", "leftOut"]),
  /** What happened, for a person to read. */
  detail: Schema.String
})

/**
 * A repository that is not copied.
 *
 * @category models
 * @since 0.1.0
 */
export type RepositoryProblem = typeof RepositoryProblem.Type

/**
 * How many artifacts are in a state.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Total = Schema.Struct({
  /** The state. */
  state: State,
  /** How many artifacts. */
  count: Schema.Natural,
  /** Their sizes in bytes as the source lists them, with layers that they share counted each time. */
  bytes: Schema.Natural
})

/**
 * How many artifacts are in a state.
 *
 * @category models
 * @since 0.1.0
 */
export type Total = typeof Total.Type

/**
 * How many artifacts are not at the target for one kind of reason.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FailureCount = Schema.Struct({
  /** `failed`, `refused`, `skipped` or `vanished`. */
  state: State,
  /** The kind of failure, as in `Outcome`. */
  class: Schema.String,
  /** How many artifacts. */
  count: Schema.Natural
})

/**
 * How many artifacts are not at the target for one kind of reason.
 *
 * @category models
 * @since 0.1.0
 */
export type FailureCount = typeof FailureCount.Type

/**
 * How far a run is.
 *
 * **Details**
 *
 * `phase` is `inventory` while the places are listed and compared, `copy` while artifacts are copied, and `done` when a run has
 * ended. Each pass lists both places again, verifies what earlier passes copied, and copies what is left.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Summary = Schema.Struct({
  /** The pass, from 1. */
  pass: Schema.Natural,
  /** The phase. */
  phase: Schema.Literals(["inventory", "copy", "done"]),
  /** The repositories. */
  repositories: Schema.Natural,
  /** Artifacts by state; states without artifacts are left out. */
  totals: Schema.Array(Total),
  /** Artifacts that are not at the target, by kind of failure, the most frequent first. */
  failures: Schema.Array(FailureCount),
  /** Repositories that are not copied. */
  problems: Schema.Array(RepositoryProblem)
})

/**
 * How far a run is.
 *
 * @category models
 * @since 0.1.0
 */
export type Summary = typeof Summary.Type

const unfinished: ReadonlySet<State> = new Set(["planned", "failed", "refused"])

/**
 * Whether all is at the target: the run is done, nothing failed, and each repository was listed.
 *
 * @category guards
 * @since 0.1.0
 */
export const isComplete = ({ phase, problems, totals }: Summary): boolean =>
  phase === "done" && problems.length === 0 && !totals.some(({ count, state }) => count > 0 && unfinished.has(state))
