/**
 * Runs commands in a copy of the workspace, each in a process group of its own and within a time limit: a fault may cause a
 * loop that no timeout of the test itself can end.
 */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { environmentIn } from "../support/workspace.ts"

/** How a command ended. */
export interface Ending {
  readonly isSuccess: boolean
  readonly printed: string
  readonly seconds: number
}

/** How many characters of the output are kept, the last ones: a test that loops may print without end. */
const mostPrinted = 4 * 1024 * 1024

/** Kills a process and those that it started. */
const killGroup = (leader: number | undefined): void => {
  try {
    if (leader !== undefined) process.kill(-leader, "SIGKILL")
  } catch {
    // The group has ended in the meantime.
  }
}

const runToEnd = (
  folder: string,
  command: string,
  args: ReadonlyArray<string>
): Effect.Effect<Pick<Ending, "isSuccess" | "printed">> =>
  Effect.callback((resume) => {
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...environmentIn(folder), NO_COLOR: "1" },
      // A group of its own, which is killed as a whole.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let printed = ""
    const take = (piece: Buffer) => {
      printed += piece.toString()
      if (printed.length > 2 * mostPrinted) printed = printed.slice(-mostPrinted)
    }
    child.stdout.on("data", take)
    child.stderr.on("data", take)
    child.once("error", (error) => resume(Effect.succeed({ isSuccess: false, printed: error.message })))
    child.once("close", (code) => resume(Effect.succeed({ isSuccess: code === 0, printed })))
    return Effect.sync(() => killGroup(child.pid))
  })

/** Runs a command. One that exceeds the limit is killed and counts as failed. */
export const runWithin = (
  limitSeconds: number,
  folder: string,
  command: string,
  args: ReadonlyArray<string>
): Effect.Effect<Ending> =>
  Effect.suspend(() => {
    const began = performance.now()
    return Effect.map(
      Effect.timeoutOption(runToEnd(folder, command, args), `${limitSeconds} seconds`),
      (ended): Ending => ({
        ...Option.getOrElse(ended, () => ({ isSuccess: false, printed: "FAIL  the tests exceed the time limit" })),
        seconds: (performance.now() - began) / 1000
      })
    )
  })

/** The first failure in the output of vitest. */
export const firstFailure = ({ printed }: Ending): string => /^ *FAIL +(.+)$/m.exec(printed)?.[1] ?? "no test is named"
