/**
 * The progress and throughput of a run, computed from its events.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Event } from "./internal/driver.ts"
import * as Fold from "./internal/progress.ts"
import { FailureCount, RepositoryProblem, State, Summary } from "./MigrationReport.ts"

/**
 * A repository with the time that its copies took.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RepositoryTime = Schema.Struct({
  /** The repository at the source. */
  source: Schema.String,
  /** The repository at the target. */
  target: Schema.String,
  /** The number of its artifacts that are done. */
  artifacts: Schema.Natural,
  /** The bytes of blobs that were sent for them. */
  sentBytes: Schema.Natural,
  /** The sum of the durations of their copies, in milliseconds. Copies run concurrently, so it may exceed the elapsed time. */
  copyTime: Schema.DurationFromMillis
})

export type RepositoryTime = typeof RepositoryTime.Type

/**
 * The progress and throughput of a run.
 *
 * **Details**
 *
 * `totals`, `failures` and `problems` cover the whole run, earlier calls included. They are known once a pass is planned. All
 * other fields cover this call only.
 *
 * If several processes share a run, `pass`, `phase`, `done`, `left`, `artifactsPerMinute`, `timeLeft` and the three above cover all
 * of them, at most ten seconds late. `sentBytes`, `bytesPerSecond`, `retrying` and `slowest` cover this process.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Progress = Schema.Struct({
  /** The time at which this call began. */
  startedAt: Schema.DateTimeUtcFromString,
  /** The time of this snapshot. */
  at: Schema.DateTimeUtcFromString,
  /** The pass, from 1; 0 before the first event. */
  pass: Schema.Natural,
  /** The phase, as in `MigrationReport.Summary`. */
  phase: Summary.fields.phase,
  /** The number of repositories that this pass has listed. */
  listed: Schema.Natural,
  /** The number of artifacts of this pass that are done. */
  done: Schema.Natural,
  /** The number of artifacts of this pass that are left. */
  left: Schema.Natural,
  /** The bytes of blobs that were sent. Blobs that the target mounted do not count. */
  sentBytes: Schema.Natural,
  /** Artifacts per minute in the last minute. Absent in the first second of a phase. */
  artifactsPerMinute: Schema.optionalKey(Schema.Finite),
  /** Bytes per second in the last minute. Absent in the first second of a phase. */
  bytesPerSecond: Schema.optionalKey(Schema.Finite),
  /** The estimated time left in this pass, in milliseconds, at the rate of its last half. Absent if it is not known. */
  timeLeft: Schema.optionalKey(Schema.DurationFromMillis),
  /** Artifacts by state; states without artifacts are left out. */
  totals: Schema.Array(Schema.Struct({ state: State, count: Schema.Natural })),
  /** Artifacts that are not at the target, by kind of failure. */
  failures: Schema.Array(FailureCount),
  /** The newest copy of this process that failed and is tried again. Absent once another artifact is done. */
  retrying: Schema.optionalKey(Schema.Struct({ source: Schema.String, target: Schema.String, detail: Schema.String })),
  /** The repositories that are not copied, or whose lists are incomplete. */
  problems: Schema.Array(RepositoryProblem),
  /** The ten repositories whose copies took longest, the slowest first. */
  slowest: Schema.Array(RepositoryTime)
})

export type Progress = typeof Progress.Type

/**
 * Computes progress from the events of one call.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tracker {
  /** Records an event. */
  readonly note: (event: Event) => Effect.Effect<void>
  /** The progress now. */
  readonly current: Effect.Effect<Progress>
}

/**
 * Makes a tracker for one call of `Migration.run`. It keeps a few hundred bytes for each repository, and nothing for each
 * artifact.
 *
 * **Example** (Printing a line every ten seconds)
 *
 * ```ts
 * import { Migration, MigrationProgress, type MigrationRules } from "@effect-acr/migration"
 * import { Console, Effect, Schedule, Stream } from "effect"
 *
 * export const move = (rules: MigrationRules.Rules) =>
 *   Effect.gen(function* () {
 *     const { current, note } = yield* MigrationProgress.track
 *     const line = Effect.flatMap(current, ({ done, left }) => Console.log(`${done} done, ${left} left`))
 *     yield* Migration.run("old-to-new", rules).pipe(
 *       Stream.runForEach(note),
 *       Effect.raceFirst(Effect.andThen(Effect.repeat(line, Schedule.spaced("10 seconds")), Effect.never))
 *     )
 *   })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const track: Effect.Effect<Tracker> = Effect.map(Clock.currentTimeMillis, (startedAt) => {
  const tally = Fold.make(startedAt)
  return {
    note: (event) => Effect.map(Clock.currentTimeMillis, (now) => Fold.note(tally, event, now)),
    current: Effect.map(Clock.currentTimeMillis, (now) => Fold.current(tally, now))
  }
})
