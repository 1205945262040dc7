/**
 * Delays requests because of the user's limit of concurrent requests.
 *
 * A request holds its permit until the scope of its attempt closes: until its answer is read, to the last byte of a
 * blob. Two rules prevent deadlocks:
 *
 * - The bodies of blobs have separate permits, because they also wait for this program: a download for its consumer, an
 *   upload for its source. A request with one of the other permits waits only for a server.
 * - Effects that run under a permit need no other one: the source of an upload that downloads from the same registry,
 *   or a function of the user that is called with an answer.
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

/** The purpose of a permit: an answer that is read at once, or the transfer of a blob. */
export type Load = "answer" | "blob"

/**
 * Runs a request to an origin when there is a permit for it, and calls `onWait` if there is none yet. `isOver` says
 * whether the request has ended with its answer.
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

/** Whether the current effect is part of a request with a permit, of any registry. */
const IsUnderPermit = Context.Reference<boolean>("@effect-acr/client/internal/http/IsUnderPermit", {
  defaultValue: () => false
})

/** The body of a request, which is pulled under the request's permit even if the HTTP client changes its context. */
export const bodyUnderPermit = <A, E, R>(body: Stream.Stream<A, E, R>): Stream.Stream<A, E, R> =>
  Stream.provideService(body, IsUnderPermit, true)

/** Runs an effect while a request holds its permit. */
export const underPermit = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, IsUnderPermit, true)

/**
 * More hosts than a registry has. Further hosts share their permits, so that a registry cannot create an unlimited
 * number.
 */
const mostHosts = 32

/** Permits, and the number of requests that have one or wait for one. */
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

/** Makes the permits of one transport, a number for each host. Fails if the number is invalid. */
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
