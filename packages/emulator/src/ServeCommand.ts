/**
 * The emulator as a subcommand of another command.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import type { Options } from "./AcrEmulator.ts"
import type { CannotStart } from "./internal/command/problem.ts"
import { flags, settingsOf } from "./internal/command/flags.ts"
import { optionsOf, seedsOf } from "./internal/command/settings.ts"

export { CannotStart } from "./internal/command/problem.ts"

const { changes, ...others } = flags
const { json: _, ...ownChanges } = changes

/**
 * Makes a command that serves the emulator until it is interrupted, with the flags of `acr-emulator`.
 *
 * **Details**
 *
 * The flag `--json` is missing, because the parent command may have one for all of its subcommands: pass its value as
 * `json`. The emulator itself is loaded when the command runs.
 *
 * Fails with `CannotStart` if a port is taken, or a file or a setting cannot be used.
 *
 * **Example** (A command of your own)
 *
 * ```ts
 * import { ServeCommand } from "@effect-acr/emulator"
 * import { Effect } from "effect"
 * import { Command } from "effect/cli"
 *
 * export const command = Command.make("tools").pipe(
 *   Command.withSubcommands([ServeCommand.make("registry", { json: Effect.succeed(false) })])
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <const Name extends string, R, E = never, R2 = never>(
  name: Name,
  options: {
    /** Whether to print one line of JSON when the emulator is ready, instead of instructions. */
    readonly json: Effect.Effect<boolean, never, R>
    /**
     * Runs instead of the emulator, and receives the effect that would serve it and its options. The files of a
     * certificate are not read before: `https` is `true` then. Defaults to serving.
     */
    readonly around?: (serving: Effect.Effect<never, CannotStart>, options: Options) => Effect.Effect<void, E, R2>
  }
): Command.Command<Name, never, {}, CannotStart | E, R | R2> =>
  Command.make(name, { ...others, changes: ownChanges }, (given) =>
    Effect.gen(function* () {
      const json = yield* options.json
      const settings = yield* settingsOf({
        ...given,
        changes: { ...given.changes, json: (before) => ({ ...before, json: json || (before.json ?? false) }) }
      })
      const serving = Effect.flatMap(
        Effect.promise(() => import("./internal/command/serve.ts")),
        ({ serve }) => serve(settings)
      )
      if (options.around === undefined) return yield* serving
      const { https = false } = settings
      return yield* options.around(serving, { ...optionsOf(settings, https !== false), seed: seedsOf(settings) })
    })
  ).pipe(Command.withDescription("Serve an Azure Container Registry emulator until it is stopped"))
