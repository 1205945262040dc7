/**
 * A database that is taken to be broken: where it hangs, it must not keep a run from ending.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { MigrationError } from "../../MigrationError.ts"

/**
 * Fails if the database is taken to be broken, because it failed again and again, or does not respond when the run is interrupted.
 */
export type Broken = Deferred.Deferred<never, MigrationError>

/** Waits until the database is taken to be broken, and fails. */
export const failing = (broken: Broken): Effect.Effect<never, SqlError> =>
  Effect.mapError(
    Deferred.await(broken),
    (cause) => new SqlError({ reason: new ConnectionError({ cause, message: cause.message }) })
  )

/** Waits for the database until it is taken to be broken, also in an effect that cannot be interrupted. */
export const unlessBroken = <A, E>(broken: Broken, effect: Effect.Effect<A, E>): Effect.Effect<A, E | SqlError> =>
  Effect.suspend(() => (Deferred.isDoneUnsafe(broken) ? failing(broken) : Effect.raceFirst(effect, failing(broken))))

/** How long the database may take to end the work of an interrupted run, whose activities have five seconds of it. */
const longestEnd = Duration.seconds(8)

/** Takes the database to be broken if it keeps an interrupted effect from ending. */
export const endingBy =
  (broken: Broken) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Effect.forkChild(effect), (fiber) =>
        Effect.onInterrupt(restore(Fiber.join(fiber)), () =>
          Effect.raceFirst(
            Fiber.interrupt(fiber),
            Effect.gen(function* () {
              yield* Effect.sleep(longestEnd)
              const description = "the database does not respond"
              yield* Deferred.fail(broken, new MigrationError({ problem: "StoreFailed", description }))
              return yield* Effect.never
            })
          )
        )
      )
    )
