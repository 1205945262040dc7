/**
 * The command as a process: its exit code, its signals, and closed pipes.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Runtime from "effect/Runtime"
import { writeAsIs } from "./bunOutput.ts"
import { exitCodes } from "./exitCode.ts"
import { run } from "./run.ts"

/** The exit codes that shells expect of a program that a signal ended. */
const codes = { SIGINT: exitCodes.interrupted, SIGTERM: 143, SIGHUP: 129 } as const

const patienceMillis = 1000

/** Tells the user after a second that the command is still stopping. */
const sayStopping = (): void => {
  setTimeout(() => process.stderr.write("stopping; once more stops at once\n"), patienceMillis).unref()
}

interface Signals {
  /** The exit code of a command that a signal ended. */
  readonly code: () => number
  /** Makes the next signal end the process at once. */
  readonly endAtOnce: () => void
}

/** The first signal lets the command clean up. The second one ends the process at once. */
const watchSignals = (): Signals => {
  let code: number = codes.SIGINT
  let isEnding = false
  const onSignal = (signal: "SIGINT" | "SIGTERM") => () => {
    if (code !== codes.SIGHUP) code = codes[signal]
    if (isEnding) process.exit(code)
    isEnding = true
    sayStopping()
  }
  process.on("SIGINT", onSignal("SIGINT"))
  process.on("SIGTERM", onSignal("SIGTERM"))
  // The terminal was closed. Effect's runtime listens to the other two signals alone.
  process.on("SIGHUP", () => {
    code = codes.SIGHUP
    process.kill(process.pid, "SIGTERM")
  })
  return {
    code: () => code,
    endAtOnce: () => {
      isEnding = true
    }
  }
}

/** Calls back when all that was written so far is written, or cannot be. */
const flush = (stream: NodeJS.WritableStream, done: () => void): void => {
  stream.write("", () => done())
}

/**
 * Ends with the code that the command returned, once its output is written: a process that exits drops what a slow reader has not
 * taken. Of an interrupted command, only what it says about that matters.
 */
const teardown =
  (signals: Signals): Runtime.Teardown =>
  (exit, onExit) => {
    signals.endAtOnce()
    const isOver = Exit.isSuccess(exit) && typeof exit.value === "number"
    const code = isOver ? exit.value : signals.code()
    process.exitCode = code
    flush(process.stderr, () => (isOver ? flush(process.stdout, () => onExit(code)) : onExit(code)))
  }

export const main = (): void => {
  if (process.versions["bun"] !== undefined) writeAsIs()
  // A failed write is an error of the writer as well. Without a listener it would end the process with a stack.
  process.stdout.on("error", () => undefined)
  process.stderr.on("error", () => undefined)
  const signals = watchSignals()
  run(process.argv.slice(2)).pipe(
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain({ disableErrorReporting: true, teardown: teardown(signals) })
  )
}
