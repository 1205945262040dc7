/**
 * Faults, and waiting for what they lead to.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as AcrEmulator from "../../src/AcrEmulator.ts"
import type { Consequence, Fault } from "../../src/Fault.ts"

export const inject = (consequence: Consequence, fault: Omit<Fault, "consequence"> = {}) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, (emulator) => emulator.inject({ ...fault, consequence }))

/** Waits until something is so. */
export const eventually = <A, E, R>(effect: Effect.Effect<A, E, R>, until: (value: A) => boolean) =>
  Effect.repeat(effect, { until, schedule: Schedule.spaced("5 millis") })
