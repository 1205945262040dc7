/**
 * The emulator as a subcommand of another command.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Command from "effect/cli/Command"
import type { CannotStart } from "./internal/command/problem.ts"
import { flags, settingsOf } from "./internal/command/flags.ts"

export { CannotStart } from "./internal/command/problem.ts"

const { changes, ...others } = flags
const { json: _, ...ownChanges } = changes

/**
 * Makes a command that serves the emulator until it is interrupted, with the flags of `acr-emulator`.
 *
 * **Details**
 *
 * Whether it prints JSON when it is ready is decided by the caller, whose command may have a flag `--json` for all of its subcommands.
 * The emulator itself is loaded when the command runs.
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
export const make = <const Name extends string, R>(
  name: Name,
  options: {
    /** Whether to print one line of JSON when the emulator is ready, instead of instructions. */
    readonly json: Effect.Effect<boolean, never, R>
  }
): Command.Command<Name, never, {}, CannotStart, R> =>
  Command.make(name, { ...others, changes: ownChanges }, (given) =>
    Effect.gen(function* () {
      const json = yield* options.json
      const settings = yield* settingsOf({
        ...given,
        changes: { ...given.changes, json: (before) => ({ ...before, json: json || (before.json ?? false) }) }
      })
      const { serve } = yield* Effect.promise(() => import("./internal/command/serve.ts"))
      return yield* serve(settings)
    })
  ).pipe(Command.withDescription("Serve an Azure Container Registry emulator until it is stopped"))
