/**
 * Shows the progress of a transfer on standard error. Libraries for it hook into the process or keep clocks of their own
 * (ora, listr2, cli-progress), so that an interruption and a test can control neither.
 */
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import { settings } from "../settings.ts"
import * as Draw from "./draw.ts"
import * as State from "./state.ts"

/** Receives the events of a transfer, and sums them up. */
export interface Progress {
  readonly note: (event: State.Event) => Effect.Effect<void>
  /** What is done so far. */
  readonly sums: Effect.Effect<State.Sums>
}

/** The progress where no transfer shows any. */
const none: Progress = { note: () => Effect.void, sums: Effect.succeed(State.noSums) }

/** The transfer that a request belongs to. */
const Current = Context.Reference<Progress>("@effect-acr/cli/Progress", {
  defaultValue: () => none
})

/** Shorter waits are not reported. A user does not notice them. */
const shortWait = Duration.seconds(2)

/** Notes how long a throttling registry asks to wait. If no progress shows it, `tell` reports it. */
export const noteWait = Effect.fnUntraced(function* (
  { reason, retryAfter }: RegistryError,
  tell: (text: string) => Effect.Effect<void>
) {
  if (reason._tag !== "Throttled" || retryAfter === undefined) return
  const current = yield* Current
  if (current === none) {
    const seconds = Math.ceil(Duration.toSeconds(retryAfter))
    return yield* Duration.isGreaterThan(retryAfter, shortWait)
      ? tell(`waiting ${Draw.duration(seconds)}: the registry limits the rate of requests`)
      : Effect.void
  }
  yield* current.note({ _tag: "Waits", until: (yield* Clock.currentTimeMillis) + Duration.toMillis(retryAfter) })
})

/** The size of the terminal of standard error. `Terminal` has that of standard output, which may be a pipe. */
export const TerminalSize = Context.Reference<Effect.Effect<Draw.Size>>("@effect-acr/cli/TerminalSize", {
  defaultValue: () => Effect.sync(() => ({ columns: process.stderr.columns ?? 80, rows: process.stderr.rows ?? 24 }))
})

const redrawEvery = Duration.millis(200)
const lineEvery = Duration.seconds(10)

type Mode = "drawn" | "lines" | "none"

/** Whether standard error is a terminal whose cursor can move. `TerminalCapabilities` describes standard output. */
const canAnimate = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  const ofStderr = Layer.succeed(Stdio.Stdio, { ...stdio, stdoutIsTerminal: stdio.stderrIsTerminal })
  return yield* Effect.provide(
    Effect.map(TerminalCapabilities.TerminalCapabilities, (capabilities) => capabilities.canAnimate),
    Layer.provide(TerminalCapabilities.layer, ofStderr)
  )
})

/** How to show the progress. It is not drawn between lines of requests or an answer on the same terminal. */
const modeOf = Effect.fnUntraced(function* ({ isPrinting }: Kind): Effect.fn.Return<Mode, never, SettingsServices> {
  const { isQuiet, verbosity } = yield* settings
  if (isQuiet) return "none"
  const stdio = yield* Stdio.Stdio
  const isShared = verbosity > 0 || (isPrinting && (yield* stdio.stdoutIsTerminal))
  return !isShared && (yield* canAnimate) ? "drawn" : "lines"
})

type SettingsServices = Effect.Services<typeof settings> | Stdio.Stdio

/** What a long operation shows. */
export interface Shown {
  /** The progress as lines for a terminal. */
  readonly lines: (size: Draw.Size) => Effect.Effect<ReadonlyArray<string>>
  /** The progress as one line. */
  readonly summary: Effect.Effect<string>
  /** What is done, for the message of an interruption. */
  readonly done: Effect.Effect<string>
}

