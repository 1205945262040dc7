/**
 * Does something to each of several objects, one after the other, and always says what became of each.
 */
import * as Effect from "effect/Effect"
import * as Answer from "./answer.ts"
import { type ExitCode, exitCodes } from "./exitCode.ts"
import { Failure, format } from "./failure.ts"
import { type Problem } from "./problem.ts"
import { readingOf } from "./reading.ts"
import * as Output from "./output.ts"

/** What is done to one object. */
export interface Step<out A, out R> {
  /** Completes the sentence "cannot …". */
  readonly what: string
  readonly act: Effect.Effect<A, Problem, R>
}

/** What became of one object. An interruption leaves one of which that is unknown, and others that it did not reach. */
export type Fate<A> =
  | { readonly _tag: "Done"; readonly value: A }
  | { readonly _tag: "Failed"; readonly problem: Problem }
  | { readonly _tag: "Unknown" }
  | { readonly _tag: "NotReached" }

/** The exit code if some failed. */
const codeOf = (first: Problem, isPartly: boolean): ExitCode => (isPartly ? exitCodes.partly : readingOf(first).code)

/** A step that fails does not end the others. Of a single one, the failure is that of the verb. */
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
