/**
 * The clock of an emulator: that of Effect, which can be set and moved.
 */
import type * as Clock from "effect/Clock"

/** The first and the last time of the years 1 to 9999, in milliseconds since 1970. Timestamps of others do not sort as text. */
const first = -62_135_596_800_000
const last = 253_402_300_799_999

export const isWithin = (millis: number): boolean => millis >= first && millis <= last

/** The nearest time that a timestamp can say. */
export const within = (millis: number): number => Math.min(last, Math.max(first, millis))

export const make = (clock: Clock.Clock) => {
  let offsetMillis = 0

  const now = (): number => within(clock.currentTimeMillisUnsafe() + offsetMillis)

  const set = (millis: number): void => {
    // An offset that is not finite would never be one again.
    offsetMillis = within(millis) - clock.currentTimeMillisUnsafe()
  }

  return {
    now,
    set,
    adjust: (millis: number): void => set(now() + millis),
    /** Makes it the clock of Effect again. */
    reset: (): void => {
      offsetMillis = 0
    },
    /** A clock that cannot be set, for durations. */
    elapsedMillis: (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000
  }
}
