/**
 * Tells whether a user left a question by Ctrl-C or Esc. The wizard ends as if all were done.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Terminal from "effect/Terminal"

/** A terminal that runs an effect where its keys end, which is how it reports Ctrl-C. */
export const noting = (terminal: Terminal.Terminal, onQuit: Effect.Effect<void>): Terminal.Terminal =>
  Terminal.make({
    ...terminal,
    readInput: Effect.gen(function* () {
      const keys = yield* terminal.readInput
      const passed = yield* Queue.make<Terminal.UserInput, Cause.Done>()
      yield* Queue.take(keys).pipe(
        Effect.flatMap((key) => Queue.offer(passed, key)),
        Effect.forever,
        Effect.catch(() => Effect.andThen(onQuit, Queue.end(passed))),
        Effect.forkScoped
      )
      return passed
    })
  })
