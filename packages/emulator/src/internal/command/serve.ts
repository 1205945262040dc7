/**
 * Serves the emulator with the settings, and reports when it is ready.
 */
import { readFile } from "node:fs/promises"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as AcrEmulator from "../../AcrEmulator.ts"
import * as Control from "../../Control.ts"
import { logger } from "./log.ts"
import { attempt, CannotStart, messageOf } from "./problem.ts"
import * as Ready from "./ready.ts"
import { controlOf, optionsOf, seedsOf, type Settings } from "./settings.ts"

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

/** The error of a listener, with advice if the port is taken. */
const cannotListen = ({ cause }: { readonly cause: unknown }, flag: string): CannotStart => {
  const problem = messageOf(cause)
  // Bun's message does not contain the code.
  const isTaken = Predicate.hasProperty(cause, "code") && cause.code === "EADDRINUSE"
  return new CannotStart({ problem: isTaken ? `${problem}; ${flag} 0 takes a free port` : problem })
}

/** Serves the control API until the scope closes. */
const controlled = Effect.fnUntraced(function* (
  emulator: AcrEmulator.Service,
  settings: Settings
): Effect.fn.Return<{ readonly endpoint: string } | undefined, CannotStart, Scope.Scope> {
  const options = controlOf(settings)
  if (options === undefined) return undefined
  const layer = Control.layer(options).pipe(Layer.provide(Layer.succeed(AcrEmulator.AcrEmulator, emulator)))
  const context = yield* Effect.mapError(Layer.build(layer), (error) => cannotListen(error, "--control-port"))
  const { endpoint } = Context.get(context, Control.Control)
  return { endpoint }
})

const cannotGoOn = ({ message }: { readonly message: string }): Effect.Effect<never, CannotStart> =>
  Effect.fail(new CannotStart({ problem: message }))

/** Starts, and reports that it is ready. */
const start = Effect.fnUntraced(function* (settings: Settings): Effect.fn.Return<void, CannotStart, Scope.Scope> {
  const { caOut, https = false, json = false, readyFile } = settings
  // A program that waits for the file would trust the certificate of an earlier emulator.
  if (caOut !== undefined && https === false) {
    return yield* new CannotStart({ problem: "--ca-out needs --https, or --cert with --key" })
  }
  if (readyFile !== undefined) yield* Ready.clear(readyFile)
  const onRequest = logger(settings)
  const options = optionsOf(settings, yield* httpsOf(settings))
  const emulator = yield* AcrEmulator.make(onRequest === undefined ? options : { ...options, onRequest }).pipe(
    Effect.catchTags({
      ServeError: (error) => Effect.fail(cannotListen(error, "--port")),
      DirectoryError: cannotGoOn,
      SeedError: cannotGoOn
    })
  )
  // Before the control API starts, so that it reports that the emulator is not ready.
  const seeding = yield* Effect.forkChild(emulator.startWith(seedsOf(settings)).pipe(Effect.catch(cannotGoOn)), {
    startImmediately: true
  })
  const control = yield* controlled(emulator, settings)
  yield* Fiber.join(seeding)
  if (caOut !== undefined && Option.isSome(emulator.certificate)) {
    yield* Ready.write(caOut, emulator.certificate.value)
  }
  const ready = yield* Ready.readyOf(emulator, control, settings)
  if (readyFile !== undefined) yield* Ready.announce(readyFile, ready)
  yield* Console.log(json ? Ready.json(ready) : Ready.instructions(ready))
})

/** Serves until it is interrupted. */
export const serve = (settings: Settings): Effect.Effect<never, CannotStart> =>
  Effect.scoped(Effect.andThen(start(settings), Effect.never))
