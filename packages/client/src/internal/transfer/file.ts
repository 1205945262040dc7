/**
 * Downloads into files.
 *
 * Each download writes to a partial file that it creates itself, exclusively, and renames that file to the target once
 * its content is verified. It never writes to an existing file. So a link, a pipe or another user's file under any of
 * these names is harmless, and two downloads of one blob to one target need no lock.
 *
 * A resumable download moves its partial file to a name that follows from the target and the digest. A later one copies
 * the bytes it finds there to a partial file of its own. It does not append to the file it finds: another download may
 * still write to it, and neither a name nor a lock file tells reliably, across processes, containers and hosts, whether
 * that download was killed. For the same reason the name to resume from is a hint: a download that loses it to a newer
 * one copies its verified bytes from its open file, which no other program can take away.
 *
 * A download removes nothing under the name of its target. If the name leads to another file after the renaming, then
 * another program has written to the same path, or an attacker has swapped the partial file right before. No look at
 * the folder can tell these apart, so the download fails and leaves the file as it is.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import type * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { algorithm, type Digest, hex } from "../../Digest.ts"
import type { Hash, Start } from "../../Hasher.ts"
import { RegistryError } from "../../RegistryError.ts"
import * as Mismatch from "./mismatch.ts"

/** Small writes take as long as large ones. */
const pieceBytes = 1024 * 1024

/** The longest name of a file, in bytes: NAME_MAX of Linux. Windows counts larger units, so it takes these names too. */
const maxNameBytes = 255
const encoder = new TextEncoder()

type Failure = RegistryError | PlatformError.PlatformError

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
      // Bytes that arrived before a fault are kept: a resumed download continues there.
      Effect.ensuring(Effect.ignore(flush)),
      Effect.andThen(flush),
      // Freed at once: the memory of many small files would add up until the next garbage collection.
      Effect.map(() => void buffer.buffer.transfer(0))
    )
  })

/** Reads the first bytes of an open file, hashes them and passes them on. Returns their number. */
const readFirst = Effect.fnUntraced(function* <E>(
  file: FileSystem.File,
  size: number,
  hash: Hash,
  use: (piece: Uint8Array) => Effect.Effect<void, E>
) {
  const buffer = new Uint8Array(Math.min(size, pieceBytes))
  let done = 0
  while (done < size) {
    const room = buffer.subarray(0, size - done)
    const read = yield* file.read(room, { position: BigInt(done) })
    if (read === 0) break
    const piece = room.subarray(0, read)
    hash.update(piece)
    yield* use(piece)
    done += read
  }
  return done
})

/** A file that this download created. Its descriptor always leads to it; its name may later lead to another file. */
interface Own {
  readonly file: FileSystem.File
  readonly info: FileSystem.File.Info
  /** The name that only this download knows. */
  readonly name: string
  /** The current name, as far as this download knows. */
  path: string
}

const alreadyExists = ({ reason }: PlatformError.PlatformError): boolean => reason._tag === "AlreadyExists"

/**
 * The beginning of the names of partial files. They are in the folder of the target, so that renaming is one step. They
 * contain the digest, so that a partial file is never used for another blob.
 *
 * If such a name would be too long, a hash replaces the end of the target's name.
 */
const stemOf = ({ digest, path, startHash }: Pick<Download, "digest" | "path" | "startHash">): string => {
  const blob = `.${hex(digest).slice(0, 16)}`
  const room = maxNameBytes - blob.length - ".89abcdef.partial".length
  const folder = path.slice(0, path.lastIndexOf("/") + 1)
  const name = path.slice(folder.length)
  const bytes = encoder.encode(name)
  if (bytes.length <= room) return path + blob
  // On Windows, the part before a backslash is also a folder, and is not shortened.
  const fixed = name.slice(0, name.lastIndexOf("\\") + 1)
  const hash = startHash("sha256")
  hash.update(encoder.encode(name.slice(fixed.length)))
  const end = `.${hash.hex().slice(0, 16)}`
  let length = Math.max(encoder.encode(fixed).length, room - end.length)
  // Bytes that continue a character of UTF-8 begin with the bits 10.
  while (((bytes[length] ?? 0) & 0xc0) === 0x80) length -= 1
  return folder + new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, length)) + end + blob
}

/** Fails if the path is impossible, for example because its name is too long. */
const assertPossible = (files: FileSystem.FileSystem, path: string) =>
  Effect.catchReason(Effect.asVoid(files.lstat(path)), "PlatformError", "NotFound", () => Effect.void)

