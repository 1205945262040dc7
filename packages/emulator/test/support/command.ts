/**
 * The emulator as a command.
 */
import { spawn } from "node:child_process"
import * as Effect from "effect/Effect"
import { emulatorFile } from "../../../../test/support/programs.ts"

/** Starts the command on a free port, and returns its endpoint. */
export const command = Effect.fnUntraced(function* (...flags: ReadonlyArray<string>) {
  const child = yield* Effect.acquireRelease(
    Effect.sync(() =>
      spawn(process.execPath, [emulatorFile, "--port", "0", ...flags], { stdio: ["ignore", "pipe", "inherit"] })
    ),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  return yield* Effect.callback<string>((resume) => {
    let text = ""
    child.stdout.on("data", (chunk) => {
      text += String(chunk)
      if (text.includes("Ctrl-C")) resume(Effect.succeed(/http:\/\/127\.0\.0\.1:\d+/.exec(text)?.[0] ?? ""))
    })
  })
})
