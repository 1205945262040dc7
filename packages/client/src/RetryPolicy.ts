/**
 * Retry policies: when an operation is retried, and how long an attempt may take.
 *
 * docs/retries.md lists which failures are retried, and which operations.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"
import type { RegistryError } from "./RegistryError.ts"

/**
 * How often to retry, how long to wait between attempts, and how long an attempt may take.
 *
 * **Details**
 *
 * The client retries after throttling (429), faults (408, 500, 502, 503, 504), connections that fail or break, and
 * timeouts, as `schedule` says. It retries the operation as a whole: a token request inside it has its own attempts,
 * and they are not multiplied. Failures that last fail at once: an unknown host, an untrusted certificate, and a
 * refused connection if the registry has not answered before. If the registry states a time to wait (`Retry-After`,
 * seconds or a date), the client waits at least that long; if it is longer than `maxRetryAfter`, the operation fails at
 * once and its error has the time.
 *
 * A request whose first attempt may have been carried out is retried only if that is harmless.
 *
 * **Example** (A script that gives up early, and a job that retries all night)
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
  /**
   * When to retry, given the error of the last attempt. When the schedule ends, the operation fails with that error.
   */
  readonly schedule: Schedule.Schedule<unknown, RegistryError>
  /** The longest wait that the registry may ask for. If it asks for more, the operation fails at once. */
  readonly maxRetryAfter: Duration.Input
  /**
   * How long one attempt may take, from the request to the last byte of a response that is read as a whole. For the
   * bytes of blobs, `idleTimeout` of `RegistryContent.Options` applies instead.
   */
  readonly attemptTimeout: Duration.Input
}

/**
 * Five retries: the first after about 250 ms, then doubling up to 10 seconds, each varied by 20% so that many clients
 * do not retry at once. The client honours `Retry-After` up to 1 minute, the longest that ACR is known to ask for. An
 * attempt may take 1 minute.
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
 * No retries. The client still renews an expired token.
 *
 * @category constants
 * @since 0.1.0
 */
export const never: RetryPolicy = { ...defaultPolicy, schedule: Schedule.recurs(0) }
