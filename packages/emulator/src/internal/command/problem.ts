/**
 * Why the command cannot start, in one line.
 */
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"

/**
 * The emulator cannot start: a port is taken, or a file or a setting cannot be used.
 *
 * @category errors
 * @since 0.1.0
 */
export class CannotStart extends Data.TaggedError("CannotStart")<{
  /** The cause, in one line. */
  readonly problem: string
}> {
  override readonly [Runtime.errorReported] = false
}

export const messageOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** Runs an operation of Node that may fail, such as one with files. */
export const attempt = <A>(what: string, act: () => Promise<A>): Effect.Effect<A, CannotStart> =>
  Effect.tryPromise({
    try: act,
    catch: (cause) => new CannotStart({ problem: `${what}: ${messageOf(cause)}` })
  })

export const report = ({ problem }: CannotStart): Effect.Effect<void> =>
  Console.error(`acr-emulator cannot start: ${problem}`)
