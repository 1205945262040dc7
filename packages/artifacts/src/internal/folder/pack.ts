/**
 * Packs a folder into a tar archive, reproducibly: the bytes do not depend on the machine, its locale, its umask, or the order
 * and the times in which the files were created.
 */
import * as Arr from "effect/Array"
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { FileChanged, FileFailed, FolderError, InvalidArchive, type Reason, RefusedEntry } from "../../FolderError.ts"
import { clean, followed } from "../entryNames.ts"
import { sourceInstant } from "./instant.ts"
import { problemOf, shown } from "./names.ts"

/**
 * How to pack a folder.
 *
 * @category options
 * @since 0.1.0
 */
export interface PackOptions {
  /** The time of all entries. Defaults to the variable `SOURCE_DATE_EPOCH` (in seconds) if it is set, otherwise to 1 January 1970. */
  readonly modified?: Date
  /** Whether files keep their times if these are earlier than `modified`. Defaults to false. */
  readonly clamp?: boolean
  /** The owner of all entries: `root` (the default), or the numbers of the files (`keep`). Names are never written. */
  readonly owner?: "root" | "keep"
  /** How to pack further names of one file: as a hard link to the first name (the default), or as a copy. */
  readonly hardLinks?: "link" | "copy"
  /** What to do with symbolic links that are absolute or lead out of the folder, directly or through other links. Defaults to `refuse`. */
  readonly outsideLinks?: "refuse" | "keep"
  /** What to do with devices, pipes and sockets. Defaults to `refuse`. */
  readonly specialFiles?: "refuse" | "skip"
  /** A folder to put all names of the archive into, without `..`. Defaults to none. */
  readonly prefix?: string
}

/** A path that is still to be packed. */
interface Pending {
  /** Relative to the folder, with `/`. */
  readonly name: string
  readonly at: string
}

const encoder = new TextEncoder()

