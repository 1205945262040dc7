/**
 * Waits between the attempts of a transfer, as often as the policy allows. After progress, the policy starts again: a
 * blob of many gigabytes does not fail at its sixth fault in as many hours.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schedule from "effect/Schedule"
import type { RegistryError } from "../../RegistryError.ts"
import type { RetryPolicy } from "../../RetryPolicy.ts"
import { askedWait, waits } from "../http/retry.ts"

export interface Patience {
  /** Waits for the next attempt, or fails with the error if there is none. */
  readonly wait: (error: RegistryError) => Effect.Effect<void, RegistryError>
  /** The transfer made progress: the policy starts again. */
  readonly renew: () => void
}

/** Runs the schedule of a policy once. */
const begin = (policy: RetryPolicy) => Schedule.toStepWithSleep(waits(policy))

export const make = (policy: RetryPolicy): Patience => {
  let step: Effect.Success<ReturnType<typeof begin>> | undefined
  return {
    wait: (error) =>
      Effect.gen(function* () {
        if (askedWait(error) > Duration.toMillis(Duration.fromInputUnsafe(policy.maxRetryAfter))) {
          return yield* error
        }
        step ??= yield* begin(policy)
        yield* Pull.catchDone(step(error), () => Effect.fail(error))
      }),
    renew: () => {
      step = undefined
    }
  }
}
