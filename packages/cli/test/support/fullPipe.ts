/**
 * A pipe that is full from the start, as that of a reader that is slow.
 */
import { execFile } from "node:child_process"
import { closeSync, constants, openSync, readdirSync, readFileSync, readSync, writeSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { Started } from "./command.ts"

/** Larger than any pipe. */
const sizeInBytes = 1024 * 1024

/** Makes a full pipe. A process that it is given to has to wait for `read`, which returns all that the pipe holds. */
export const make = Effect.gen(function* () {
  const folder = yield* (yield* FileSystem.FileSystem).makeTempDirectoryScoped()
  const path = join(folder, "pipe")
  yield* Effect.promise(() => promisify(execFile)("mkfifo", [path]))
  const open = (flag: number) =>
    Effect.acquireRelease(
      Effect.sync(() => openSync(path, flag | constants.O_NONBLOCK)),
      (descriptor) => Effect.sync(() => closeSync(descriptor))
    )
  const reader = yield* open(constants.O_RDONLY)
  const writer = yield* open(constants.O_WRONLY)
  writeSync(writer, new Uint8Array(sizeInBytes))
  return {
    writer,
    read: Effect.sync(() => {
      const bytes = Buffer.alloc(sizeInBytes)
      return bytes.toString("utf8", 0, readSync(reader, bytes))
    })
  }
})

/** The lines of what a process watches with `epoll` (proc(5), fdinfo) that wait for room in one of its outputs. */
const awaited = /^tfd: +[12] events: +[\da-f]*[4-7c-f] /m

/** The files of another process may be gone while they are read. */
const waits = (pid: number): Effect.Effect<boolean> =>
  Effect.orElseSucceed(
    Effect.try(() =>
      readdirSync(`/proc/${pid}/fdinfo`).some((name) =>
        awaited.test(readFileSync(`/proc/${pid}/fdinfo/${name}`, "utf8"))
      )
    ),
    () => false
  )

/** Waits until a process can do nothing more before its output is read, or ends. Returns whether it waits. */
export const isAwaited = ({ process }: Started): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    while (process.pid !== undefined && process.exitCode === null) {
      if (yield* waits(process.pid)) return true
      yield* Effect.sleep("20 millis")
    }
    return false
  })