const compareBytes = (left: Uint8Array, right: Uint8Array): number => {
  const length = Math.min(left.length, right.length)
  for (let at = 0; at < length; at++) {
    const difference = (left[at] ?? 0) - (right[at] ?? 0)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

/** Whiteouts of image layers begin with this. OCI image specification, layer.md, "Whiteouts". */
const whiteout = ".wh."

const whiteoutProblem = `names that begin with ${whiteout} remove files of an image`

const isWhiteout = (name: string): boolean => name.slice(name.lastIndexOf("/") + 1).startsWith(whiteout)

const isNotFound = ({ reason }: PlatformError): boolean => reason._tag === "NotFound"

const pieceBytes = 1024 * 1024

/** The first bytes of an open file, read one step ahead. */
const readFirst = (file: FileSystem.File, size: number): Stream.Stream<Uint8Array, PlatformError> =>
  Stream.suspend(() => {
    let left = size
    const read = Effect.suspend(() => {
      const piece = new Uint8Array(Math.min(pieceBytes, left))
      return Effect.flatMap(file.read(piece), (length) => {
        left -= length
        return length === 0 ? Cause.done() : Effect.succeed(Arr.of(piece.subarray(0, length)))
      })
    })
    return Stream.bufferArray(Stream.fromPull(Effect.succeed(read)), { capacity: 1 })
  })

/** Names in the order in which they stand in the archive: by the bytes of UTF-8, a folder with its slash. */
const inOrder = (entries: ReadonlyArray<FileSystem.DirectoryEntry>): ReadonlyArray<string> =>
  entries
    .map(({ name, type }) => ({ name, key: encoder.encode(type === "Directory" ? `${name}/` : name) }))
    .toSorted((left, right) => compareBytes(left.key, right.key))
    .map(({ name }) => name)

const isExecutable = (mode: number): boolean => (mode & 0o111) !== 0

/** The attributes of a file that are the same on all machines. */
const makeOptionsOf = (options: PackOptions, instant: Date) => {
  const timeOf = (mtime: Option.Option<Date>): Date =>
    options.clamp === true
      ? Option.getOrElse(
          Option.filter(mtime, (own) => own < instant),
          () => instant
        )
      : instant
  return ({ gid, mode, mtime, type, uid }: FileSystem.File.Info): Tar.EntryOptions => ({
    ...(type === "File" ? { mode: isExecutable(mode) ? 0o755 : 0o644 } : {}),
    mtime: timeOf(mtime),
    ...(options.owner === "keep" ? { uid: Option.getOrElse(uid, () => 0), gid: Option.getOrElse(gid, () => 0) } : {})
  })
}

/** Stands for bytes that are not UTF-8 in names that the file system returns. */
const replacement = "\uFFFD"

/** A name that is listed twice, since the replacement characters of two names are the same. Opening it opens the same file both times. */
const findRepeated = (names: ReadonlyArray<string>): string | undefined => {
  const found = new Set<string>()
  for (const name of names) {
    if (!name.includes(replacement)) continue
    if (found.has(name)) return name
    found.add(name)
  }
  return undefined
}

/** The paths that a symbolic link passes before it goes up for the last time. */
const passedBeforeUp = (link: string, target: string): ReadonlyArray<string> => {
  const parts = clean(target).split("/")
  const at = link.split("/").slice(0, -1)
  const passed: Array<string> = []
  for (const part of parts.slice(0, Math.max(0, parts.lastIndexOf("..")))) {
    if (part === "..") at.pop()
    else {
      at.push(part)
      passed.push(at.join("/"))
    }
  }
  return passed
}

/** The identity of a file that has several names; undefined if it has only one. */
const linkKey = ({ dev, ino, nlink, type }: FileSystem.File.Info): string | undefined =>
  type === "File" && Option.isSome(ino) && Option.exists(nlink, (count) => count > 1)
    ? `${dev} ${ino.value}`
    : undefined

/** Whether a path still has the same file. */
const isSame = (before: FileSystem.File.Info, now: FileSystem.File.Info): boolean =>
  before.type === now.type && Option.getOrUndefined(before.ino) === Option.getOrUndefined(now.ino)

const entriesOf = (folder: string, options: PackOptions) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const fail = (reason: Reason) => new FolderError({ folder, reason })
    const ofFile = (cause: PlatformError) => fail(new FileFailed({ description: cause.message, cause }))
    const refuse = (entry: string, problem: string) =>
      fail(new RefusedEntry({ entry, description: `${shown(entry)}: ${problem}` }))
    const changed = (name: string, how: string) => fail(new FileChanged({ description: `${shown(name)} ${how}` }))
    const ofEntry = (name: string) => (cause: PlatformError) =>
      isNotFound(cause) ? changed(name, "was removed while the folder was read") : ofFile(cause)

    const instant =
      options.modified ??
      Option.getOrElse(
        yield* Effect.mapError(sourceInstant, ({ message }) => fail(new InvalidArchive({ description: message }))),
        () => new Date(0)
      )
    const optionsOf = makeOptionsOf(options, instant)
    const prefixFolder = clean(options.prefix ?? "")
    const prefix = prefixFolder === "" ? "" : `${prefixFolder}/`
    const firstNames = new Map<string, string>()

    const notUnicode = (name: string) => refuse(name, "it is not valid Unicode")

    const childrenOf = ({ at, name }: Pending) =>
      Effect.gen(function* () {
        const names = inOrder(yield* Effect.mapError(files.readDirectoryEntries(at), ofEntry(name)))
        const nameOf = (child: string) => (name === "" ? child : `${name}/${child}`)
        const repeated = findRepeated(names)
        if (repeated !== undefined) return yield* notUnicode(nameOf(repeated))
        return names.map((child): Pending => ({ name: nameOf(child), at: path.join(at, child) }))
      })

    /** The content of a file. Reads to the end of the file, so that growth is noticed. */
    const bodyOf = ({ at, name }: Pending, info: FileSystem.File.Info) =>
      Stream.unwrap(
        Effect.gen(function* () {
          const file = yield* files.open(at, { flag: "r" })
          const opened = yield* file.stat
          if (!isSame(info, opened)) {
            return yield* changed(name, "was replaced while the folder was read")
          }
          return readFirst(file, Number(ByteSize.toBigInt(info.size)) + 1)
        })
      ).pipe(Stream.mapError((error) => (error instanceof PlatformError ? ofEntry(name)(error) : error)))

    const fileEntry = (pending: Pending, info: FileSystem.File.Info): Tar.Entry<FolderError> => {
      const name = prefix + pending.name
      const key = options.hardLinks === "copy" ? undefined : linkKey(info)
      const first = key === undefined ? undefined : firstNames.get(key)
      if (first !== undefined) return Tar.hardlink(name, first, optionsOf(info))
      if (key !== undefined) firstNames.set(key, name)
      return Tar.fileStream(name, Number(ByteSize.toBigInt(info.size)), bodyOf(pending, info), optionsOf(info))
    }

    const isFolder = (name: string) =>
      Effect.match(files.lstat(path.join(folder, name)), {
        onFailure: () => false,
        onSuccess: ({ type }) => type === "Directory"
      })

    /** Whether a target is inside. Its text tells only if `..` follows real folders: after a link, `..` is the parent of the link's target. */
    const staysInside = (link: string, target: string) =>
      Option.isNone(followed(link, target))
        ? Effect.succeed(false)
        : Effect.map(Effect.forEach(passedBeforeUp(link, target), isFolder), (found) => found.every(Boolean))

    const linkEntry = ({ at, name }: Pending, info: FileSystem.File.Info) =>
      Effect.gen(function* () {
        const target = yield* Effect.mapError(files.readLink(at), ofEntry(name))
        if (target.includes(replacement)) {
          return yield* refuse(name, `it is a link to ${shown(target)}, which is not valid Unicode`)
        }
        if (options.outsideLinks !== "keep" && !(yield* staysInside(name, target))) {
          return yield* refuse(name, `it is a link to ${shown(target)}, outside of the folder`)
        }
        return Tar.symlink(prefix + name, target, optionsOf(info))
      })

    /** The entry of a path; none if it is left out. */
    const entryOf = (pending: Pending, info: FileSystem.File.Info) =>
      Effect.gen(function* () {
        const { name } = pending
        switch (info.type) {
          case "File":
            return Option.some(fileEntry(pending, info))
          case "Directory":
            return Option.some<Tar.Entry<FolderError>>(Tar.directory(prefix + name, optionsOf(info)))
          case "SymbolicLink":
            return Option.some<Tar.Entry<FolderError>>(yield* linkEntry(pending, info))
          default:
            return options.specialFiles === "skip"
              ? Option.none()
              : yield* refuse(name, "it is a device, a pipe or a socket")
        }
      })

    const lookAt = ({ at, name }: Pending) =>
      Effect.mapError(files.lstat(at), (cause) =>
        name.includes(replacement) && isNotFound(cause) ? notUnicode(name) : ofEntry(name)(cause)
      )

    if (prefixFolder !== "") {
      const problem = problemOf(prefixFolder, path.sep)
      if (Option.isSome(problem)) return yield* refuse(prefixFolder, problem.value)
      if (prefixFolder.split("/").some(isWhiteout)) return yield* refuse(prefixFolder, whiteoutProblem)
    }
    const root: Pending = { name: "", at: folder }
    const info = yield* Effect.mapError(files.stat(folder), ofFile)
    if (info.type !== "Directory") return yield* refuse(folder, "it is not a folder")
    const pending: Array<Pending> = [...(yield* childrenOf(root))].toReversed()

    const next = Effect.gen(function* () {
      for (let one = pending.pop(); one !== undefined; one = pending.pop()) {
        if (isWhiteout(one.name)) return yield* refuse(one.name, whiteoutProblem)
        const info = yield* lookAt(one)
        const entry = yield* entryOf(one, info)
        // Not spread: a folder may have more files than a call may have arguments.
        if (info.type === "Directory") for (const child of (yield* childrenOf(one)).toReversed()) pending.push(child)
        // A link in its place would have been followed.
        if (info.type === "Directory" && !isSame(info, yield* lookAt(one))) {
          return yield* changed(one.name, "was replaced while the folder was read")
        }
        if (Option.isSome(entry)) return Arr.of(entry.value)
      }
      return yield* Cause.done()
    })

    const first = prefixFolder === "" ? [] : [Tar.directory(prefixFolder, optionsOf(info))]
    return Stream.concat(Stream.fromIterable<Tar.Entry<FolderError>>(first), Stream.fromPull(Effect.succeed(next)))
  })

/** Packs a folder. */
export const pack = (
  folder: string,
  options: PackOptions = {}
): Stream.Stream<Uint8Array, FolderError, FileSystem.FileSystem | Path.Path> =>
  Stream.unwrap(entriesOf(folder, options)).pipe(
    Stream.pipeThroughChannel(Tar.encode<FolderError, unknown, Tar.Entry<FolderError>>()),
    Stream.mapError((error) => {
      if (!Tar.isTarError(error)) return error
      const { kind, message: description } = error
      const reason = kind === "SizeMismatch" ? new FileChanged({ description }) : new InvalidArchive({ description })
      return new FolderError({ folder, reason })
    })
  )
