/**
 * Holds requests back where the user limits their number.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type { Bucket, RateLimits } from "../../RateLimits.ts"
import { InvalidRequest } from "../../RegistryError.ts"
import { refusedValue } from "../schema/refused.ts"
import { timeWait } from "./telemetry.ts"

const isLimit = Schema.is(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)))

/** A wait for the operation's turn in its bucket. Fails with what is wrong with the limits. */
export const makeLimiter = (
  limits: RateLimits
): Effect.Effect<(bucket: Bucket) => Effect.Effect<void>, InvalidRequest> =>
  Effect.gen(function* () {
    for (const [bucket, limit] of Object.entries(limits)) {
      if (!isLimit(limit)) {
        return yield* new InvalidRequest({
          description: "expected a whole number of requests a minute, at least 1",
          argument: `rateLimits.${bucket}`,
          value: refusedValue(limit)
        })
      }
    }
    const limiter = yield* RateLimiter.make
    return (bucket: Bucket) => {
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
    }
  }).pipe(Effect.provide(RateLimiter.layerStoreMemory, { local: true }))
