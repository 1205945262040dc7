/**
 * Runs a scenario with both clients.
 */
import { spawn } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { temporaryFolder } from "../support/command.ts"
import { outcomeOf, type Scenario, type Stage } from "./scenarios.ts"

const program = fileURLToPath(new URL("sdk.ts", import.meta.url))

/** Far more than any of its calls takes that ends at all. */
const patienceMillis = 20_000

/** What comes of the other client's call: what it prints, or how its process ended. */
const sdk = (scenario: Scenario, stage: Stage): Effect.Effect<string, never, Scope.Scope> =>
  Effect.gen(function* () {
    const certificate = join(yield* temporaryFolder, "ca.pem")
    yield* Effect.promise(() => writeFile(certificate, stage.certificate))
    const runFork = Effect.runForkWith(yield* Effect.context())
    const word = yield* Effect.callback<string>((resume) => {
      const child = spawn(process.execPath, [
        "--no-warnings",
        program,
        scenario.call,
        stage.endpoint,
        certificate,
        stage.digest ?? ""
      ])
      let printed = ""
      let errors = ""
      let hung = false
      const timer = setTimeout(() => {
        hung = true
        child.kill("SIGKILL")
      }, patienceMillis)
      child.stderr.on("data", (text) => (errors += String(text)))
      child.stdout.on("data", (text) => {
        printed += String(text)
        if (printed === "ready\n") {
          printed = ""
          runFork(
            Effect.andThen(
              stage.meanwhile ?? Effect.void,
              Effect.sync(() => child.stdin.write("go on\n"))
            )
          )
        }
      })
      child.on("close", (code) => {
        clearTimeout(timer)
        const died = /unhandled/i.test(errors) ? "**ends the process**: unhandled rejection" : "**ends the process**"
        resume(Effect.succeed(hung ? "**hangs**" : code === 0 ? printed.trim() : died))
      })
      return Effect.sync(() => {
        clearTimeout(timer)
        child.kill("SIGKILL")
      })
    })
    return word + (yield* stage.seen)
  })

export interface Compared {
  readonly scenario: Scenario
  readonly theirs: string
  readonly ours: string
}

/** Each client has a registry of its own. */
export const compare = (scenario: Scenario): Effect.Effect<Compared> =>
  Effect.gen(function* () {
    const theirs = yield* Effect.scoped(Effect.flatMap(scenario.stage, (stage) => sdk(scenario, stage)))
    const ours = yield* Effect.scoped(Effect.flatMap(scenario.stage, (stage) => outcomeOf(stage, scenario)))
    return { scenario, theirs, ours }
  })
