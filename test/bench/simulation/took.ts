/**
 * What work takes.
 */
import * as Effect from "effect/Effect"

const processorSeconds = (): number => {
  const { system, user } = process.cpuUsage()
  return (system + user) / 1e6
}

/** Runs work, and returns the time and the processor that it took, in seconds. */
export const took = Effect.fnUntraced(function* <E, R>(work: Effect.Effect<void, E, R>) {
  const begun = { seconds: performance.now() / 1000, processorSeconds: processorSeconds() }
  yield* work
  return {
    seconds: performance.now() / 1000 - begun.seconds,
    processorSeconds: processorSeconds() - begun.processorSeconds
  }
})
