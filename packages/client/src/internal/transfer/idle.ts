/**
 * Notices when the other side does not move any more.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Reason, Unavailable } from "../../RegistryError.ts"

/** The reason for giving up a connection on which nothing moves. */
export const stall = (duration: Duration.Duration): Reason =>
  new Unavailable({ description: `nothing came or went for ${Duration.format(duration)}` })

/**
 * A watch over a connection. Its two functions are called for every piece that moves, so they are no effects.
 */
export interface Watch {
  /** It is the other side's turn, from now on. */
  readonly wait: () => void
  /** It is this side's turn, which takes as long as it takes. */
  readonly rest: () => void
  /** Ends when the other side has kept this one waiting for too long. */
  readonly stalled: Effect.Effect<Reason>
}

export const watch = (duration: Duration.Duration): Effect.Effect<Watch> =>
  Effect.map(Clock.Clock, (clock) => {
    const idleMillis = Duration.toMillis(duration)
    let since: number | undefined = clock.currentTimeMillisUnsafe()
    const stalled: Effect.Effect<void> = Effect.suspend(() => {
      const left = since === undefined ? idleMillis : since + idleMillis - clock.currentTimeMillisUnsafe()
      return left > 0 ? Effect.andThen(Effect.sleep(left), stalled) : Effect.void
    })
    return {
      wait: () => {
        since = clock.currentTimeMillisUnsafe()
      },
      rest: () => {
        since = undefined
      },
      stalled: Effect.map(stalled, () => stall(duration))
    }
  })
