/**
 * The clock of an emulator: that of Effect, which can be set and moved.
 */
import type * as Clock from "effect/Clock"

export const make = (clock: Clock.Clock) => {
  let offsetMillis = 0
  return {
    now: (): number => clock.currentTimeMillisUnsafe() + offsetMillis,
    set: (millis: number): void => {
      offsetMillis = millis - clock.currentTimeMillisUnsafe()
    },
    adjust: (millis: number): void => {
      offsetMillis += millis
    },
    /** Makes it the clock of Effect again. */
    reset: (): void => {
      offsetMillis = 0
    },
    /** A clock that nobody sets, for durations. */
    elapsedMillis: (): number => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000
  }
}