/** Creates a file with an unused name. Its permissions are those of any new file of this user. */
const create = (
  files: FileSystem.FileSystem,
  stem: string
): Effect.Effect<Own, PlatformError.PlatformError, Scope.Scope> =>
  Effect.gen(function* () {
    const random = yield* Random.nextIntBetween(0, 0xffffffff)
    const name = `${stem}.${random.toString(16).padStart(8, "0")}.partial`
    const file = yield* files.open(name, { flag: "wx+" })
    return { file, info: yield* file.stat, name, path: name }
  }).pipe(Effect.retry({ times: 9, while: alreadyExists }))

const isSame = (a: FileSystem.File.Info, b: FileSystem.File.Info): boolean =>
  a.dev === b.dev && Option.getOrUndefined(a.ino) === Option.getOrUndefined(b.ino)

/** Whether a path leads to this file, and not through a link. */
const isAt = (files: FileSystem.FileSystem, own: Own, path: string): Effect.Effect<boolean> =>
  Effect.match(files.lstat(path), { onFailure: () => false, onSuccess: (info) => isSame(info, own.info) })

/** Renames the file, and replaces any file of that name. Links are replaced, never followed. */
const move = (files: FileSystem.FileSystem, own: Own, path: string) =>
  Effect.uninterruptible(
    Effect.map(files.rename(own.path, path), () => {
      own.path = path
    })
  )

/**
 * Whether a file is like one that this user would create now: the same owner, permissions and kind, and no second name.
 * Then no other user has created it or may write to it, as far as the umask allows, and its content is not secret.
 */
const isTrusted = (info: FileSystem.File.Info, own: Own): boolean =>
  info.type === "File" &&
  info.mode === own.info.mode &&
  Option.isSome(info.uid) &&
  info.uid.value === Option.getOrUndefined(own.info.uid) &&
  Option.getOrUndefined(info.nlink) === 1n

/**
 * Opens an existing file, if it can be trusted. The check uses the descriptor, because the path may lead elsewhere a
 * moment later. Where the platform cannot open a file without following links, no file is trusted.
 */
const openTrusted = Effect.fnUntraced(
  function* (files: FileSystem.FileSystem, path: string, own: Own) {
    // Opening a device may have side effects.
    if ((yield* files.lstat(path)).type !== "File") return undefined
    // Also for writing, although nothing is written: opening a pipe only for reading would wait for its writer.
    const file = yield* files.open(path, { flag: "r+", noFollow: true })
    const info = yield* file.stat
    return isTrusted(info, own) ? { file, size: Number(info.size) } : undefined
  },
  Effect.orElseSucceed(() => undefined)
)

/** Copies the partial file of an earlier download, and returns its size. A file larger than the blob is useless. */
const takeOver = (files: FileSystem.FileSystem, path: string, own: Own, size: number | undefined, hash: Hash) =>
  Effect.scoped(
    Effect.gen(function* () {
      const left = yield* openTrusted(files, path, own)
      if (left === undefined || left.size > (size ?? left.size)) return 0
      return yield* readFirst(left.file, left.size, hash, (piece) => own.file.writeAll(piece))
    })
  )

/**
 * Moves the file from the name to resume from back to its own name, to which no other download moves a file. Returns
 * whether it is there: it is not if a newer download has taken the name to resume from.
 */
const takeBack = Effect.fnUntraced(
  function* (files: FileSystem.FileSystem, own: Own) {
    const shared = own.path
    if (shared === own.name) return true
    if (!(yield* isAt(files, own, shared))) return false
    yield* move(files, own, own.name)
    if (yield* isAt(files, own, own.name)) return true
    // The newer download was faster than the step.
    yield* move(files, own, shared)
    return false
  },
  Effect.orElseSucceed(() => false)
)

/**
 * Removes the file, if its name still leads to it. First the file leaves the name to resume from: a newer download could
 * take that name between the check and the removal, and would lose its file.
 */
const discard = Effect.fnUntraced(function* (files: FileSystem.FileSystem, own: Own) {
  if (!(yield* takeBack(files, own)) || !(yield* isAt(files, own, own.path))) return
  yield* Effect.ignore(files.remove(own.path, { force: true }))
})

/** What to download, and where to. */
interface Download {
  readonly path: string
  readonly digest: Digest
  readonly size: number | undefined
  readonly startHash: Start
  /** Whether to leave the partial file after a failure, and to resume from an existing one. */
  readonly resumable: boolean
  /**
   * The downloads of a service rename one after another, so each of them still finds its own file under the name, and
   * several downloads to one target all succeed.
   */
  readonly placing: Semaphore.Semaphore
  /** The content from an offset, with the hash of the bytes before it. */
  readonly read: (from: number, hash: Hash) => Stream.Stream<Uint8Array, RegistryError>
}

