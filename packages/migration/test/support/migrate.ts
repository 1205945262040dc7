/**
 * A migration as a program of its own, which tests kill. Prints a line for each event, `done` at the end, and the problem if it
 * fails. Its argument says what to run.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Postgres from "../../../../test/support/postgres.ts"
import * as Migration from "../../src/Migration.ts"
import { Rules } from "../../src/MigrationRules.ts"
import * as SqliteClient from "../../src/SqliteClient.ts"
import { registriesOf } from "./registries.ts"

const Order = Schema.fromJsonString(
  Schema.Struct({
    database: Schema.Union([Schema.Struct({ filename: Schema.String }), Schema.Struct({ url: Schema.String })]),
    rules: Schema.toCodecJson(Rules),
    emulators: Schema.Array(Schema.Struct({ endpoint: Schema.String, loginServer: Schema.String })),
    lockSeconds: Schema.Finite,
    runner: Schema.optionalKey(Schema.Struct({ host: Schema.String, port: Schema.Int })),
    /** How far the clock jumps when the first artifact is done. */
    jumpMinutes: Schema.optionalKey(Schema.Finite)
  })
)

export type Order = typeof Order.Type

export const formatOrder = Schema.encodeEffect(Order)

const lineOf = (event: Migration.Event): string => {
  if (event._tag === "ArtifactDone") return `artifact ${event.source} ${event.digest} ${event.state}`
  if (event._tag === "BatchDone") return `batch ${event.batch}`
  if (event._tag === "AttemptFailed") return `failed ${event.source} ${event.detail}`
  if (event._tag === "Planned") return `planned ${event.pass} ${event.artifacts}`
  return event._tag === "PassBegan" ? `began ${event.pass}` : "listed"
}

/** What programs and libraries take for the time is another one from now on. */
const jump = (minutes: number): void => {
  const now = Date.now.bind(Date)
  Date.now = () => now() + Duration.toMillis(Duration.minutes(minutes))
}

const print = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

const program = Effect.gen(function* () {
  const order = yield* Schema.decodeEffect(Order)(process.argv[2] ?? "")
  const { database, emulators, jumpMinutes, lockSeconds, rules, runner } = order
  let isJumped = jumpMinutes === undefined
  const client = "url" in database ? Postgres.client(database.url) : SqliteClient.layer(database)
  const options = { lockExpiration: Duration.seconds(lockSeconds), ...(runner === undefined ? {} : { runner }) }
  yield* Migration.run("test", rules, options).pipe(
    Stream.runForEach((event) => {
      if (!isJumped && event._tag === "ArtifactDone") {
        isJumped = true
        jump(jumpMinutes ?? 0)
      }
      return print(lineOf(event))
    }),
    Effect.provide(Layer.mergeAll(registriesOf(...emulators), NodeServices.layer, client))
  )
  yield* print("done")
})

if (process.argv[1]?.endsWith("migrate.ts") === true) {
  NodeRuntime.runMain(
    Effect.catch(program, (error) => print("problem" in error ? `${error.problem}: ${error.message}` : error.message))
  )
}
