/**
 * The emulator within the runtime, with a client beside it, as in a test: the registry misbehaves, and the transfer
 * succeeds. Prints how each request ended.
 */
import { RetryPolicy } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { transfer } from "./transfer.ts"

const TestRegistry = AcrEmulator.layerRegistry({
  retry: { ...RetryPolicy.defaultPolicy, schedule: Schedule.recurs(3) }
}).pipe(Layer.provideMerge(AcrEmulator.layer()))

Effect.gen(function* () {
  const emulator = yield* AcrEmulator.AcrEmulator
  yield* emulator.inject({ method: "PATCH", consequence: { _tag: "ResetRequest", afterBytes: 1_000_000 } })
  yield* emulator.inject({ method: "PUT", consequence: { _tag: "LostAnswer" } })
  yield* emulator.inject({ path: "/blobs/", consequence: { _tag: "CutBody", afterBytes: 2_000_000 } })
  yield* transfer
  const entries = yield* emulator.journal
  yield* Console.log(JSON.stringify(entries.map(({ method, status }) => `${method} ${status}`)))
}).pipe(Effect.provide(TestRegistry), NodeRuntime.runMain)
