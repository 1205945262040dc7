/**
 * Files that appear only once they are complete, and that survive a loss of power.
 *
 * A file is written under another name, synced, and renamed. On platforms that cannot sync a folder, a loss of power may undo the
 * renaming.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"

/** Small writes cost as much as large ones. */
const pieceBytes = 1024 * 1024

/** A unique name for a file. */
export const nonce: Effect.Effect<string> = Effect.map(Random.Random, (random) => {
  const half = () =>
    Math.floor(random.nextDoubleUnsafe() * 2 ** 32)
      .toString(16)
      .padStart(8, "0")
  return half() + half()
})

/** The limit of file systems for one name, in bytes. Some count UTF-16 units, which are fewer. */
const mostNameBytes = 255

const encoder = new TextEncoder()

/** The beginning of a text that has at most this many bytes, without a part of a character. */
const beginning = (text: string, mostBytes: number): string =>
  text.slice(0, encoder.encodeInto(text, new Uint8Array(mostBytes)).read)

/**
 * An unused hidden name for the temporary file of a file in the same folder: `.<name>.<random>`. The end of a long name is left
 * out.
 */
export const temporaryName = (name: string): Effect.Effect<string> =>
  Effect.map(nonce, (random) => {
    const end = `.${random}`
    return `.${beginning(name, mostNameBytes - 1 - end.length)}${end}`
  })

/** Writes a stream to an open file, a mebibyte at a time. The buffer is no larger than the file, if its size is known. */
export const writeAll = <E, R>(
  file: FileSystem.File,
  stream: Stream.Stream<Uint8Array, E, R>,
  size: number = pieceBytes
): Effect.Effect<void, E | PlatformError, R> =>
  Effect.suspend(() => {
    const buffer = new Uint8Array(Math.min(size, pieceBytes))
    let filled = 0
    const flush = Effect.suspend(() => {
      const bytes = buffer.subarray(0, filled)
      filled = 0
      return file.writeAll(bytes)
    })
    /** Most chunks only go to the buffer, without running an effect. */
    const write = (pieces: ReadonlyArray<Uint8Array>): Effect.Effect<void, PlatformError> => {
      for (const [index, piece] of pieces.entries()) {
        if (filled + piece.length > buffer.length) {
          const [written, next] = filled > 0 ? [flush, index] : [file.writeAll(piece), index + 1]
          return Effect.andThen(
            written,
            Effect.suspend(() => write(pieces.slice(next)))
          )
        }
        buffer.set(piece, filled)
        filled += piece.length
      }
      return Effect.void
    }
    // Freed at once: the memory of many small files would add up until the next garbage collection.
    const free = () => void buffer.buffer.transfer(0)
    return Effect.map(Effect.andThen(Stream.runForEachArray(stream, write), flush), free)
  })

/** Makes renames in a folder durable. Not every platform supports that. */
export const syncFolder = (files: FileSystem.FileSystem, at: string): Effect.Effect<void> =>
  Effect.scoped(Effect.flatMap(files.open(at, { flag: "r" }), (opened) => opened.sync)).pipe(Effect.ignore)

/** The content of a file, and a condition for its appearance. */
export interface Whole<out E, out R> {
  readonly content: Stream.Stream<Uint8Array, E, R>
  /** The size in bytes, if it is known. */
  readonly size?: number
  /** The mode of the file, before the umask is applied. Defaults to that of new files. */
  readonly mode?: number
  /** Runs right before the file appears. If it returns `false`, the file does not appear. */
  readonly isAllowed?: Effect.Effect<boolean>
}

/**
 * Writes a file through a temporary file, so that it appears only once it is complete. Returns `false` if the file may not
 * appear.
 */
export const writeFile = <E, R>(
  files: Pick<FileSystem.FileSystem, "open" | "remove" | "rename">,
  temporary: string,
  target: string,
  { content, isAllowed = Effect.succeed(true), mode, size }: Whole<E, R>
): Effect.Effect<boolean, E | PlatformError, R> =>
  Effect.gen(function* () {
    yield* Effect.scoped(
      Effect.gen(function* () {
        const file = yield* files.open(temporary, { flag: "wx", ...(mode === undefined ? {} : { mode }) })
        yield* writeAll(file, content, size)
        yield* file.sync
      })
    )
    if (!(yield* isAllowed)) return false
    yield* files.rename(temporary, target)
    return true
  }).pipe(
    Effect.onExit((exit) =>
      // After the rename, the temporary file no longer exists.
      Exit.isSuccess(exit) && exit.value ? Effect.void : Effect.ignore(files.remove(temporary, { force: true }))
    )
  )
