/**
 * Retries operations: one loop for each operation, whatever happens inside an attempt.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { Operation } from "../../Operation.ts"
import type { RegistryError } from "../../RegistryError.ts"
import type { RetryPolicy } from "../../RetryPolicy.ts"
import type { Failure } from "./exchange.ts"
import { noteRepeat } from "./telemetry.ts"

/** How long the registry asks to wait, in milliseconds. */
export const askedWait = ({ retryAfter }: RegistryError): number =>
  retryAfter === undefined ? 0 : Duration.toMillis(retryAfter)

/**
 * Whether a failed attempt may be retried.
 */
const mayRepeat = (
  failure: Pick<Failure, "error" | "repeat">,
  repeat: Operation<unknown>["repeat"],
  maxRetryAfterMillis: number
): boolean => {
  if (repeat === "never" || askedWait(failure.error) > maxRetryAfterMillis) return false
  switch (failure.repeat) {
    case "never":
      return false
    case "unprocessed":
      return true
    case "uncertain":
      return repeat === "always"
  }
}

/**
 * The waits of a policy, none shorter than the registry asks for.
 */
export const waits = (policy: RetryPolicy): Schedule.Schedule<unknown, RegistryError> =>
  Schedule.modifyDelay(policy.schedule, ({ duration, input }) =>
    Effect.succeed(Duration.max(duration, Duration.millis(askedWait(input))))
  )

/** The options of retries. */
export interface Treatment {
  readonly endpoint: string
  readonly policy: RetryPolicy
}

/**
 * Runs attempts until one succeeds or the policy ends.
 */
export const retrying = <A, R>(
  treatment: Treatment,
  operation: Operation<A>,
  attempt: Effect.Effect<A, Failure, R>
): Effect.Effect<A, Failure, R> =>
  // Nearly always the first attempt is the only one, so nothing is prepared for retries.
  Effect.catch(attempt, (first) => repeating(treatment, operation, attempt, first))

/** Continues after a first failure. */
const repeating = <A, R>(
  { endpoint, policy }: Treatment,
  operation: Operation<A>,
  attempt: Effect.Effect<A, Failure, R>,
  first: Failure
): Effect.Effect<A, Failure, R> =>
  Effect.suspend(() => {
    const maxRetryAfterMillis = Duration.toMillis(Duration.fromInputUnsafe(policy.maxRetryAfter))
    let again = false
    let last = first
    let mayBeDone = false
    let number = 0

    const whenGone = operation.whenGone
    // The schedule also receives the first failure, which has already happened. A retry is recorded when its wait is
    // over, because the schedule may allow none, and a wait may be interrupted.
    const next = Effect.suspend(() =>
      ++number === 1 ? Effect.fail(first) : Effect.andThen(noteRepeat(endpoint, "retry", last.error), attempt)
    )
    const goneIsDone =
      whenGone === undefined
        ? next
        : Effect.catchIf(
            next,
            ({ error }) => mayBeDone && error.reason._tag === "NotFound",
            () => whenGone
          )

    return goneIsDone.pipe(
      Effect.tapError((failure) =>
        Effect.sync(() => {
          last = failure
          again = mayRepeat(failure, operation.repeat, maxRetryAfterMillis)
          mayBeDone ||= failure.repeat === "uncertain"
        })
      ),
      Effect.mapError(({ error }) => error),
      Effect.retry({
        schedule: waits(policy),
        while: () => again
      }),
      // Schedules of users receive only errors; the transport also needs the rest of the last failure, such as its
      // challenges.
      Effect.mapError(() => last)
    )
  })
