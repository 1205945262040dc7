/**
 * How far a run is and how fast, by its events.
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
 * A repository and the time that its copies took.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RepositoryTime = Schema.Struct({
  /** The repository at the source. */
  source: Schema.String,
  /** The repository at the target. */
  target: Schema.String,
  /** How many of its artifacts are done. */
  artifacts: Schema.Natural,
  /** The bytes of blobs that were sent for them. */
  sentBytes: Schema.Natural,
  /** The times of their copies, added up, in milliseconds. Several are copied at the same time. */
  copyTime: Schema.DurationFromMillis
})

/**
 * A repository and the time that its copies took.
 *
 * @category models
 * @since 0.1.0
 */
export type RepositoryTime = typeof RepositoryTime.Type

/**
 * How far a run is and how fast.
 *
 * **Details**
 *
 * `totals`, `failures` and `problems` are those of the whole run, also of earlier calls. They are known once a pass is planned.
 * Everything else is of this call.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Progress = Schema.Struct({
  /** When this call began. */
  startedAt: Schema.DateTimeUtcFromString,
  /** When this was said. */
  at: Schema.DateTimeUtcFromString,
  /** The pass, from 1; 0 before the first event. */
  pass: Schema.Natural,
  /** The phase, as in `MigrationReport.Summary`. */
  phase: Summary.fields.phase,
  /** How many repositories were listed in this pass. */
  listed: Schema.Natural,
  /** How many artifacts of this pass are done. */
  done: Schema.Natural,
  /** How many artifacts of this pass are left. */
  left: Schema.Natural,
  /** The bytes of blobs that were sent; those that the target mounted are not. */
  sentBytes: Schema.Natural,
  /** Artifacts a minute in the last minute. Absent in the first second of a phase. */
  artifactsPerMinute: Schema.optionalKey(Schema.Finite),
  /** Bytes a second in the last minute. Absent in the first second of a phase. */
  bytesPerSecond: Schema.optionalKey(Schema.Finite),
  /** How long the rest of this pass takes at the rate of its last half, in milliseconds. Absent if that is not known. */
  timeLeft: Schema.optionalKey(Schema.DurationFromMillis),
  /** Artifacts by state; states without artifacts are left out. */
  totals: Schema.Array(Schema.Struct({ state: State, count: Schema.Natural })),
  /** Artifacts that are not at the target, by kind of failure. */
  failures: Schema.Array(FailureCount),
  /** Repositories that are not copied. */
  problems: Schema.Array(RepositoryProblem),
  /** The ten repositories whose copies took longest, the slowest first. */
  slowest: Schema.Array(RepositoryTime)
})

/**
 * How far a run is and how fast.
 *
 * @category models
 * @since 0.1.0
 */
export type Progress = typeof Progress.Type

/**
 * Adds up the events of one call.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tracker {
  /** Takes note of an event. */
  readonly note: (event: Event) => Effect.Effect<void>
  /** How far the run is now. */
  readonly current: Effect.Effect<Progress>
}

/**
 * Makes a tracker for one call of `Migration.run`. It keeps a few hundred bytes for each repository, and nothing for artifacts.
 *
 * **Example** (A line each ten seconds)
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
