/**
 * Waits for registries that throttle requests. Throttling is not a failure of an artifact.
 */
import { Throttled } from "@effect-acr/client/RegistryError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"

/** The throttling in an error of a place or a copy. */
const refusalIn = (error: unknown): Throttled | undefined =>
  Predicate.hasProperty(error, "reason") && error.reason instanceof Throttled ? error.reason : undefined

/** The longest wait before the next attempt. A registry, or a proxy before it, may ask for years by mistake. */
const longestWait = Duration.hours(1)

const waits = Schedule.min([Schedule.exponential("1 second"), Schedule.spaced("1 minute")]).pipe(
  Schedule.jittered,
  Schedule.setInputType<unknown>(),
  Schedule.modifyDelay(({ duration, input }) =>
    Effect.succeed(Duration.min(Duration.max(duration, refusalIn(input)?.retryAfter ?? Duration.zero), longestWait))
  )
)

/** Retries an effect for as long as a registry responds that there are too many requests. */
export const patiently = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(effect, { schedule: waits, while: (error) => refusalIn(error) !== undefined })

/** Sets up a retry only after the first failure: most effects succeed at once, and building schedules would cost more. */
export const onceFailed =
  <A, E, R>(retried: (effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) =>
  (effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.catch(effect, (error) => {
      let hasFailed = false
      const again = Effect.suspend(() => {
        if (hasFailed) return effect
        hasFailed = true
        return Effect.fail(error)
      })
      return retried(again)
    })
