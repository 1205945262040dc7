/**
 * Detects that the other side stalls, or sends too slowly.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Reason, Unavailable } from "../../RegistryError.ts"

/** A transfer that is slower than this counts as stalled. */
export const leastBytesPerSecond = 16 * 1024

/** The reason for closing a connection without progress. */
export const stall = (duration: Duration.Duration): Reason =>
  new Unavailable({ description: `no progress for ${Duration.format(duration)}`, code: "TIMEOUT" })

/** The reason for closing a connection that is too slow. */
const tooSlow = (duration: Duration.Duration, bytesPerSecond: number): Reason =>
  new Unavailable({
    description: `slower than ${bytesPerSecond / 1024} KiB a second for ${Duration.format(duration)}`,
    code: "TIMEOUT"
  })

/**
 * Watches a connection. Its two functions are called for every chunk, so they are plain functions and not effects.
 */
export interface Watch {
  /** The turn of the other side begins. */
  readonly wait: () => void
  /** The turn of this side begins, which may take any time. `bytes` arrived in the turn before. */
  readonly rest: (bytes?: number) => void
  /** Succeeds when the other side stalls. */
  readonly stalled: Effect.Effect<Reason>
}

/**
 * Watches a connection. The other side stalls if there is no progress for the duration, or if its turns add up to the
 * duration and fewer bytes arrived than the minimum rate demands: a byte now and then does not keep a connection alive.
 * It also stalls if the watch has run for the `total` duration.
 */
export const watch = (
  duration: Duration.Duration,
  { bytesPerSecond = 0, total }: { readonly bytesPerSecond?: number; readonly total?: Duration.Duration } = {}
): Effect.Effect<Watch> =>
  Effect.map(Clock.Clock, (clock) => {
    const idleMillis = Duration.toMillis(duration)
    let since: number | undefined = clock.currentTimeMillisUnsafe()
    /** The turns of the other side since the last check of the rate, without the current one, in milliseconds. */
    let waited = 0
    let moved = 0
    const stalledBefore = (endMillis: number): Effect.Effect<Reason> =>
      Effect.suspend(() => {
        const now = clock.currentTimeMillisUnsafe()
        if (total !== undefined && now >= endMillis) return Effect.succeed(stall(total))
        const waiting = since === undefined ? 0 : now - since
        if (waiting >= idleMillis) return Effect.succeed(stall(duration))
        const spent = waited + waiting
        if (spent >= idleMillis) {
          if (moved * 1000 < bytesPerSecond * spent) return Effect.succeed(tooSlow(duration, bytesPerSecond))
          moved = 0
          waited = -waiting
        }
        const left = since === undefined ? idleMillis : idleMillis - Math.max(waiting, waited + waiting)
        return Effect.andThen(Effect.sleep(Math.min(left, endMillis - now)), stalledBefore(endMillis))
      })
    const stalled = Effect.suspend(() =>
      stalledBefore(
        total === undefined ? Number.POSITIVE_INFINITY : clock.currentTimeMillisUnsafe() + Duration.toMillis(total)
      )
    )
    return {
      wait: () => {
        since = clock.currentTimeMillisUnsafe()
      },
      rest: (bytes = 0) => {
        moved += bytes
        if (since !== undefined) waited += clock.currentTimeMillisUnsafe() - since
        since = undefined
      },
      stalled
    }
  })

/**
 * Measures a transfer as a whole, over all of its connections and the waits between them, but without the time of its
 * consumer.
 */
export interface Pace {
  /** The turn of the other side begins, unless it has begun already. */
  readonly wait: () => void
  /**
   * The turn ends with a number of bytes. Returns whether the bytes since it last returned `true` arrived at the
   * minimum rate.
   */
  readonly rest: (bytes: number) => boolean
}

export const pace = (bytesPerSecond: number): Effect.Effect<Pace> =>
  Effect.map(Clock.Clock, (clock) => {
    let since: number | undefined
    let waited = 0
    let moved = 0
    return {
      wait: () => {
        since ??= clock.currentTimeMillisUnsafe()
      },
      rest: (bytes) => {
        if (since !== undefined) waited += clock.currentTimeMillisUnsafe() - since
        since = undefined
        moved += bytes
        const isEnough = moved > 0 && moved * 1000 >= bytesPerSecond * waited
        if (isEnough) {
          waited = 0
          moved = 0
        }
        return isEnough
      }
    }
  })
