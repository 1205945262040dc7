/**
 * Runs the command on its arguments.
 */
import { CannotStart } from "@effect-acr/emulator/ServeCommand"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import { type ExitCode, exitCodeMeanings, exitCodes } from "./exitCode.ts"
import { Failure, format } from "./failure.ts"
import { Ended } from "./problem.ts"
import { readingOf } from "./reading.ts"
import * as Log from "./log.ts"
import * as Output from "./output.ts"
import * as Quit from "./quit.ts"
import { afterPull, otherFlags, otherNames } from "./otherNames.ts"
import { root } from "./root.ts"
import * as Version from "./version.ts"

/** `-v` is for `--verbose`, as in other commands for containers. */
const VersionFlag = GlobalFlag.Action({
  flag: Flag.Boolean("version").pipe(
    Flag.withAlias("V"),
    Flag.withDescription("Show the versions of the command, of Effect and of the runtime"),
    Flag.withDefault(false)
  ),
  run: Effect.fnUntraced(function* (_, { command, version }) {
    const presenter = yield* CliOutput.Presenter
    yield* presenter.present({ _tag: "Version", name: command.name, version })
  })
})

const config = CliConfig.layer({ builtIns: [GlobalFlag.Help, VersionFlag, GlobalFlag.Wizard] })

/** Suggests the verb or the flag that does the same as one of another command. */
const suggesting = (error: CliError.CliError): CliError.CliError => {
  if (error._tag === "UnrecognizedOption") {
    const suggestions = otherFlags.get(error.option)
    return suggestions === undefined ? error : new CliError.UnrecognizedOption({ ...error, suggestions })
  }
  if (error._tag !== "UnknownSubcommand" || error.parent?.length !== 1) return error
  const suggestions = otherNames.get(error.subcommand)
  return suggestions === undefined ? error : new CliError.UnknownSubcommand({ ...error, suggestions })
}

/** The exit codes, for the help of the command itself. */
const exitCodeLines = [
  "",
  "EXIT CODES",
  ...exitCodeMeanings.map(([code, meaning]) => `  ${String(code).padEnd(3)}  ${meaning}`)
]

/** Reads the flags from the arguments: versions are printed before flags are parsed. */
const wantsJson = (args: ReadonlyArray<string>): boolean => args.includes("--json") || args.includes("--jsonl")

/** Prints help and versions on standard output, and errors of the call on standard error. */
const presenter = (stdio: Stdio.Stdio, args: ReadonlyArray<string>): CliOutput.Presenter => {
  // A presenter cannot fail: `report` finds the error among the defects.
  const print = (text: string) => Effect.orDie(Effect.provideService(Output.print(`${text}\n`), Stdio.Stdio, stdio))
  const tell = (text: string) => Effect.provideService(Output.tell(text), Stdio.Stdio, stdio)
  const plain = CliOutput.defaultFormatter({ colors: false })
  return {
    present: (event) => {
      switch (event._tag) {
        case "Help":
          return Effect.flatMap(TerminalCapabilities.TerminalCapabilities, ({ canColor }) =>
            print(
              [
                CliOutput.defaultFormatter({ colors: canColor }).formatHelpDoc(event.helpDoc),
                ...(event.commandPath.length === 1 ? exitCodeLines : [])
              ].join("\n")
            )
          )
        case "InvalidInvocation": {
          const problems = event.errors.map((error) => `error: ${plain.formatCliError(suggesting(error))}`)
          const isAfterPull =
            event.commandPath.at(-1) === "pull" && event.errors.some(({ _tag }) => _tag === "UnexpectedArgument")
          const hints = isAfterPull ? [`  ${afterPull}`] : []
          return tell(
            [...problems, ...hints, `  ${event.commandPath.join(" ")} --help says how it is called`].join("\n")
          )
        }
        case "Version":
          return wantsJson(args) ? Effect.flatMap(Version.json, print) : print(Version.text())
      }
    }
  }
}

const layerFor = (args: ReadonlyArray<string>) =>
  Layer.mergeAll(
    config,
    Log.layer,
    Layer.unwrap(Effect.map(Stdio.Stdio, (stdio) => CliOutput.layerPresenter(presenter(stdio, args)))),
    TerminalCapabilities.layer
  )

/** Whether the current folder was deleted. Node.js throws where it resolves a relative path. */
const isWithoutFolder = (defect: unknown): boolean =>
  defect instanceof Error && "syscall" in defect && defect.syscall === "uv_cwd"

/** Reports a defect as a bug. Its stack would not help a user, and may hold a secret. */
const unexpected = (defect: unknown): Failure =>
  new Failure({
    what: "continue",
    why: `this is a bug: ${defect instanceof Error ? defect.message : String(defect)}`,
    code: exitCodes.unexpected
  })

const failureFrom = (error: unknown): Failure => {
  if (error instanceof Failure) return error
  if (error instanceof Output.OutputFailed) return new Failure({ what: "print the answer", ...readingOf(error) })
  if (isWithoutFolder(error)) {
    return new Failure({ what: "continue", why: "the current folder is no longer there", code: exitCodes.unexpected })
  }
  return error instanceof CannotStart ? cannotStart(error) : unexpected(error)
}

const cannotStart = ({ problem }: CannotStart): Failure =>
  new Failure({ what: "start the emulator", why: problem, code: exitCodes.unexpected })

/** Prints the failure, and returns the exit code. */
const report = (error: unknown): Effect.Effect<ExitCode, never, Stdio.Stdio> => {
  if (error instanceof Ended) return Effect.succeed(error.code)
  if (CliError.isCliError(error)) {
    const isWrong = error._tag !== "ShowHelp" || error.errors.length > 0
    return Effect.succeed(isWrong ? exitCodes.wrongCall : exitCodes.done)
  }
  const failure = failureFrom(error)
  if (failure.code === exitCodes.pipeClosed) return Effect.succeed(failure.code)
  return Effect.as(Output.tell(format(failure)), failure.code)
}

/** Runs the command and returns its exit code. Only an interruption fails it. */
export const run = (args: ReadonlyArray<string>): Effect.Effect<ExitCode, never, Command.Environment> =>
  Effect.gen(function* () {
    const hasQuit = yield* Ref.make(false)
    const terminal = Quit.noting(yield* Terminal.Terminal, Ref.set(hasQuit, true))
    yield* Effect.provideService(Command.runWith(root, { version: Version.version })(args), Terminal.Terminal, terminal)
    return (yield* Ref.get(hasQuit)) ? yield* Effect.interrupt : exitCodes.done
  }).pipe(
    Effect.catchCause((cause) =>
      Cause.hasInterruptsOnly(cause) ? Effect.failCause(Cause.interrupt()) : report(Cause.squash(cause))
    ),
    Effect.provide(layerFor(args))
  )
