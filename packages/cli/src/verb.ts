/**
 * What all verbs share: they call the library, print the answer and report failures.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as Command from "effect/cli/Command"
import * as Answer from "./answer.ts"
import { exitCodes } from "./exitCode.ts"
import { type Failure, failureOf } from "./failure.ts"
import { Ended, type Problem } from "./problem.ts"
import * as Log from "./log.ts"
import * as Output from "./output.ts"
import * as Program from "./program.ts"
import { Explain, settings } from "./settings.ts"

/** Describes a verb in its help and in the documentation. */
export const described =
  (about: { readonly does: string; readonly examples: ReadonlyArray<Command.Command.Example> }) =>
  <Name extends string, Input, ContextInput, E, R>(
    command: Command.Command<Name, Input, ContextInput, E, R>
  ): Command.Command<Name, Input, ContextInput, E, R> =>
    command.pipe(Command.withDescription(about.does), Command.withExamples(about.examples))

export interface Call {
  /** Completes the sentence "cannot …". */
  readonly what: string
  /** A program that does the same. */
  readonly program: Program.Program
  /** Whether the call only shows what it would change. Its program makes the change. */
  readonly isDryRun?: boolean
  /** Whether failed requests are retried. Defaults to true. */
  readonly retries?: boolean
}

/** Prints the program that does the same with the library. */
export const explain = (program: Program.Program, isDryRun = false) =>
  Effect.gen(function* () {
    const { caFile, plainHttp } = yield* settings
    if (isDryRun) yield* Output.tell("warning: this program does what --dry-run only shows")
    if (caFile !== undefined || plainHttp !== undefined) {
      yield* Output.tell(
        "warning: this program ignores --plain-http and --ca-file. Options of its registries layer set both"
      )
    }
    yield* Output.print(`${Program.format(program)}\n`)
  })

/** Runs a verb that prints by itself. A list without its unreadable records ends with the exit code for a partial answer. */
export const run = <E extends Problem | Ended, R>(
  { isDryRun = false, program, retries = true, what }: Call,
  effect: Effect.Effect<void, E, R>
) =>
  Effect.gen(function* () {
    if (yield* Explain) return yield* explain(program, isDryRun)
    const { verbosity } = yield* settings
    // Loading the HTTP client takes a third of the start. Help and `--version` do not need it.
    const Connection = yield* Effect.promise(() => import("./connection.ts"))
    const lists = Log.watchingLists()
    yield* effect.pipe(
      Effect.scoped,
      Effect.provide(Layer.merge(retries ? Connection.layer : Connection.layerWithoutRetries, lists.layer)),
      Effect.provideService(References.MinimumLogLevel, verbosity > 1 ? "Debug" : "Warn")
    )
    if (lists.hasLeftOut()) return yield* new Ended({ code: exitCodes.partly })
  }).pipe(Effect.mapError((problem): Failure | Ended => failureOf(what)(problem)))

/** Runs a verb that returns one answer. */
export const answer = <E extends Problem, R>(call: Call, effect: Effect.Effect<Answer.Answer, E, R>) =>
  run(call, Effect.flatMap(effect, Answer.print))
