/**
 * Asks for confirmation before anything is deleted.
 */
import * as Effect from "effect/Effect"
import * as Flag from "effect/cli/Flag"
import * as Prompt from "effect/cli/Prompt"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import { WrongCall } from "./problem.ts"
import * as Output from "./output.ts"

export const yesFlag = Flag.Boolean("yes").pipe(
  Flag.withAlias("y"),
  Flag.withDescription("Do not ask before manifests are deleted. Needed where there is no terminal to ask on"),
  Flag.withoutNegation,
  Flag.withDefault(false)
)

/** Asks on the terminal. Ctrl-C at the question interrupts. */
export const ask = <A>(prompt: Prompt.Prompt<A>) =>
  Effect.catchTag(Prompt.run(prompt), "QuitError", () => Effect.interrupt)

/** Shows what is about to happen, and asks. Returns whether to continue. Ctrl-C at the question interrupts. */
export const confirm = Effect.fnUntraced(function* (isSure: boolean, about: ReadonlyArray<string>, question: string) {
  if (isSure) return true
  const { canPrompt } = yield* TerminalCapabilities.TerminalCapabilities
  yield* Output.tell(about.join("\n"))
  if (!canPrompt) {
    return yield* new WrongCall({ description: "there is no terminal to ask on: --yes says that you are sure" })
  }
  return yield* ask(Prompt.Confirm({ message: question }))
})
