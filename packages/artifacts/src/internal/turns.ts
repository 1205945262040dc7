/**
 * Effects with the same key run one after another; those with different keys run concurrently. Of two puts of the same blob, the
 * second waits, and then finds the blob.
 */
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

interface Turn {
  readonly semaphore: Semaphore.Semaphore
  /** How many effects hold it or wait for it. */
  users: number
}

export const make = () => {
  const turns = new Map<string, Turn>()

  const enter = (key: string): Turn => {
    const turn = turns.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
    turn.users++
    turns.set(key, turn)
    return turn
  }

  const leave = (key: string, turn: Turn): void => {
    turn.users--
    if (turn.users === 0) turns.delete(key)
  }

  return <A, E, R>(key: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => enter(key)),
      ({ semaphore }) => semaphore.withPermit(effect),
      (turn) => Effect.sync(() => leave(key, turn))
    )
}
