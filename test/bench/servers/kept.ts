/**
 * The emulator without TLS, in a process of its own.
 *
 * Arguments: a JSON object. `directory` keeps the registry; `tags` is how many images with a tag each are there to begin with,
 * all in the repository `bench`, or `perRepository` in each; `samples` is a file to which the memory is written once a second, as
 * bytes of the heap and of the process, while the clock of the emulator moves on by an hour each time. Prints its address when it
 * is ready.
 */
import { appendFileSync } from "node:fs"
import { AcrEmulator } from "@effect-acr/emulator"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schedule from "effect/Schedule"
import * as Schema from "effect/Schema"

const Options = Schema.Struct({
  directory: Schema.optionalKey(Schema.String),
  tags: Schema.optionalKey(Schema.Natural),
  perRepository: Schema.optionalKey(Schema.Natural),
  samples: Schema.optionalKey(Schema.String)
})

const {
  directory,
  perRepository,
  samples,
  tags = 0
} = Schema.decodeUnknownSync(Schema.fromJsonString(Options))(process.argv[2])

/** Memory without garbage. */
const sample = (file: string) =>
  Effect.sync(() => {
    globalThis.gc?.()
    const { heapUsed, rss } = process.memoryUsage()
    appendFileSync(file, `${heapUsed} ${rss}\n`)
  })

Effect.gen(function* () {
  const { adjustTime, endpoint, seed } = yield* AcrEmulator.AcrEmulator
  for (let index = 0; index < tags; index++) {
    const repository = perRepository === undefined ? "bench" : `bench-${Math.floor(index / perRepository)}`
    yield* seed({ repository, tags: [`v${index}`], layers: ["same"], labels: { index: String(index) } })
  }
  yield* Console.log(endpoint)
  if (samples === undefined) return yield* Effect.never
  return yield* Effect.repeat(Effect.andThen(adjustTime("1 hour"), sample(samples)), Schedule.spaced("1 second"))
}).pipe(
  Effect.provide(
    AcrEmulator.layer({
      blobs: "direct",
      adminUser: { username: "admin", password: Redacted.make("bench") },
      ...(directory === undefined ? {} : { directory })
    })
  ),
  NodeRuntime.runMain
)
