/**
 * Where text goes: answers to standard output, everything else to standard error.
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type { PlatformError } from "effect/PlatformError"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"

/** Writing to standard output failed. */
export class OutputFailed extends Data.TaggedError("OutputFailed")<{
  readonly cause: PlatformError
  /** Whether only the printing was left to do. */
  readonly isLast?: boolean
}> {
  /** Whether its reader closed it, as `head` does. */
  get isClosed(): boolean {
    const { cause } = this.cause.reason
    return Predicate.hasProperty(cause, "code") && cause.code === "EPIPE"
  }
}

/** Prints the pieces of an answer as they arrive. */
export const printAll = <E, R>(
  pieces: Stream.Stream<string | Uint8Array, E, R>
): Effect.Effect<void, E | OutputFailed, R | Stdio.Stdio> =>
  Effect.flatMap(Stdio.Stdio, ({ stdout }) =>
    Stream.run(
      pieces,
      Sink.mapError(stdout(), (cause) => new OutputFailed({ cause }))
    )
  )

export const print = (text: string | Uint8Array): Effect.Effect<void, OutputFailed, Stdio.Stdio> =>
  printAll(Stream.make(text))

/** Prints a line on standard error. Failures are ignored: there is no place left to report them. */
export const tell = (text: string): Effect.Effect<void, never, Stdio.Stdio> =>
  Effect.flatMap(Stdio.Stdio, ({ stderr }) => Effect.ignore(Stream.run(Stream.make(`${text}\n`), stderr())))