/** What is on the terminal. */
const makeScreen = Effect.gen(function* () {
  const stdio = yield* Stdio.Stdio
  const terminalSize = yield* TerminalSize
  const console = yield* Console.Console
  let drawn: ReadonlyArray<string> = []
  let columns = 80

  /** Erases the lines, so that something else can be written in their place. */
  const erase = (): string => {
    const erasing = Draw.erased(drawn, { columns })
    drawn = []
    return erasing
  }
  const write = (text: string) => Effect.ignore(Stream.run(Stream.make(text), stdio.stderr()))

  const clear = Effect.suspend(() => (drawn.length === 0 ? Effect.void : write(erase())))
  const otherStdio = Stdio.make({
    ...stdio,
    stderr: (options) =>
      Sink.mapInput(stdio.stderr(options), (piece: string | Uint8Array) =>
        typeof piece === "string" ? `${erase()}${piece}` : piece
      )
  })
  const otherConsole: Console.Console = Object.assign(Object.create(console), {
    error: (first: unknown, ...rest: ReadonlyArray<unknown>) => console.error(`${erase()}${String(first)}`, ...rest)
  })

  return {
    draw: (shown: Shown) =>
      Effect.gen(function* () {
        const size = yield* terminalSize
        columns = Math.max(1, size.columns)
        const lines = yield* shown.lines(size)
        const text = `${erase()}${lines.map((line) => `${line}\n`).join("")}`
        drawn = lines
        yield* write(text)
      }),
    say: (text: string) => write(`${text}\n`),
    /** Other text on standard error replaces the lines. The next drawing is below it. */
    within: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      effect.pipe(
        Effect.provideService(Stdio.Stdio, otherStdio),
        Effect.provideService(Console.Console, otherConsole),
        Effect.ensuring(clear)
      )
  }
})

export interface Kind {
  /** What the same call does after an interruption. */
  readonly again: string
  /** Whether it prints on standard output at the same time. */
  readonly isPrinting: boolean
}

/** Continues: the target keeps what it has. */
export const continues: Kind = {
  again: "the same command continues",
  isPrinting: false
}

/** Continues, and prints events. */
export const printsEvents: Kind = { ...continues, isPrinting: true }

/** Starts again: its files appear once they are complete. */
export const startsAgain: Kind = { again: "no file was changed; the same command starts again", isPrinting: false }

/** Reads content, and answers at the end. */
export const readsAgain: Kind = { again: "the same command starts again", isPrinting: false }

/** Prints content. */
export const printsAgain: Kind = { ...readsAgain, isPrinting: true }

const makeState = Effect.gen(function* () {
  let state = State.start(yield* Clock.currentTimeMillis)
  const progress: Progress = {
    note: (event) =>
      Effect.sync(() => {
        state = State.step(state, event)
      }),
    sums: Effect.sync(() => state.sums)
  }
  return {
    progress,
    now: Effect.sync(() => state),
    /** The state now. Also records a sample for the rate. */
    sampled: Effect.map(Clock.currentTimeMillis, (now) => (state = State.sampled(state, now)))
  }
})

/** Runs a long operation and shows its progress, which is erased at the end. */
export const showing = <A, E, R>(
  kind: Kind,
  shown: Shown,
  work: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | SettingsServices> =>
  Effect.gen(function* () {
    const mode = yield* modeOf(kind)
    const screen = yield* makeScreen
    const line = Effect.flatMap(shown.summary, screen.say)
    const drawing: Record<Mode, Effect.Effect<never>> = {
      drawn: Effect.forever(Effect.andThen(Effect.sleep(redrawEvery), screen.draw(shown))),
      lines: Effect.forever(Effect.andThen(Effect.sleep(lineEvery), line)),
      none: Effect.never
    }
    const farewell = Effect.flatMap(shown.done, (done) => screen.say(`interrupted: ${done}; ${kind.again}`))
    const running = Effect.raceFirst(work, drawing[mode])
    return yield* Effect.onInterrupt(mode === "drawn" ? screen.within(running) : running, () => farewell)
  })

/** Runs a transfer and shows its progress. */
export const during = <A, E, R>(
  kind: Kind,
  transfer: (progress: Progress) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R | SettingsServices> =>
  Effect.gen(function* () {
    const { now, progress, sampled } = yield* makeState
    const at = <B>(of: (state: State.State, at: number) => B) =>
      Effect.flatMap(sampled, (state) => Effect.map(Clock.currentTimeMillis, (millis) => of(state, millis)))
    const shown: Shown = {
      lines: (size) => at((state, millis) => Draw.lines(state, millis, size)),
      summary: at(Draw.summary),
      // Without the blobs in transfer: no target keeps a part of a blob.
      done: Effect.map(now, (state) => `${Draw.count(State.objects(state))}, ${Draw.size(State.doneBytes(state))} done`)
    }
    return yield* showing(kind, shown, Effect.provideService(transfer(progress), Current, progress))
  })
