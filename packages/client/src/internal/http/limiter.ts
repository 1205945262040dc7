/**
 * Delays requests: because of the user's rate limits, and after the registry has refused some.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import * as RateLimiter from "effect/persistence/RateLimiter"
import type { Operation } from "../../Operation.ts"
import type { RateLimits } from "../../RateLimits.ts"
import { InvalidRequest, RegistryError, Unavailable } from "../../RegistryError.ts"
import { refusedValue } from "../schema/refused.ts"
import type { Failure } from "./exchange.ts"
import * as Pace from "./pace.ts"
import { type Server, serverAt, waitRecorder } from "./telemetry.ts"

/** Whether a number is valid as a limit. */
export const isLimit = Schema.is(Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)))

/** Sends a request of an operation when its turn comes. */
export interface Limiter {
  <A, R>(
    operation: Pick<Operation<unknown>, "name" | "bucket">,
    request: Effect.Effect<A, Failure, R>
  ): Effect.Effect<A, Failure, R>
}

const own = RateLimiter.make.pipe(Effect.provide(RateLimiter.layerStoreMemory, { local: true }))

/** A shared limiter may store its counts elsewhere and fail to reach them. Nothing has been sent then. */
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

type Bucket = keyof RateLimits

/** ACR counts lists of referrers twice: by themselves, and as reads. */
const bucketsOf = (bucket: Bucket): ReadonlyArray<Bucket> => (bucket === "referrers" ? ["referrers", "read"] : [bucket])

/** Limits requests of one kind to the pace that the registry's refusals have set. */
interface Gate {
  readonly pass: Effect.Effect<void>
  /** Sends a request, and records whether the registry refused it. */
  readonly watch: <A, R>(request: Effect.Effect<A, Failure, R>) => Effect.Effect<A, Failure, R>
}

const makeGate = (server: Server, bucket: Bucket, limit: number | undefined, longestWait: number): Gate => {
  let pace: Pace.Pace | undefined
  let epoch = 0
  let count: Pace.Count = { minute: 0, requests: 0, before: 0 }
  const record = waitRecorder(server, bucket)

  const pass: Effect.Effect<void> = Effect.suspend(() => {
    if (pace === undefined) return Effect.void
    return Effect.flatMap(Clock.currentTimeMillis, (now) => {
      if (pace === undefined) return Effect.void
      const [at, next] = Pace.turn(pace, now)
      pace = next
      if (at <= now) return Effect.void
      const turnOf = epoch
      const delay = Duration.millis(at - now)
      // After a refusal meanwhile, the request needs another turn.
      return Effect.andThen(Effect.sleep(delay), record(delay)).pipe(
        Effect.andThen(Effect.suspend(() => (epoch === turnOf ? Effect.void : pass)))
      )
    })
  })

  const note = (sentIn: number, { error: { reason, retryAfter } }: Failure): Effect.Effect<void> =>
    Effect.gen(function* () {
      if (reason._tag !== "Throttled") return
      const wait = retryAfter === undefined ? undefined : Duration.toMillis(retryAfter)
      // The operation fails at once, and so do the following ones.
      if (wait !== undefined && wait > longestWait) return
      const random = yield* Random.next
      const now = yield* Clock.currentTimeMillis
      const sentAt = pace === undefined ? epoch : sentIn
      pace = Pace.refused(pace, { now, epoch: sentAt, wait, random, recent: Pace.recent(count), limit })
      epoch = pace.epoch
    })

  return {
    pass,
    watch: (request) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        count = Pace.counted(count, now)
        const sentIn = epoch
        return request.pipe(
          Effect.tap(() =>
            Effect.sync(() => {
              if (pace !== undefined) pace = Pace.answered(pace)
            })
          ),
          Effect.tapError((failure) => note(sentIn, failure))
        )
      })
  }
}

/** The options of a limiter. */
export interface Holding {
  readonly limits: RateLimits
  /** Whether it slows down after refusals. */
  readonly adaptive: boolean
  /** The longest wait of the registry that operations accept. */
  readonly longestWait: Duration.Input
}

/**
 * Makes the limiter of a registry, on the `RateLimiter` of the context if there is one. Fails if the limits are
 * invalid.
 */
export const makeLimiter = (
  registry: URL,
  { adaptive, limits, longestWait }: Holding
): Effect.Effect<Limiter, InvalidRequest> =>
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
          // A shared limiter may also limit other registries, and things that are unrelated to registries.
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
    const gates = new Map<Bucket, Gate>()
    const gateOf = (bucket: Bucket): Gate => {
      const known = gates.get(bucket)
      if (known !== undefined) return known
      const made = makeGate(server, bucket, limits[bucket], Duration.toMillis(Duration.fromInputUnsafe(longestWait)))
      gates.set(bucket, made)
      return made
    }
    return ({ bucket, name }, request) => {
      const counters = bucketsOf(bucket)
      const limited = counters.flatMap((counter) => buckets.get(counter)?.(name) ?? [])
      const gated = adaptive ? counters.map((counter) => gateOf(counter).pass) : []
      const sent = adaptive ? gateOf(bucket).watch(request) : request
      return [...limited, ...gated].reduceRight((rest, turn) => Effect.andThen(turn, rest), sent)
    }
  })
