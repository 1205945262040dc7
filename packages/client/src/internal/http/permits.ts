/**
 * Holds requests back where the user limits how many are under way at the same time.
 *
 * A request holds its permit until the scope of its attempt closes: until its answer was read, to the last byte if that is
 * a blob. Two rules keep requests from waiting for each other in a circle:
 *
 * - The bodies of blobs have permits of their own, because they also wait for this program: a download for its consumer,
 *   an upload for its source. A request that holds one of the other permits waits for a server alone.
 * - What runs under a permit needs no other one: the source of an upload that downloads from the same registry, or a
 *   function of the user that is called with an answer.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { InvalidRequest } from "../../RegistryError.ts"
import { refusedValue } from "../schema/refused.ts"
import { isLimit } from "./limiter.ts"
import { type Server, waitRecorder } from "./telemetry.ts"

/** What a request holds its permit for: an answer that is read at once, or a blob on its way. */
export type Load = "answer" | "blob"

/**
 * Runs a request to an origin when there is a permit for it, and calls `onWait` if there is none yet. A request that is over
 * when it was answered is told by `isOver`.
 */
export interface Permits {
  <A, E, R>(
    origin: string,
    load: Load,
    request: Effect.Effect<A, E, R>,
    isOver: () => boolean,
    onWait: () => void
  ): Effect.Effect<A, E, R | Scope.Scope>
}

/** Whether what runs is part of a request that holds a permit, of whichever registry. */
const IsUnderPermit = Context.Reference<boolean>("@effect-acr/client/internal/http/IsUnderPermit", {
  defaultValue: () => false
})

/** The body of a request, which is pulled under its permit, whatever an HTTP client does with its context. */
export const bodyUnderPermit = <A, E, R>(body: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.provideService(body, IsUnderPermit, true)

/** What runs while a request holds its permit. */
export const underPermit = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, IsUnderPermit, true)

/** More hosts than a registry has. Those beyond share their permits, so that a registry can't name ever more of them. */
const mostHosts = 32

/** Permits, and how many requests have one or wait for one. */
interface Pool {
  readonly semaphore: Semaphore.Semaphore
  requests: number
}

const makePool = (permits: number): Pool => ({ semaphore: Semaphore.makeUnsafe(permits), requests: 0 })

/** Counts a request as long as its scope is open. */
const counted = (pool: Pool): Effect.Effect<void, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      pool.requests++
    }),
    () => Effect.sync(() => pool.requests--)
  )

type Pools = { readonly [L in Load]: Pool }

const makePools = (permits: number): Pools => ({ answer: makePool(permits), blob: makePool(permits) })

/** Makes the permits of one conversation, so many for each host. Fails if that is no number of permits. */
export const makePermits = (server: Server, permits: number): Effect.Effect<Permits, InvalidRequest> => {
  if (!isLimit(permits)) {
    return Effect.fail(
      new InvalidRequest({
        description: "expected a whole number of requests, at least 1",
        argument: "maxConcurrentRequests",
        value: refusedValue(permits)
      })
    )
  }
  return Effect.sync(() => {
    const pools = new Map<string, Pools>()
    const others = makePools(permits)
    const poolsOf = (origin: string): Pools => {
      const known = pools.get(origin)
      if (known !== undefined) return known
      if (pools.size >= mostHosts) return others
      const made = makePools(permits)
      pools.set(origin, made)
      return made
    }
    const record = waitRecorder(server, "concurrency")

    /** Takes a permit for the lifetime of a scope. */
    const take = (pool: Pool, scope: Scope.Scope, onWait: () => void): Effect.Effect<void> =>
      Effect.gen(function* () {
        const before = yield* Clock.currentTimeMillis
        if (pool.requests >= permits) onWait()
        yield* Scope.provide(Effect.andThen(counted(pool), pool.semaphore.takeScoped(1)), scope)
        const waited = (yield* Clock.currentTimeMillis) - before
        if (waited > 0) yield* record(Duration.millis(waited))
      })

    return (origin, load, request, isOver, onWait) =>
      Effect.gen(function* () {
        if (yield* IsUnderPermit) return yield* request
        const own = yield* Scope.fork(yield* Effect.scope)
        yield* take(poolsOf(origin)[load], own, onWait)
        const answer = yield* underPermit(request)
        if (isOver()) yield* Scope.close(own, Exit.void)
        return answer
      })
  })
}
