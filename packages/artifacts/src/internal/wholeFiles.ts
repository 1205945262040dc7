/**
 * Files that appear as a whole or not at all, and that survive a loss of power.
 *
 * A file is written under another name, synced, and renamed. On platforms that cannot sync a folder, a loss of power may undo the
 * renaming.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"

/** Small writes cost as much as large ones. */
const pieceBytes = 1024 * 1024

/** A name that no other file has. */
export const nonce: Effect.Effect<string> = Effect.map(
  Effect.all([Random.nextIntBetween(0, 0xffffffff), Random.nextIntBetween(0, 0xffffffff)]),
  (numbers) => numbers.map((number) => number.toString(16).padStart(8, "0")).join("")
)

/** Writes a stream to an open file, a mebibyte at a time. */
export const writeAll = <E, R>(file: FileSystem.File, stream: Stream.Stream<Uint8Array, E, R>) =>
  Effect.suspend(() => {
    let buffer = new Uint8Array(0)
    let filled = 0
    const flush = Effect.suspend(() => {
      const bytes = buffer.subarray(0, filled)
      filled = 0
      return bytes.length === 0 ? Effect.void : file.writeAll(bytes)
    })
    const write = Effect.fnUntraced(function* (piece: Uint8Array) {
      if (filled + piece.length > pieceBytes) yield* flush
      if (piece.length >= pieceBytes) return yield* file.writeAll(piece)
      // Most files are small, and need no mebibyte.
      if (filled + piece.length > buffer.length) {
        const larger = new Uint8Array(Math.min(pieceBytes, Math.max(2 * buffer.length, filled + piece.length)))
        larger.set(buffer.subarray(0, filled))
        buffer = larger
      }
      buffer.set(piece, filled)
      filled += piece.length
    })
    return Effect.andThen(
      Stream.runForEachArray(stream, (pieces) => Effect.forEach(pieces, write, { discard: true })),
      flush
    )
  })

/** Makes what was renamed in a folder last. Not every platform can. */
export const syncFolder = (files: FileSystem.FileSystem, at: string): Effect.Effect<void> =>
  Effect.scoped(Effect.flatMap(files.open(at, { flag: "r" }), (opened) => opened.sync)).pipe(Effect.ignore)

/**
 * Writes a file as a whole, or not at all, by way of another file. `isAllowed` is asked right before it appears; if it may not, the
 * effect is `false`.
 */
export const writeFile = <E, R>(
  files: FileSystem.FileSystem,
  temporary: string,
  target: string,
  content: Stream.Stream<Uint8Array, E, R>,
  isAllowed: Effect.Effect<boolean> = Effect.succeed(true)
): Effect.Effect<boolean, E | PlatformError, R> =>
  Effect.gen(function* () {
    yield* Effect.scoped(
      Effect.gen(function* () {
        const file = yield* files.open(temporary, { flag: "wx" })
        yield* writeAll(file, content)
        yield* file.sync
      })
    )
    if (!(yield* isAllowed)) return false
    yield* files.rename(temporary, target)
    return true
  }).pipe(
    // After the renaming it is no longer there.
    Effect.ensuring(Effect.ignore(files.remove(temporary, { force: true })))
  )
