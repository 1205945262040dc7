/**
 * Downloads into files: under another name until the content is verified, in pieces of a size that disks like.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import type * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { algorithm, type Digest, hex } from "../../Digest.ts"
import type { Hash, Start } from "../../Hasher.ts"
import type { RegistryError } from "../../RegistryError.ts"

/** Small writes cost as much as large ones. */
const pieceBytes = 1024 * 1024

/** Writes a stream of a size to an open file, a mebibyte at a time. */
const writeAll = <E, R>(
  file: FileSystem.File,
  stream: Stream.Stream<Uint8Array, E, R>,
  size: number = pieceBytes
): Effect.Effect<void, E | PlatformError.PlatformError, R> =>
  Effect.suspend(() => {
    const buffer = new Uint8Array(Math.min(size, pieceBytes))
    let filled = 0
    const flush = Effect.suspend(() => {
      const bytes = buffer.subarray(0, filled)
      filled = 0
      return bytes.length === 0 ? Effect.void : file.writeAll(bytes)
    })
    const write = Effect.fnUntraced(function* (piece: Uint8Array) {
      if (filled + piece.length > buffer.length) yield* flush
      if (piece.length >= buffer.length) return yield* file.writeAll(piece)
      buffer.set(piece, filled)
      filled += piece.length
    })
    return Stream.runForEachArray(stream, (pieces) => Effect.forEach(pieces, write, { discard: true })).pipe(
      // What came before a fault is not lost: an interrupted download goes on from there.
      Effect.ensuring(Effect.ignore(flush)),
      Effect.andThen(flush)
    )
  })

/** Hashes what an earlier run has left, and tells how much that is; more than there should be is no good. */
const takeUp = Effect.fnUntraced(function* (
  files: FileSystem.FileSystem,
  path: string,
  size: number | undefined,
  hash: Hash
) {
  // What is behind a link is somebody else's.
  const isLink = yield* Effect.isSuccess(files.readLink(path))
  const left = yield* Effect.orElseSucceed(
    Effect.map(files.stat(path), (info) => Number(info.size)),
    () => 0
  )
  if (isLink || left === 0 || (size !== undefined && left > size)) return 0
  yield* Stream.runForEachArray(files.stream(path, { chunkSize: pieceBytes }), (pieces) =>
    Effect.sync(() => {
      for (const piece of pieces) hash.update(piece)
    })
  )
  return left
})

/**
 * Makes a file anew, so that nothing is written where a link leads that somebody has put there. Mostly there is none of
 * that name, and nothing to remove.
 */
const openAnew = (files: FileSystem.FileSystem, path: string) => {
  const open = files.open(path, { flag: "wx" })
  return Effect.catchIf(
    open,
    ({ reason }) => reason._tag === "AlreadyExists",
    () => Effect.andThen(files.remove(path, { force: true }), open)
  )
}

/**
 * Writes a blob to a file. Its name appears when the content is verified, and not before.
 */
export const download = (options: {
  readonly path: string
  readonly digest: Digest
  readonly size: number | undefined
  readonly startHash: Start
  /** Whether to leave what came, and to go on from what is there. */
  readonly resumable: boolean
  /** The content from an offset on, whose hash up to there is given. */
  readonly read: (from: number, hash: Hash) => Stream.Stream<Uint8Array, RegistryError>
}): Effect.Effect<void, RegistryError | PlatformError.PlatformError, FileSystem.FileSystem> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { digest, path, read, resumable, size, startHash } = options
      const files = yield* FileSystem.FileSystem
      const hash = startHash(algorithm(digest))
      // Beside the file, so that renaming it is one step; with the digest, so that it is never part of another blob.
      const partial = `${path}.${hex(digest).slice(0, 16)}.partial`
      const from = resumable ? yield* takeUp(files, partial, size, hash) : 0

      const file = yield* from === 0 ? openAnew(files, partial) : files.open(partial, { flag: "a" })
      yield* writeAll(file, read(from, hash), size).pipe(
        Effect.andThen(file.sync),
        Effect.andThen(files.rename(partial, path)),
        Effect.onExit((exit) =>
          Exit.isSuccess(exit) || (resumable && !isMismatch(exit))
            ? Effect.void
            : Effect.ignore(files.remove(partial, { force: true }))
        )
      )
    })
  )

/** Whether the content was wrong: to go on from there would be in vain. */
const isMismatch = (exit: Exit.Exit<void, RegistryError | PlatformError.PlatformError>): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some(
    (reason) =>
      reason._tag === "Fail" && reason.error._tag === "RegistryError" && reason.error.reason._tag === "ContentMismatch"
  )
