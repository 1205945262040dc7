/**
 * Runs the command in this process, as a shell would: arguments and variables in, text and an exit code out.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PlatformError from "effect/PlatformError"
import * as Sink from "effect/Sink"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import type { ExitCode } from "../../src/exitCode.ts"
import { run } from "../../src/run.ts"

export interface Ended {
  readonly code: ExitCode
  readonly stdout: string
  readonly stderr: string
}

export interface Given {
  readonly stdin?: string | Uint8Array
  /** Variables of the environment. Others are not there. */
  readonly env?: Readonly<Record<string, string>>
  /** Whether standard output is a terminal. Defaults to `false`. */
  readonly isTerminal?: boolean
  /** Whether standard output is a file on a full disk. Defaults to `false`. */
  readonly isFull?: boolean
}

const decoder = new TextDecoder()

const textOf = (piece: string | Uint8Array): string => (typeof piece === "string" ? piece : decoder.decode(piece))

/** Takes what is written, piece by piece. */
const collecting = (pieces: Array<string>) => () =>
  Sink.forEach((piece: string | Uint8Array) => Effect.sync(() => void pieces.push(textOf(piece))))

const full = () =>
  Sink.fail(
    PlatformError.systemError({
      module: "Stdio",
      method: "stdout",
      _tag: "Unknown",
      cause: Object.assign(new Error("no space left"), { code: "ENOSPC" })
    })
  )

/** Runs the command. No one types. */
export const eacr = (
  args: ReadonlyArray<string>,
  { env = {}, isFull = false, isTerminal = false, stdin = "" }: Given = {}
): Effect.Effect<Ended> =>
  Effect.suspend(() => {
    const stdout: Array<string> = []
    const stderr: Array<string> = []
    const stdio = Stdio.layerTest({
      stdin: Stream.make(typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin),
      stdout: isFull ? full : collecting(stdout),
      stderr: collecting(stderr),
      stdoutIsTerminal: Effect.succeed(isTerminal)
    })
    return run(args).pipe(
      Effect.map((code): Ended => ({ code, stdout: stdout.join(""), stderr: stderr.join("") })),
      Effect.provide(
        Layer.mergeAll(NodeServices.layer, ConfigProvider.layer(ConfigProvider.fromUnknown(env))).pipe(
          Layer.merge(stdio)
        )
      )
    )
  })
