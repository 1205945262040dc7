/**
 * The outcome of a migration: each artifact, and totals.
 *
 * @since 0.1.0
 */
import * as Digest from "@effect-acr/client/Digest"
import * as Schema from "effect/Schema"

/**
 * The state of an artifact.
 *
 * **Details**
 *
 * - `planned`: it is not copied yet.
 * - `copied`: this run copied it.
 * - `present`: the target already had it with its tags. Also if an earlier call copied it, and this one had to look again.
 * - `verified`: this run copied it, and the target's own lists have it with its tags.
 * - `failed`: it could not be copied, or a tag names another manifest and the rules say `fail`; `class` and `detail` say why.
 * - `refused`: the target rejects it, because of a lock, a limit, a name or a type.
 * - `skipped`: the rules exclude it, for example since `onTag` keeps the target's tags.
 * - `vanished`: the source no longer has it, and it was not copied. If the source still lists it at the end of a call, the
 *   artifact is `failed`. An artifact that is deleted at the source after its copy keeps its state, without tags.
 *
 * @category schemas
 * @since 0.1.0
 */
export const State = Schema.Literals([
  // Databases store positions in this list: append new states at the end.
  "planned",
  "copied",
  "present",
  "verified",
  "failed",
  "refused",
  "skipped",
  "vanished"
])

export type State = typeof State.Type

/**
 * An artifact of the source with its outcome.
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
  /** The digest at the target if it differs: an index without some of its platforms. */
  targetDigest: Schema.optionalKey(Digest.Digest),
  /** Its tags. */
  tags: Schema.Array(Schema.String),
  /** Its state. */
  state: State,
  /**
   * The reason, by kind:
   *
   * - `gone`: the source lacks it, or a part of it. `content`: bytes do not match their digest.
   * - `forbidden`, `refused`: a registry refuses access, or the target rejects the artifact.
   * - `transient`: a failure that may pass, such as a lost connection. `other`: any other failure.
   * - `exists`: a tag of the target names another manifest.
   * - `damaged`, `repaired`, `unread`: the result of reading it back.
   * - `orphan`: a referrer whose subject is not at the target.
   * - `platform`: an index without an image for the platforms of the rules.
   * - `untagged`: a manifest without a tag that nothing copied needs, and that the rules do not select.
   * - `foreign`: it is copied without layers that may not be distributed.
   * - `leftOut`: it is copied, and `failed` since the lists of its referrers have records that cannot be read.
   */
  class: Schema.optionalKey(Schema.String),
  /** What happened, in words. */
  detail: Schema.optionalKey(Schema.String),
  /** The number of attempts. Retries within a pass do not count, and neither do artifacts that a pass did not try. */
  attempts: Schema.Natural
})

export type Outcome = typeof Outcome.Type

/**
 * A repository that is not copied, or whose list is incomplete.
 *
 * **Details**
 *
 * - `notListed`: the source does not list its tags.
 * - `targetNotListed`: the target does not list its content.
 * - `invalidName`: the name is not valid at the target.
 * - `collision`: two repositories would get the same name at the target, or one would overwrite another one that gets a new name
 *   within the registry.
 * - `unavailable`: the source or the target cannot be reached, or throttles requests. A later pass may list it.
 * - `notWritten`: its archive cannot be written, for example since the layout beside it has lost content.
 * - `leftOut`: its lists have records that cannot be read, such as tags with invalid names. All others are copied. With
 *   the name `*`, it concerns the list of repositories.
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
  problem: Schema.Literals([
    "notListed",
    "targetNotListed",
    "invalidName",
    "collision",
    "unavailable",
    "notWritten",
    "leftOut"
  ]),
  /** What happened, in words. */
  detail: Schema.String
})

export type RepositoryProblem = typeof RepositoryProblem.Type

/**
 * The number of artifacts in a state.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Total = Schema.Struct({
  /** The state. */
  state: State,
  /** The number of artifacts. */
  count: Schema.Natural,
  /** The sum of their sizes in bytes as the source lists them. Shared layers count once for each artifact. */
  bytes: Schema.Natural
})

export type Total = typeof Total.Type

/**
 * The number of artifacts that are not at the target for one kind of reason.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FailureCount = Schema.Struct({
  /** `failed`, `refused`, `skipped` or `vanished`. */
  state: State,
  /** The kind of reason, as `class` of `Outcome`. */
  class: Schema.String,
  /** The number of artifacts. */
  count: Schema.Natural
})

export type FailureCount = typeof FailureCount.Type

/**
 * The progress of a run.
 *
 * **Details**
 *
 * `phase` is `inventory` while both places are listed and compared, `copy` while artifacts are copied, and `done` when the run
 * has ended, also if something is missing at the target: `isComplete` checks that. Each pass lists both places again, verifies what earlier passes copied, and copies what is left.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Summary = Schema.Struct({
  /** The pass, from 1. */
  pass: Schema.Natural,
  /** The phase. */
  phase: Schema.Literals(["inventory", "copy", "done"]),
  /** The number of repositories. */
  repositories: Schema.Natural,
  /** Artifacts by state; states without artifacts are left out. */
  totals: Schema.Array(Total),
  /** Artifacts that are not at the target, by kind of failure, the most frequent first. */
  failures: Schema.Array(FailureCount),
  /** The repositories that are not copied, or whose lists are incomplete. The report does not have them. */
  problems: Schema.Array(RepositoryProblem)
})

export type Summary = typeof Summary.Type

const unfinished: ReadonlySet<State> = new Set(["planned", "failed", "refused"])

/**
 * Checks whether everything is at the target: the run is done, nothing failed, and each repository was listed.
 *
 * @category guards
 * @since 0.1.0
 */
export const isComplete = ({ phase, problems, totals }: Summary): boolean =>
  phase === "done" && problems.length === 0 && !totals.some(({ count, state }) => count > 0 && unfinished.has(state))
