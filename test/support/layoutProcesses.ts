/**
 * Processes that write into a layout, and what has to be true of it when they have ended or were killed.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import * as ImageLayout from "@effect-acr/artifacts/ImageLayout"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { completeAt } from "./artifacts.ts"

const entry = fileURLToPath(new URL("./layoutProcess.ts", import.meta.url))

/** A process that writes images, and the tags that it has printed. */
export const writing = (folder: string, prefix: string, count: number) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(process.execPath, [entry, folder, prefix, String(count)])
      const printed: Array<string> = []
      let rest = ""
      child.stdout.on("data", (data: Buffer) => {
        const lines = (rest + data.toString("utf8")).split("\n")
        rest = lines.pop() ?? ""
        printed.push(...lines)
      })
      child.stderr.pipe(process.stderr)
      return { child, printed }
    }),
    ({ child }) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** How a process ended: with a code, or by a signal. */
export const ended = (child: ChildProcessWithoutNullStreams): Effect.Effect<number | string | null> =>
  Effect.callback((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      return resume(Effect.succeed(child.signalCode ?? child.exitCode))
    }
    child.once("close", (code, signal) => resume(Effect.succeed(signal ?? code)))
  })

/** Waits until a process has printed so many tags. */
export const hasPrinted = (
  { child, printed }: Effect.Success<ReturnType<typeof writing>>,
  count: number
): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const look = () => {
      if (printed.length < count) return
      child.stdout.off("data", look)
      resume(Effect.void)
    }
    child.stdout.on("data", look)
    look()
  })

/** Asserts that nothing in a layout is torn, and that these tags and all others name something complete. */
export const assertWhole = (folder: string, tags: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const blobs = join(folder, "blobs/sha256")
    for (const name of existsSync(blobs) ? readdirSync(blobs) : []) {
      const hash = createHash("sha256")
        .update(readFileSync(join(blobs, name)))
        .digest("hex")
      assert.strictEqual(hash, name, "a blob is torn")
    }
    const layout = yield* ImageLayout.open(folder)
    const all = yield* Stream.runCollect(layout.tags)
    assert.includeMembers(all, [...tags])
    for (const tag of all) assert.isTrue(Option.isSome(yield* completeAt(layout, tag)), tag)
    return all
  })
