/**
 * Holds requests back where the user limits their number.
 */
import * as Effect from "effect/Effect"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type { Bucket, RateLimits } from "../../RateLimits.ts"
import { timeWait } from "./telemetry.ts"

/** A wait for the operation's turn in its bucket. */
export const makeLimiter = (limits: RateLimits): Effect.Effect<(bucket: Bucket) => Effect.Effect<void>> =>
  Effect.map(RateLimiter.make, (limiter) => (bucket: Bucket) => {
    const limit = limits[bucket]
    return limit === undefined
      ? Effect.void
      : timeWait(
          bucket,
          RateLimiter.sleep(limiter, { algorithm: "token-bucket", key: bucket, limit, window: "1 minute" }).pipe(
            // The store is this process's memory, which does not fail.
            Effect.orDie,
            Effect.asVoid
          )
        )
  }).pipe(Effect.provide(RateLimiter.layerStoreMemory, { local: true }))
