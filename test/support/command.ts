/**
 * Other programs.
 */
import { execFile, spawn, spawnSync } from "node:child_process"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** A program that ended with another code than 0. */
export class CommandFailed extends Data.TaggedError("CommandFailed")<{
  readonly command: string
  readonly stdout: string
  readonly stderr: string
}> {
  override get message(): string {
    return `${this.command}\n${this.stdout}\n${this.stderr}`
  }
}

/** Lets a process without other variables of this one load code that an earlier process compiled (vitest.config.ts). */
export const compileCache = { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "" }

/** Runs a program to its end, and tells what it printed. It ends with the fibre. */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  options: {
    readonly cwd?: string
    readonly env?: NodeJS.ProcessEnv
    readonly uid?: number
    readonly gid?: number
  } = {}
): Effect.Effect<string, CommandFailed> =>
  Effect.callback((resume) => {
    const child = execFile(command, args, { ...options, maxBuffer: 1024 ** 3 }, (error, stdout, stderr) =>
      resume(
        error === null
          ? Effect.succeed(stdout)
          : Effect.fail(new CommandFailed({ command: [command, ...args].join(" "), stdout, stderr }))
      )
    )
    return Effect.sync(() => child.kill())
  })

/** How to start a service. */
interface ServiceOptions {
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
  readonly uid?: number
  readonly gid?: number
  /** The signal that ends it. Defaults to `SIGTERM`. */
  readonly stopBy?: NodeJS.Signals
}

/** A process that runs until the scope closes. `ended` tells what it said when it ends by itself. */
export const service = (
  command: string,
  args: ReadonlyArray<string>,
  { stopBy = "SIGTERM", ...options }: ServiceOptions = {}
) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(command, args, { ...options, stdio: ["ignore", "ignore", "pipe"] })
      let stderr = ""
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr += text
      })
      const ended = new Promise<string>((resolve) => {
        child.once("error", (error) => resolve(String(error)))
        child.once("close", () => resolve(stderr))
      })
      return { child, ended }
    }),
    ({ child, ended }) =>
      Effect.promise(() => {
        child.kill(stopBy)
        return ended
      })
  )

/** Whether a program is there. */
export const isInstalled = (command: string): boolean => spawnSync(command, ["--version"]).error === undefined

/** A folder that goes with the scope. */
export const temporaryFolder = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "effect-acr-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)
