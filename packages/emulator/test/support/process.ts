/**
 * The emulator as a process that can be killed.
 */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import { emulatorFile } from "../../../../test/support/programs.ts"

/** The login of the command's admin user. */
export const authorization = `Basic ${btoa("admin:emulator")}`

export interface Process {
  readonly endpoint: string
  readonly pid: number
  /** Kills it, without a chance to do anything. */
  readonly kill: Effect.Effect<void>
}

/** Starts the command on a folder. Fails with what it prints if it ends. */
export const start = (directory: string) =>
  Effect.acquireRelease(
    Effect.callback<Process, string>((resume) => {
      const child = spawn(process.execPath, [emulatorFile, "--port", "0", "--directory", directory], {
        stdio: ["ignore", "pipe", "pipe"]
      })
      const ended = new Promise<void>((resolve) => child.once("close", () => resolve()))
      const kill = Effect.promise(() => {
        child.kill("SIGKILL")
        return ended
      })
      let text = ""
      const read = (chunk: unknown) => {
        text += String(chunk)
        const endpoint = /http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0]
        if (endpoint !== undefined && text.includes("Ctrl-C")) {
          resume(Effect.succeed({ endpoint, pid: child.pid ?? 0, kill }))
        }
      }
      child.stdout.on("data", read)
      child.stderr.on("data", read)
      child.once("close", () => resume(Effect.fail(text.trim())))
    }),
    ({ kill }) => kill
  )
