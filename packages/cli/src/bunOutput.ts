/**
 * Output of a process on Bun.
 *
 * Bun makes a pipe non-blocking to write to it, and leaves it so. The commands of a script share its pipes: what the next one
 * writes is then lost when the reader is slow (`EAGAIN`). These streams write to a descriptor as it is.
 */
import { write } from "node:fs"
import { Writable } from "node:stream"
import { isatty } from "node:tty"

/** How soon to try again if another program has made the pipe non-blocking, in milliseconds. Nothing says when there is room. */
const retryMillis = 5

const writeAll = (descriptor: number, bytes: Uint8Array, done: (error?: Error) => void): void =>
  write(descriptor, bytes, (error, written) => {
    if (error !== null && error.code !== "EAGAIN") return done(error)
    const left = bytes.subarray(written)
    if (error !== null) setTimeout(() => writeAll(descriptor, bytes, done), retryMillis)
    else if (left.length > 0) writeAll(descriptor, left, done)
    else done()
  })

/** Replaces the standard output and the standard error of this process, unless they are terminals, which Bun leaves as they are. */
export const writeAsIs = (): void => {
  const outputs = [
    ["stdout", 1],
    ["stderr", 2]
  ] as const
  for (const [name, descriptor] of outputs) {
    if (isatty(descriptor)) continue
    const stream = new Writable({
      // Full at once, so that a writer waits for each write and sees its error.
      highWaterMark: 0,
      write: (bytes: Uint8Array, _, done) => writeAll(descriptor, bytes, done)
    })
    // A definition of the property, or a look at it, would make Bun's own stream.
    Reflect.set(process, name, stream)
  }
}
