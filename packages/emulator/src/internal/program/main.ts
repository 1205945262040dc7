/**
 * The emulator as a command. `bin.ts` checks the version of Node before it loads this file.
 */
import { readFileSync } from "node:fs"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { flags, settingsOf } from "../command/flags.ts"
import { report } from "../command/problem.ts"
import { serve } from "../command/serve.ts"

const PackageJson = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

/** The path is the same from the sources and from the build. */
const packageJson = new URL("../../../package.json", import.meta.url)

const command = Command.make("acr-emulator", flags, (given) =>
  Effect.flatMap(settingsOf(given), serve).pipe(Effect.tapError(report))
).pipe(Command.withDescription("Serves an Azure Container Registry emulator until it is stopped"))

/** The exit codes that shells and container runtimes expect of a program that a signal stopped. */
const codes = { SIGINT: 130, SIGTERM: 143 } as const

const interrupted = codes.SIGINT

/** Exits with the code of the received signal. */
const teardown = (): Runtime.Teardown => {
  let code: number = interrupted
  process.once("SIGTERM", () => {
    code = codes.SIGTERM
  })
  return (exit, onExit) => Runtime.defaultTeardown(exit, (given) => onExit(given === interrupted ? code : given))
}

export const run = (): void => {
  const { version } = Schema.decodeSync(PackageJson)(readFileSync(packageJson, "utf8"))
  Command.run(command, { version }).pipe(
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain({ teardown: teardown() })
  )
}
