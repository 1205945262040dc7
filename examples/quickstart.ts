/**
 * A guided tour: every example, one after the other, on an emulator that is filled with a believable registry.
 */
import { styleText } from "node:util"
import { Credentials } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { examples } from "./support/examples.ts"
import { EmulatorLive, PlatformLive, withArguments } from "./support/registry.ts"

/** Colours are left out where the output is not a terminal. */
const heading = (text: string) => styleText(["bold", "cyan"], text)
const aside = (text: string) => styleText("dim", text)

const quoted = (argument: string) => (argument.includes(" ") ? `"${argument}"` : argument)

const registries = {
  identity: AcrEmulator.layerRegistry(),
  anonymous: AcrEmulator.layerRegistry({ credentials: Credentials.layerAnonymous })
}

const tour = Effect.gen(function* () {
  const emulator = yield* AcrEmulator.AcrEmulator
  yield* Console.log(`\nA registry with five repositories listens at ${emulator.endpoint}.\n`)

  yield* Effect.forEach(examples, ({ as, name, program, title, tour = [] }, index) =>
    Effect.gen(function* () {
      yield* emulator.clearJournal
      yield* Console.log(heading(`${index + 1}. ${title}`))
      yield* Console.log(aside(`   ${[`examples/${name}.ts`, ...tour.map(quoted)].join(" ")}\n`))
      yield* Effect.provide(withArguments(program, tour), registries[as])
      const requests = yield* emulator.journal
      yield* Console.log(requests.length === 0 ? "" : aside(`\n   ${requests.length} requests, tokens included\n`))
    })
  )

  yield* Console.log(`Run one by itself:            ${heading("npx -y pnpm@12 example hello-world")}`)
  yield* Console.log(`On a registry of your own:    ${heading("REGISTRY_ENDPOINT=https://myregistry.azurecr.io")} …`)
  yield* Console.log(`Keep an emulator running:     ${heading("npx -y pnpm@12 emulator --port 5001")}\n`)
})

tour.pipe(Effect.provide([EmulatorLive, PlatformLive]), NodeRuntime.runMain)
