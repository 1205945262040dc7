/**
 * A program that pulls, pushes and copies images with this library, as a script of a user would: the whole process is
 * measured beside the command-line tools.
 */
import { setFlagsFromString } from "node:v8"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as NodeRegistries from "@effect-acr/node/NodeRegistries"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"

// The line for short programs of docs/startup.md.
setFlagsFromString("--wasm-tiering-budget=2000000000")

const [verb = "", from = "", to = ""] = process.argv.slice(2)

/** The registries of this machine have no TLS. */
const withoutTls = Object.fromEntries(
  [from, to].flatMap((name) => {
    const [host] = /^127\.0\.0\.1:\d+/.exec(name) ?? []
    return host === undefined ? [] : [[host, { endpoint: `http://${host}` }]]
  })
)

// The other programs do not look for referrers. Six at a time are as many as skopeo copies.
const options: Copy.Options = { concurrency: 6, referrers: false }

const program = Effect.gen(function* () {
  switch (verb) {
    case "pull":
      return yield* Copy.run(yield* Repository.open(from), yield* ImageLayout.open(to), "v1", options)
    case "push":
      return yield* Copy.run(yield* ImageLayout.open(from), yield* Repository.open(to), "v1", options)
    case "copy":
      return yield* Copy.run(yield* Repository.open(from), yield* Repository.open(to), "v1", options)
    default:
      return yield* Repository.open(from)
  }
}).pipe(Effect.scoped, Effect.provide(NodeRegistries.layerOptions({ registries: withoutTls })))

NodeRuntime.runMain(program)
