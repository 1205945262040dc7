/**
 * The emulator as a command, without the check of Node's version before it.
 */
import { readFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Command from "effect/cli/Command"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type * as HttpServerError from "effect/http/HttpServerError"
import * as AcrEmulator from "../../AcrEmulator.ts"
import { flags, settingsOf } from "./flags.ts"
import { attempt, CannotStart, messageOf, report } from "./problem.ts"
import * as Ready from "./ready.ts"
import { optionsOf, seedsOf, type Settings } from "./settings.ts"

const PackageJson = Schema.fromJsonString(Schema.Struct({ version: Schema.String }))

/** Beside the sources, and beside what is built of them. */
const packageJson = new URL("../../../package.json", import.meta.url)

const httpsOf = Effect.fnUntraced(function* ({
  https = false
}: Settings): Effect.fn.Return<AcrEmulator.Options["https"], CannotStart> {
  if (typeof https === "boolean") return https
  const { certificate, key } = https
  return {
    certificate: yield* attempt("the certificate cannot be read", () => readFile(certificate, "utf8")),
    key: Redacted.make(yield* attempt("the key cannot be read", () => readFile(key, "utf8")))
  }
})

/** Why nothing can listen there. */
const cannotListen = ({ cause }: HttpServerError.ServeError): CannotStart => {
  const problem = messageOf(cause)
  return new CannotStart({
    problem: problem.includes("EADDRINUSE") ? `${problem}; --port 0 takes one that is free` : problem
  })
}

/** Starts, and says so. */
const start = Effect.fnUntraced(function* (settings: Settings): Effect.fn.Return<void, CannotStart, Scope.Scope> {
  const { caOut, json = false, readyFile } = settings
  if (readyFile !== undefined) yield* Ready.clear(readyFile)
  const emulator = yield* AcrEmulator.make(optionsOf(settings, yield* httpsOf(settings))).pipe(
    Effect.catchTags({
      ServeError: (error) => Effect.fail(cannotListen(error)),
      DirectoryError: ({ message }) => Effect.fail(new CannotStart({ problem: message })),
      SeedError: ({ message }) => Effect.fail(new CannotStart({ problem: message }))
    })
  )
  yield* Effect.mapError(emulator.startWith(seedsOf(settings)), ({ message }) => new CannotStart({ problem: message }))
  if (caOut !== undefined && Option.isSome(emulator.certificate)) {
    yield* Ready.write(caOut, emulator.certificate.value)
  }
  const ready = Ready.readyOf(emulator, yield* emulator.modes, settings)
  if (readyFile !== undefined) yield* Ready.announce(readyFile, ready)
  yield* Console.log(json ? Ready.json(ready) : Ready.instructions(ready))
})

const serve = Command.make("acr-emulator", flags, (given) =>
  Effect.flatMap(settingsOf(given), start).pipe(Effect.andThen(Effect.never), Effect.scoped, Effect.tapError(report))
).pipe(Command.withDescription("Serves an Azure Container Registry emulator until it is stopped"))

/** What shells, and those who run containers, expect of a program that was stopped by a signal. */
const codes = { SIGINT: 130, SIGTERM: 143 } as const

const interrupted = codes.SIGINT

/** Ends with the code of the signal that came. */
const teardown = (): Runtime.Teardown => {
  let code: number = interrupted
  process.once("SIGTERM", () => {
    code = codes.SIGTERM
  })
  return (exit, onExit) => Runtime.defaultTeardown(exit, (given) => onExit(given === interrupted ? code : given))
}

export const run = (): void => {
  const { version } = Schema.decodeSync(PackageJson)(readFileSync(packageJson, "utf8"))
  Command.run(serve, { version }).pipe(
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain({ teardown: teardown() })
  )
}
