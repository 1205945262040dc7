/**
 * A guided tour: every example, one after the other, on an emulator that is filled with a believable registry.
 */
import { styleText } from "node:util"
import { Credentials } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeFileSystem, NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import { examples } from "./support/examples.ts"
import { EmulatorLive } from "./support/registry.ts"

/** Colours are left out where the output is not a terminal. */
const heading = (text: string) => styleText(["bold", "cyan"], text)
const aside = (text: string) => styleText("dim", text)

const registries = {
  identity: Layer.merge(AcrEmulator.layerRegistry(), NodeFileSystem.layer),
  nobody: Layer.merge(AcrEmulator.layerRegistry({ credentials: Credentials.layerAnonymous }), NodeFileSystem.layer)
}

/** The programs need different services; a registry has all that any of them needs. */
const run = (
  program: Effect.Effect<void, unknown, Layer.Success<typeof registries.identity>>,
  registry: typeof registries.identity
) => Effect.provide(program, registry)

const tour = Effect.gen(function* () {
  const emulator = yield* AcrEmulator.AcrEmulator
  yield* Console.log(`\nA registry with five repositories listens at ${emulator.endpoint}.\n`)

  yield* Effect.forEach(examples, ({ as, name, program, title }, index) =>
    Effect.gen(function* () {
      yield* emulator.clearJournal
      yield* Console.log(heading(`${index + 1}. ${title}`))
      yield* Console.log(aside(`   examples/${name}.ts\n`))
      yield* run(program, registries[as])
      const requests = yield* emulator.journal
      yield* Console.log(requests.length === 0 ? "" : aside(`\n   ${requests.length} requests, tokens included\n`))
    })
  )

  yield* Console.log(`Run one by itself:            ${heading("npx -y pnpm@12 example hello-world")}`)
  yield* Console.log(`On a registry of your own:    ${heading("REGISTRY_ENDPOINT=https://myregistry.azurecr.io")} …`)
  yield* Console.log(`Keep an emulator running:     ${heading("npx -y pnpm@12 emulator --port 5001")}\n`)
})

tour.pipe(Effect.provide(EmulatorLive), NodeRuntime.runMain)
