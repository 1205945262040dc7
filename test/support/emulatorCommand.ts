/**
 * The emulator as a command, started from its sources or from what was built of them.
 */
import { spawn, spawnSync } from "node:child_process"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { emulatorFile } from "./programs.ts"

const Login = Schema.Struct({ username: Schema.String, password: Schema.String })

/** What `--json` prints. */
const Ready = Schema.fromJsonString(
  Schema.Struct({
    endpoint: Schema.String,
    loginServer: Schema.String,
    control: Schema.optionalKey(Schema.Struct({ endpoint: Schema.String })),
    blobs: Schema.String,
    certificate: Schema.optionalKey(Schema.String),
    certificateFile: Schema.optionalKey(Schema.String),
    logins: Schema.Struct({
      adminUser: Login,
      entraToken: Schema.String,
      scopeMapTokens: Schema.Array(Login)
    })
  })
)

/** How a command ended. */
export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command that is expected to end at once. */
export const ends = (flags: ReadonlyArray<string>, nodeFlags: ReadonlyArray<string> = []): Ended => {
  const { status, stderr, stdout } = spawnSync(process.execPath, [...nodeFlags, emulatorFile, ...flags], {
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
    // One that starts after all would block the test, which no timeout of the test ends.
    timeout: 30_000,
    killSignal: "SIGKILL"
  })
  return { code: status, stderr, stdout }
}

/** Starts a program, and waits until it has printed a line. It goes with the scope. */
export const startPrinting = Effect.fnUntraced(function* (program: string, args: ReadonlyArray<string>) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] })),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const printed = { stdout: "", stderr: "" }
  child.stderr.on("data", (chunk) => {
    printed.stderr += String(chunk)
  })
  const ended = new Promise<Ended>((resolve) => child.on("close", (code) => resolve({ code, ...printed })))
  const line = yield* Effect.callback<string, Ended>((resume) => {
    child.stdout.on("data", (chunk) => {
      printed.stdout += String(chunk)
      if (printed.stdout.includes("\n")) resume(Effect.succeed(printed.stdout))
    })
    void ended.then((how) => resume(Effect.fail(how)))
  })
  return {
    pid: child.pid ?? 0,
    line,
    /** What it printed so far on stderr. */
    logged: Effect.sync(() => printed.stderr),
    /** Ends it by a signal. */
    stop: (signal: NodeJS.Signals) =>
      Effect.promise(() => {
        child.kill(signal)
        return ended
      })
  }
})

/** Starts a program that prints the line of `--json`, and waits for that line. It goes with the scope. */
export const startWith = Effect.fnUntraced(function* (program: string, args: ReadonlyArray<string>) {
  const started = yield* startPrinting(program, args)
  return { ...started, ready: yield* Schema.decodeEffect(Ready)(started.line) }
})

/** Starts the command on a free port, and waits until it is ready. */
export const start = (...flags: ReadonlyArray<string>) =>
  startWith(process.execPath, [emulatorFile, "--json", "--port", "0", ...flags])
