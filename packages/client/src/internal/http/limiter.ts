/**
 * Holds requests back where the user limits how many go out a minute.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type { Operation } from "../../Operation.ts"
import type { RateLimits } from "../../RateLimits.ts"
import { InvalidRequest, RegistryError, Unavailable } from "../../RegistryError.ts"
import { refusedValue } from "../schema/refused.ts"
import type { Failure } from "./exchange.ts"
import { serverAt, waitRecorder } from "./telemetry.ts"

/** Whether a number is fit to limit something. */
export const isLimit = Schema.is(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)))

/** Sends a request of an operation when it is its turn. */
export interface Limiter {
  <A, R>(
    operation: Pick<Operation<unknown>, "name" | "bucket">,
    request: Effect.Effect<A, Failure, R>
  ): Effect.Effect<A, Failure, R>
}

const own = RateLimiter.make.pipe(Effect.provide(RateLimiter.layerStoreMemory, { local: true }))

/** A limiter that is shared may keep its counts elsewhere, and fail to reach them. Nothing was sent then. */
const unreachable =
  (operation: string) =>
  (error: RateLimiter.RateLimiterError): Failure => ({
    error: new RegistryError({
      operation,
      reason: new Unavailable({ description: `the rate limiter failed: ${error.message}` })
    }),
    repeat: "unprocessed",
    challenges: []
  })

/**
 * Makes the limiter of a registry, on the `RateLimiter` of the context if there is one. Fails if the limits are unfit.
 */
export const makeLimiter = (registry: URL, limits: RateLimits): Effect.Effect<Limiter, InvalidRequest> =>
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
    const shared = yield* Effect.serviceOption(RateLimiter.RateLimiter)
    const limiter = Option.isSome(shared) ? shared.value : yield* own
    const server = serverAt(registry)
    const turns = (bucket: string, limit: number) => {
      const turn = Effect.suspend(() =>
        limiter.consume({
          algorithm: "token-bucket",
          onExceeded: "delay",
          // A limiter that is shared may limit other registries as well, and what has nothing to do with any.
          key: `@effect-acr/client/${registry.host}/${bucket}`,
          limit,
          window: "1 minute"
        })
      )
      const record = waitRecorder(server, bucket)
      return (operation: string): Effect.Effect<void, Failure> =>
        Effect.flatMap(Effect.mapError(turn, unreachable(operation)), ({ delay }) =>
          Duration.isZero(delay) ? Effect.void : Effect.andThen(Effect.sleep(delay), record(delay))
        )
    }
    const buckets = new Map(Object.entries(limits).map(([bucket, limit]) => [bucket, turns(bucket, limit)]))
    return ({ bucket, name }, request) => {
      const turn = buckets.get(bucket)
      return turn === undefined ? request : Effect.andThen(turn(name), request)
    }
  })
