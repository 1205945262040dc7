/**
 * What the verbs have in common: they call the library, print the answer, and say what failed.
 */
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Command from "effect/cli/Command"
import * as Answer from "./answer.ts"
import { type Ended, type Failure, failureOf, type Problem } from "./failure.ts"
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

/** A call of a verb. */
export interface Call {
  /** Completes the sentence "cannot …". */
  readonly what: string
  /** The same as a program. */
  readonly program: Program.Program
}

/** Runs what prints by itself. */
export const run = <E extends Problem | Ended, R>({ program, what }: Call, effect: Effect.Effect<void, E, R>) =>
  Effect.gen(function* () {
    if (yield* Explain) return yield* Output.print(`${Program.format(program)}\n`)
    const { verbosity } = yield* settings
    // The HTTP client takes a third of a start, which help and `--version` do without.
    const Connection = yield* Effect.promise(() => import("./connection.ts"))
    return yield* effect.pipe(
      Effect.scoped,
      Effect.provide(Connection.layer),
      Effect.provideService(References.MinimumLogLevel, verbosity > 1 ? "Debug" : "Warn")
    )
  }).pipe(Effect.mapError((problem): Failure | Ended => failureOf(what)(problem)))

/** Runs what answers once. */
export const answer = <E extends Problem, R>(call: Call, effect: Effect.Effect<Answer.Answer, E, R>) =>
  run(call, Effect.flatMap(effect, Answer.print))
