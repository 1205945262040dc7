/**
 * A guided tour: every example, one after the other, on an emulator that is filled with a believable registry. Each step shows
 * the lines that matter before their results. On a terminal, a key leads to the next step.
 */
import { fileURLToPath } from "node:url"
import { styleText } from "node:util"
import { Credentials } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, FileSystem } from "effect"
import { type Example, examples } from "./support/examples.ts"
import { excerpt } from "./support/excerpt.ts"
import { type Answer, isOnTerminal, pause } from "./support/pauses.ts"
import { EmulatorLive, PlatformLive, withArguments } from "./support/registry.ts"

/** Colours are left out where the output is not a terminal. */
const heading = (text: string) => styleText(["bold", "cyan"], text)
const aside = (text: string) => styleText("dim", text)
const code = (text: string) => styleText("green", text)

const registries = {
  identity: AcrEmulator.layerRegistry(),
  anonymous: AcrEmulator.layerRegistry({ credentials: Credentials.layerAnonymous })
}

const introduction = (endpoint: string): string => `
A registry with five repositories listens at ${endpoint}. It is an emulator, which ends with the tour.

Each of the ${examples.length} steps is an example: first the lines of its file that matter, then its output. The number of requests
below a step counts all requests that the registry received for it, those for access tokens included. The client caches
tokens, so a longer program requests few of them. Steps that start registries of their own show no number.
`

const farewell = `
Run one by itself:            ${heading("npx -y pnpm@12 example hello-world")}
On a registry of your own:    set ${heading("REGISTRY_ENDPOINT")} to https://myregistry.azurecr.io first
Keep an emulator running:     ${heading("npx -y pnpm@12 emulator --port 5001")}
`

const step = Effect.fnUntraced(function* ({ as, name, onTour, program, shows, title }: Example, number: number) {
  const emulator = yield* AcrEmulator.AcrEmulator
  const files = yield* FileSystem.FileSystem
  const text = yield* files.readFileString(fileURLToPath(new URL(`${name}.ts`, import.meta.url)))
  yield* Console.log(`\n${heading(`${number}. ${title}`)}\n   ${aside(`examples/${name}.ts`)}\n`)
  for (const line of excerpt(text, shows)) yield* Console.log(code(`   ${line}`))
  yield* Console.log("")

  yield* emulator.clearJournal
  yield* Effect.provide(withArguments(onTour ?? program, []), registries[as])
  const requests = yield* emulator.journal
  if (requests.length > 0) yield* Console.log(`\n   ${aside(`${requests.length} requests`)}`)
})

const tour = Effect.gen(function* () {
  const { endpoint } = yield* AcrEmulator.AcrEmulator
  yield* Console.log(introduction(endpoint))

  let answer: Answer = (yield* isOnTerminal) ? "next" : "rest"
  for (const [index, example] of examples.entries()) {
    if (answer === "next") answer = yield* pause
    if (answer === "leave") break
    yield* step(example, index + 1)
  }
  yield* Console.log(farewell)
})

tour.pipe(Effect.provide([EmulatorLive, PlatformLive]), NodeRuntime.runMain)
