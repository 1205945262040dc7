/**
 * Notices when nothing moves any more.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Reason, Unavailable } from "../RegistryError.ts"

/** The reason for giving up a connection on which nothing moves. */
export const stall = (duration: Duration.Duration): Reason =>
  new Unavailable({ description: `nothing came or went for ${Duration.format(duration)}` })

export interface Watch {
  /** Something moved. */
  readonly touch: Effect.Effect<void>
  /** Ends when nothing has moved for the time. */
  readonly stalled: Effect.Effect<Reason>
}

export const watch = (duration: Duration.Duration): Effect.Effect<Watch> =>
  Effect.map(Clock.Clock, (clock) => {
    const idleMillis = Duration.toMillis(duration)
    let movedAt = clock.currentTimeMillisUnsafe()
    const wait: Effect.Effect<void> = Effect.suspend(() => {
      const left = movedAt + idleMillis - clock.currentTimeMillisUnsafe()
      return left > 0 ? Effect.andThen(Effect.sleep(left), wait) : Effect.void
    })
    return {
      touch: Effect.sync(() => {
        movedAt = clock.currentTimeMillisUnsafe()
      }),
      stalled: Effect.map(wait, () => stall(duration))
    }
  })
