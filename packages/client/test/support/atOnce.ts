import { assert } from "@effect/vitest"

/**
 * Runs a parser on an input of 100 kB. It needs about a millisecond if its time is linear, and many seconds if it is
 * quadratic, so that a second tells the two apart on any machine.
 */
export const atOnce = <A>(parse: () => A): A => {
  const start = performance.now()
  const result = parse()
  assert.isBelow(performance.now() - start, 1000, "milliseconds")
  return result
}
