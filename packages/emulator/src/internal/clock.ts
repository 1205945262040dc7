/**
 * The clock of an emulator: that of Effect, which can be set and moved.
 */
import type * as Clock from "effect/Clock"

/**
 * The first and the last time of the years 1 to 9999, in milliseconds since 1970. Timestamps of other years do not sort
 * as text.
 */
const first = -62_135_596_800_000
const last = 253_402_300_799_999

export const isWithin = (millis: number): boolean => millis >= first && millis <= last

/** The nearest time that a timestamp can represent. */
export const within = (millis: number): number => Math.min(last, Math.max(first, millis))

export const make = (clock: Clock.Clock) => {
  let offsetMillis = 0

  const now = (): number => within(clock.currentTimeMillisUnsafe() + offsetMillis)

  const set = (millis: number): void => {
    // A non-finite offset could never become finite again.
    offsetMillis = within(millis) - clock.currentTimeMillisUnsafe()
  }

  return {
    now,
    set,
    adjust: (millis: number): void => set(now() + millis),
    /** Returns to the time of Effect's clock. */
    reset: (): void => {
      offsetMillis = 0
    },
    /** A clock that cannot be set, for durations. */
    elapsedMillis: (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000
  }
}
