/**
 * Programs in other languages that control the emulator: the examples of docs/emulator-control.md.
 */
import { fileURLToPath } from "node:url"
import { AcrEmulator, Control } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Redacted } from "effect"
import { isInstalled, run } from "./support/command.ts"

const folder = fileURLToPath(new URL("../examples/emulator", import.meta.url))

const adminUser = { username: "admin", password: Redacted.make("emulator") }

const Emulator = Control.layer().pipe(Layer.provideMerge(AcrEmulator.layer({ adminUser })))

/** Runs a program against an emulator of its own. */
const program = (command: string, ...args: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const { endpoint } = yield* AcrEmulator.AcrEmulator
    const control = yield* Control.Control
    return yield* run(command, args, {
      cwd: folder,
      env: { ...process.env, REGISTRY: endpoint, CONTROL: control.endpoint, PYTHONDONTWRITEBYTECODE: "1" }
    })
  }).pipe(Effect.provide(Emulator))

describe("a program in another language", () => {
  it.live.skipIf(!isInstalled("curl"))("in bash seeds, injects a fault, reads the journal and resets", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* program("bash", "control.sh")).trim(), "curl asked again after a 503")
    })
  )

  it.live.skipIf(!isInstalled("python3"))("in Python does so too", () =>
    program("python3", "-m", "unittest", "control")
  )
})
