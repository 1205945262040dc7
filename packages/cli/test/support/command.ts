/**
 * Runs the command as a process, without a terminal or on one.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process"
import { promisify } from "node:util"
import * as AcrEmulator from "@effect-acr/emulator/AcrEmulator"
import * as Effect from "effect/Effect"
import { compileCache } from "../../../../test/support/command.ts"
import { eacrFile } from "../../../../test/support/programs.ts"
import { authConfig } from "./registry.ts"

/** How long a process may take for what a test waits for. */
const patience = 60_000

export interface Started {
  readonly process: ChildProcess
  readonly stdout: () => string
  readonly stderr: () => string
  /** Waits until the output is as wanted. */
  readonly until: (isWanted: (output: { stdout: string; stderr: string }) => boolean) => Effect.Effect<void>
  /** Waits for the end; the signal or the exit code. */
  readonly ended: Effect.Effect<number | string | null>
}

export interface Given {
  readonly env?: Readonly<Record<string, string>>
  /** Where standard error goes. Defaults to the test. */
  readonly stderr?: "pipe" | number
}

const watched = (child: ChildProcess): Started => {
  const seen = { stdout: "", stderr: "" }
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      seen[name] += text
      tell()
    })
  }
  const ended = new Promise<number | string | null>((resolve) => {
    child.on("close", (code, signal) => {
      resolve(signal ?? code)
      tell()
    })
  })
  const until: Started["until"] = (isWanted) =>
    Effect.promise(
      () =>
        new Promise<void>((resolve, reject) => {
          const timer = setTimeout(() => {
            listeners.delete(look)
            reject(new Error(`not seen within a minute:\n${seen.stdout}\n${seen.stderr}`))
          }, patience)
          const look = () => {
            if (!isWanted(seen)) return
            clearTimeout(timer)
            listeners.delete(look)
            resolve()
          }
          listeners.add(look)
          look()
        })
    )
  return {
    process: child,
    stdout: () => seen.stdout,
    stderr: () => seen.stderr,
    until,
    ended: Effect.promise(() => ended)
  }
}

const variables = Effect.map(AcrEmulator.AcrEmulator, ({ loginServer, logins }) => ({
  PATH: process.env["PATH"] ?? "",
  ...compileCache,
  HOME: "/nonexistent",
  TERM: "xterm-256color",
  DOCKER_AUTH_CONFIG: authConfig(loginServer, logins.adminUser)
}))

const scoped = (start: () => ChildProcess) =>
  Effect.map(
    Effect.acquireRelease(Effect.sync(start), (child) =>
      Effect.sync(() => {
        child.kill("SIGKILL")
      })
    ),
    watched
  )

const named = (args: ReadonlyArray<string>) =>
  Effect.map(AcrEmulator.AcrEmulator, ({ loginServer }) => args.map((arg) => arg.replaceAll("$REGISTRY", loginServer)))

/** Starts the command as a user who is logged in to the emulator, and ends it with the scope. */
export const start = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  { env = {}, stderr = "pipe" }: Given = {}
) {
  const all = { ...(yield* variables), ...env }
  const given = yield* named(args)
  return yield* scoped(() =>
    spawn(process.execPath, [eacrFile, ...given], { env: all, stdio: ["ignore", "pipe", stderr] })
  )
})

const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

/** A line of a shell that runs the command. */
export const shellLine = (args: ReadonlyArray<string>): string =>
  [process.execPath, eacrFile, ...args].map(quoted).join(" ")

/** Runs a line of a shell, in which `eacr …` is written by `shellLine`. */
export const shell = Effect.fnUntraced(function* (line: string, given: Given = {}) {
  const env = { ...(yield* variables), ...given.env }
  return yield* scoped(() => spawn("bash", ["-c", line], { env, stdio: ["ignore", "pipe", "pipe"] }))
})

export interface Terminal {
  readonly columns: number
  readonly rows?: number
  readonly env?: Readonly<Record<string, string>>
}

const ttyMark = /tty:(\/dev\/\S+)\r\n/

/** Starts the command on a terminal of its own. What it shows is on `stdout`, after the name of the terminal. */
export const onTerminal = Effect.fnUntraced(function* (
  args: ReadonlyArray<string>,
  { columns, env = {}, rows = 24 }: Terminal
) {
  const all = { ...(yield* variables), ...env }
  const line = `stty cols ${columns} rows ${rows}; echo tty:$(tty); exec ${shellLine(yield* named(args))}`
  const started = yield* scoped(() =>
    spawn("script", ["-qefc", line, "/dev/null"], {
      env: { SHELL: "/bin/bash", ...all },
      stdio: ["pipe", "pipe", "pipe"]
    })
  )
  yield* started.until(({ stdout }) => ttyMark.test(stdout))
  const tty = ttyMark.exec(started.stdout())?.[1] ?? ""
  return {
    ...started,
    /** What was shown so far, as it came. */
    shown: () => {
      const mark = ttyMark.exec(started.stdout())
      return mark === null ? "" : started.stdout().slice(mark.index + mark[0].length)
    },
    type: (text: string) =>
      Effect.sync(() => {
        started.process.stdin?.write(text)
      }),
    resize: (size: { readonly columns: number }) =>
      Effect.promise(() => promisify(execFile)("stty", ["-F", tty, "cols", `${size.columns}`]))
  }
})
