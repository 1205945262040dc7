/**
 * Runs the command as a process, with no variable of the user's environment but `PATH`.
 */
import { type ChildProcess, spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import { compileCache } from "../../../../test/support/command.ts"
import { eacrFile } from "../../../../test/support/programs.ts"

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Started {
  readonly child: ChildProcess
  readonly finished: Effect.Effect<Finished>
  /** Waits until standard output holds a text. Fails with the output so far if the process ends before. */
  readonly printed: (text: string) => Effect.Effect<void>
}

/** Starts a program. It ends with the scope. */
export const start = (command: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.sync((): Started => {
      const child = spawn(command, args, { env: { PATH: process.env["PATH"], ...compileCache, ...env }, stdio: "pipe" })
      const output = { stdout: "", stderr: "" }
      child.stdout.on("data", (piece: Buffer) => (output.stdout += piece.toString()))
      child.stderr.on("data", (piece: Buffer) => (output.stderr += piece.toString()))
      child.stdin.on("error", () => {})
      const ended = new Promise<Finished>((resolve) => {
        child.on("close", (code) => resolve({ code, ...output }))
      })
      const printed = (text: string) =>
        Effect.callback<void>((resume) => {
          const look = () => {
            if (output.stdout.includes(text)) resume(Effect.void)
          }
          child.stdout.on("data", look)
          child.on("close", () => resume(Effect.die(new Error(`it ended without ${text}: ${JSON.stringify(output)}`))))
          look()
        })
      return { child, finished: Effect.promise(() => ended), printed }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** Runs the command to its end. */
export const eacrProcess = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  { env = {}, stdin = "" }: { readonly env?: Readonly<Record<string, string>>; readonly stdin?: string } = {}
) {
  const { child, finished } = yield* start(process.execPath, [eacrFile, ...args], env)
  child.stdin?.end(stdin)
  return yield* finished
}, Effect.scoped)
