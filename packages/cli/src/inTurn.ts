/**
 * Acts on several objects, one after the other, and always reports the outcome of each.
 */
import * as Effect from "effect/Effect"
import * as Answer from "./answer.ts"
import { type ExitCode, exitCodes } from "./exitCode.ts"
import { Failure, format } from "./failure.ts"
import { type Problem } from "./problem.ts"
import { readingOf } from "./reading.ts"
import * as Output from "./output.ts"

/** The action on one object. */
export interface Step<out A, out R> {
  /** Completes the sentence "cannot …". */
  readonly what: string
  readonly act: Effect.Effect<A, Problem, R>
}

/** The outcome of one object. After an interruption, one outcome is unknown, and the objects after it were not reached. */
export type Fate<A> =
  | { readonly _tag: "Done"; readonly value: A }
  | { readonly _tag: "Failed"; readonly problem: Problem }
  | { readonly _tag: "Unknown" }
  | { readonly _tag: "NotReached" }

/** The exit code if some failed. */
const codeOf = (first: Problem, isPartly: boolean): ExitCode => (isPartly ? exitCodes.partly : readingOf(first).code)

/** Runs all steps, even if some fail. The failure of a single step is that of the verb. */
export const run = <A, R>(
  steps: ReadonlyArray<Step<A, R>>,
  answerOf: (fates: ReadonlyArray<Fate<A>>) => Answer.Answer
) =>
  Effect.gen(function* () {
    const fates = steps.map((): Fate<A> => ({ _tag: "NotReached" }))
    const failed: Array<Problem> = []
    yield* Effect.forEach(steps, ({ act, what }, index) => {
      fates[index] = { _tag: "Unknown" }
      return Effect.matchEffect(act, {
        onSuccess: (value) => Effect.sync(() => void (fates[index] = { _tag: "Done", value })),
        onFailure: (problem) => {
          fates[index] = { _tag: "Failed", problem }
          failed.push(problem)
          if (steps.length === 1) return Effect.fail(problem)
          return Output.tell(format(new Failure({ what, ...readingOf(problem) })))
        }
      })
    }).pipe(Effect.onInterrupt(() => Effect.ignore(Answer.print(answerOf(fates)))))
    const [first] = failed
    const answer = answerOf(fates)
    yield* Answer.print(first === undefined ? answer : { ...answer, code: codeOf(first, failed.length < steps.length) })
  })
