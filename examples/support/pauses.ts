/**
 * Pauses between the steps of a tour, on a terminal.
 */
import { Effect, Queue, Terminal } from "effect"

/** What the reader wants after a step. */
export type Answer = "next" | "rest" | "leave"

const question = "   Space: next step · a: all others · q: leave"

/** Removes the line that the cursor is on. */
const withoutLine = "\r\u001b[K"

const answerTo = ({ key }: Terminal.UserInput): Answer | undefined => {
  switch (key.name) {
    case "q":
      return "leave"
    case "a":
      return "rest"
    case "space":
    case "return":
    case "enter":
      return "next"
    default:
      return undefined
  }
}

/** Whether there is a reader who can press a key. */
export const isOnTerminal = Effect.sync(() => process.stdin.isTTY && process.stdout.isTTY)

/** Waits for a key. Ctrl-C and Esc leave too, as the terminal ends its input with them. */
export const pause = Effect.gen(function* () {
  const terminal = yield* Terminal.Terminal
  const keys = yield* terminal.readInput
  yield* terminal.display(question)
  const answer = yield* Queue.take(keys).pipe(
    Effect.map(answerTo),
    Effect.repeat({ until: (found) => found !== undefined }),
    Effect.catchTag("Done", () => Effect.succeed<Answer>("leave"))
  )
  yield* terminal.display(withoutLine)
  return answer
}).pipe(Effect.scoped)
