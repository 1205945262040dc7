/**
 * A migration as a program of its own, which tests kill. Prints `began` with the first event, `done` at the end, and the problem
 * if it fails. Its argument says what to run.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Migration from "../../src/Migration.ts"
import { Rules } from "../../src/MigrationRules.ts"
import * as SqliteClient from "../../src/SqliteClient.ts"
import { registriesOf } from "./registries.ts"

const Order = Schema.fromJsonString(
  Schema.Struct({
    filename: Schema.String,
    rules: Schema.toCodecJson(Rules),
    emulators: Schema.Array(Schema.Struct({ endpoint: Schema.String, loginServer: Schema.String }))
  })
)

export const formatOrder = Schema.encodeEffect(Order)

const print = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

const program = Effect.gen(function* () {
  const { emulators, filename, rules } = yield* Schema.decodeEffect(Order)(process.argv[2] ?? "")
  let isBegun = false
  yield* Migration.run("test", rules, { lockExpiration: "5 seconds" }).pipe(
    Stream.runForEach(() => {
      if (isBegun) return Effect.void
      isBegun = true
      return print("began")
    }),
    Effect.provide(Layer.mergeAll(registriesOf(...emulators), NodeServices.layer, SqliteClient.layer({ filename })))
  )
  yield* print("done")
})

if (process.argv[1]?.endsWith("migrate.ts") === true) {
  Effect.runPromise(
    Effect.catch(program, (error) => print("problem" in error ? `${error.problem}: ${error.message}` : error.message))
  )
}
