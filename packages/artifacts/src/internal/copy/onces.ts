/**
 * Runs an effect for each key once, however many fibers ask for it.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"

export const make = <A, E>() => {
  const running = new Map<string, Deferred.Deferred<A, E>>()
  return {
    /** Whether one was begun. */
    has: (key: string): boolean => running.has(key),
    /** Waits for one that was begun before. */
    wait: (key: string): Effect.Effect<void, E> =>
      Effect.suspend(() => {
        const known = running.get(key)
        return known === undefined ? Effect.void : Effect.asVoid(Deferred.await(known))
      }),
    run: (key: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        const known = running.get(key)
        if (known !== undefined) return Deferred.await(known)
        const own = Deferred.makeUnsafe<A, E>()
        running.set(key, own)
        return Effect.onExit(effect, (exit) => Deferred.done(own, exit))
      })
  }
}
