/**
 * This library as a whole program: an image from a registry into a layout, from there into a registry, and from one registry to
 * another. `nothing` does all but the transfer.
 *
 * Arguments: `pull <repository> <layout>`, `push <layout> <repository>`, `copy <repository> <repository>` or `nothing`, and the
 * registries without TLS. The tag is `v1`.
 */
import { parseArgs } from "node:util"
import * as Copy from "@effect-acr/artifacts/Copy"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as NodeRegistries from "@effect-acr/node/NodeRegistries"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"

const {
  positionals: [verb = "", from = "", to = ""],
  values: { insecure = [] }
} = parseArgs({ allowPositionals: true, options: { insecure: { type: "string", multiple: true } } })

const Live = NodeRegistries.layerOptions({
  registries: Object.fromEntries(insecure.map((name) => [name, { endpoint: `http://${name}` }]))
})

/** The others do not look for referrers, and take six blobs at a time or fewer. */
const options: Copy.Options = { concurrency: 6, referrers: false }

const program = Effect.gen(function* () {
  switch (verb) {
    case "pull":
      return yield* Copy.run(yield* Repository.open(from), yield* ImageLayout.open(to), "v1", options)
    case "push":
      return yield* Copy.run(yield* ImageLayout.open(from), yield* Repository.open(to), "v1", options)
    case "copy":
      return yield* Copy.run(yield* Repository.open(from), yield* Repository.open(to), "v1", options)
    case "nothing":
      return yield* Repository.open("127.0.0.1:1/nothing")
    default:
      return yield* Effect.fail(`there is no ${verb}`)
  }
})

NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(Live)))
