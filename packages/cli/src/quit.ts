/**
 * Notices that a user left a question by Ctrl-C or Esc. Effect's wizard would end with success.
 */
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Terminal from "effect/Terminal"

/** Runs an effect when the input of a terminal ends. Terminals report Ctrl-C in this way. */
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
