/**
 * Reads the state of a run as a program of its own, which tests start as a user without the right to write. Prints the status
 * and a line for each artifact.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Migration from "../../src/Migration.ts"
import * as SqliteClient from "../../src/SqliteClient.ts"

const program = Effect.gen(function* () {
  const { phase } = yield* Migration.status("test")
  yield* Console.log(phase)
  yield* Stream.runForEach(Migration.report("test"), ({ source, state }) => Console.log(`${source} ${state}`))
})

NodeRuntime.runMain(Effect.provide(program, SqliteClient.layer({ filename: process.argv[2] ?? "" })))
