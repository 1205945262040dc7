/**
 * When an operation is tried again.
 *
 * What counts as a fault, and which operations may be repeated: docs/retries.md.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"
import type { RegistryError } from "./RegistryError.ts"

/**
 * How long to wait for a registry, how often, and how long between.
 *
 * **Details**
 *
 * Throttling (429), faults (408, 500, 502, 503, 504), connections that fail or break off and answers that do not come
 * are tried again as `schedule` says, by the operation as a whole: a token request inside it has attempts of its own
 * and is not multiplied. What a retry does not mend fails at once: an unknown host, an untrusted certificate, and a
 * refused connection if the registry has not answered before. Where the registry names a time to wait (`Retry-After`,
 * seconds or a date) it is the least wait; beyond `maxRetryAfter` the operation fails at once and tells how long the registry wants.
 *
 * A request whose first attempt may have been carried out is repeated only where that does no harm.
 *
 * **Example** (A script that gives up early, and a job that has all night)
 *
 * ```ts
 * import { ContainerRegistry, RetryPolicy } from "@effect-acr/client"
 * import { Schedule } from "effect"
 *
 * const Script = ContainerRegistry.layerConfig({ retry: RetryPolicy.never })
 *
 * const Job = ContainerRegistry.layerConfig({
 *   retry: {
 *     ...RetryPolicy.defaultPolicy,
 *     schedule: Schedule.spaced("30 seconds").pipe(Schedule.jittered, Schedule.upTo({ times: 100 })),
 *     maxRetryAfter: "10 minutes"
 *   }
 * })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface RetryPolicy {
  /** When to try again, given the error of the last attempt; where it ends, the operation fails with that. */
  readonly schedule: Schedule.Schedule<unknown, RegistryError>
  /** The longest wait that the registry may ask for. If it asks for more, the operation fails at once. */
  readonly maxRetryAfter: Duration.Input
  /**
   * How long one attempt may take, from the request to the last byte of an answer that is read whole. For the bytes of
   * blobs it is `idleTimeout` of `RegistryContent.Options` that counts.
   */
  readonly attemptTimeout: Duration.Input
}

/**
 * Five more attempts: after about 250 ms, doubling up to 10 seconds, each varied by a fifth so that many clients do not
 * return together. `Retry-After` is followed up to a minute, the longest that ACR is known to ask for; an attempt may
 * take a minute.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultPolicy: RetryPolicy = {
  schedule: Schedule.min([Schedule.exponential("250 millis"), Schedule.spaced("10 seconds")]).pipe(
    Schedule.jittered,
    Schedule.upTo({ times: 5 })
  ),
  maxRetryAfter: "1 minute",
  attemptTimeout: "1 minute"
}

/**
 * One attempt, no more. A token that runs out is still renewed.
 *
 * @category constants
 * @since 0.1.0
 */
export const never: RetryPolicy = { ...defaultPolicy, schedule: Schedule.recurs(0) }