/** Whether an existing file contains the blob. */
const holdsBlob = (files: FileSystem.FileSystem, own: Own, { digest, path, startHash }: Download) =>
  Effect.scoped(
    Effect.gen(function* () {
      const found = yield* openTrusted(files, path, own)
      if (found === undefined) return false
      const hash = startHash(algorithm(digest))
      yield* readFirst(found.file, found.size, hash, () => Effect.void)
      return hash.hex() === hex(digest)
    })
  ).pipe(Effect.orElseSucceed(() => false))

const replaced = (path: string, description: string) =>
  PlatformError.systemError({
    _tag: "BadResource",
    module: "FileSystem",
    method: "rename",
    pathOrDescriptor: path,
    description
  })

/** Gives a file its final name. Returns whether the name leads to it afterwards. */
const rename = (files: FileSystem.FileSystem, own: Own, path: string) =>
  Effect.gen(function* () {
    if (!(yield* isAt(files, own, own.path))) {
      return yield* replaced(own.path, "another program replaced or removed the partial file before the renaming")
    }
    yield* files.rename(own.path, path)
    return yield* isAt(files, own, path)
  })

/**
 * Gives a verified file its final name. Another program may replace the partial file between the check and the renaming,
 * so the download checks again afterwards. It leaves any other file alone: that may belong to another writer.
 */
const place = (files: FileSystem.FileSystem, own: Own, options: Download): Effect.Effect<void, Failure> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const { path, placing } = options
      if (yield* placing.withPermit(rename(files, own, path))) return
      // Another program may have downloaded the same blob at the same time.
      if (yield* holdsBlob(files, own, options)) return
      return yield* replaced(
        path,
        "the path now leads to another file, or to none: another program wrote to it during the renaming, or replaced " +
          "the partial file right before. The download did not verify what is there, and left it as it is"
      )
    })
  )

/** Copies the verified content again from the open file, and gives the copy the final name. */
const placeCopy = (files: FileSystem.FileSystem, own: Own, stem: string, options: Download) =>
  Effect.acquireUseRelease(
    create(files, stem),
    (second) =>
      Effect.gen(function* () {
        const { digest, startHash } = options
        const hash = startHash(algorithm(digest))
        const { size } = yield* own.file.stat
        yield* readFirst(own.file, Number(size), hash, (piece) => second.file.writeAll(piece))
        const mismatch = Mismatch.ofDigest("another program changed the partial file", digest, hash)
        if (mismatch !== undefined) {
          return yield* new RegistryError({ operation: "RegistryContent.downloadBlob", reason: mismatch })
        }
        yield* second.file.sync
        yield* place(files, second, options)
      }),
    (second, exit) => (Exit.isSuccess(exit) ? Effect.void : discard(files, second))
  )

/** Whether the content was wrong, so that resuming from it would not help. */
const isMismatch = (exit: Exit.Exit<void, Failure>): boolean =>
  Exit.isFailure(exit) &&
  exit.cause.reasons.some(
    (reason) =>
      reason._tag === "Fail" && reason.error._tag === "RegistryError" && reason.error.reason._tag === "ContentMismatch"
  )

/**
 * Downloads a blob to a file. The file gets its final name only once the content is verified.
 */
export const download = (options: Download): Effect.Effect<void, Failure, FileSystem.FileSystem> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { digest, path, read, resumable, size, startHash } = options
      const files = yield* FileSystem.FileSystem
      const stem = stemOf(options)
      // A partial file with a shortened name can be created although the target cannot.
      if (!stem.startsWith(path)) yield* assertPossible(files, path)
      const shared = `${stem}.partial`
      /** Moves the file to the name to resume from, unless something there cannot be replaced, such as a folder. */
      const show = (own: Own) => Effect.ignore(move(files, own, shared))

      yield* Effect.acquireUseRelease(
        create(files, stem),
        (own) =>
          Effect.gen(function* () {
            const hash = startHash(algorithm(digest))
            const from = resumable ? yield* takeOver(files, shared, own, size, hash) : 0
            if (resumable) yield* show(own)
            yield* writeAll(own.file, read(from, hash), size)
            yield* own.file.sync
            yield* Effect.uninterruptibleMask((restore) =>
              Effect.flatMap(takeBack(files, own), (isThere) =>
                isThere
                  ? Effect.onError(place(files, own, options), () => (resumable ? show(own) : Effect.void))
                  : restore(placeCopy(files, own, stem, options))
              )
            )
          }),
        (own, exit) =>
          Exit.isFailure(exit) && (own.path !== shared || isMismatch(exit)) ? discard(files, own) : Effect.void
      )
      // Once the blob is in its place, the partial file of an earlier download is useless. Mostly there is none.
      yield* Effect.ignore(Effect.andThen(files.lstat(shared), files.remove(shared, { force: true })))
    })
  )
