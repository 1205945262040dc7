import { assert } from "@effect/vitest"

/** The result of a function, and its processor time in milliseconds, because other programs use the machine too. */
export const measured = <A>(run: () => A): { readonly result: A; readonly cost: number } => {
  const start = process.threadCpuUsage()
  const result = run()
  const { system, user } = process.threadCpuUsage(start)
  return { result, cost: (system + user) / 1000 }
}

/**
 * Runs a parser on an input of 100 kB. It needs some milliseconds if its time is linear, and minutes if it is
 * quadratic, so that five seconds of processor time distinguish the two on any machine.
 */
export const atOnce = <A>(parse: () => A): A => {
  const { cost, result } = measured(parse)
  assert.isBelow(cost, 5000, "milliseconds")
  return result
}
