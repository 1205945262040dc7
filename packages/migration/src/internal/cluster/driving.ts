/**
 * Drives a run in one process of its cluster.
 */
import * as Cause from "effect/Cause"
import * as Sharding from "effect/cluster/Sharding"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as WorkflowEngine from "effect/workflow/WorkflowEngine"
import type { MigrationError } from "../../MigrationError.ts"

/** The effect that executes the workflows. */
export interface Driving {
  readonly drive: Effect.Effect<void, MigrationError, WorkflowEngine.WorkflowEngine | Sharding.Sharding>
  /** Whether it has ended, in this process or another one. */
  readonly isOver: Effect.Effect<boolean, MigrationError>
}

/** Drives the run in one process of the cluster. If that process ends, another one takes over. */
export const once = ({ drive, isOver }: Driving) =>
  Effect.gen(function* () {
    const sharding = yield* Sharding.Sharding
    const ended = yield* Deferred.make<void, MigrationError>()
    const untilEnd = Effect.matchCauseEffect(drive, {
      // It is interrupted when its shard moves to another process, which starts it again.
      onFailure: (cause) => (Cause.hasInterrupts(cause) ? Effect.void : Deferred.failCause(ended, cause)),
      onSuccess: () => Deferred.succeed(ended, undefined)
    })
    yield* sharding.registerSingleton("drive", untilEnd)
    const others = Effect.sleep("1 second").pipe(Effect.andThen(isOver), Effect.repeat({ until: (is) => is }))
    yield* Effect.raceFirst(Deferred.await(ended), others)
  }).pipe(Effect.scoped)
