/**
 * Unpacks a tar archive into a folder.
 *
 * All content is first written into a staging folder under numbers, so that names of the archive do not matter there. Once the
 * archive has ended without an error, everything is renamed into place: folders first, then files, then links, and at the end the
 * modes and times of folders are set.
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { FolderError, InvalidArchive, LimitExceeded } from "../../FolderError.ts"
import { clean } from "../entryNames.ts"
import { writeAll } from "../wholeFiles.ts"
import { ofSource, OfSource } from "../sides.ts"
import { isOtherFile } from "../tarProblem.ts"
import * as Entries from "./entries.ts"
import * as Place from "./place.ts"

/**
 * How to unpack an archive.
 *
 * @category options
 * @since 0.1.0
 */
export interface UnpackOptions {
  /**
   * Whether to replace existing files. Defaults to true. If false, an existing file with other content fails with `AlreadyThere`
   * before anything changes, and one with the same content stays.
   */
  readonly overwrite?: boolean
  /**
   * The limit for the content of all files together. Defaults to 64 GiB, more than people pack into one layer, so that it only
   * stops archives that never end. Set it lower, by the size of the disk, to unpack archives that you do not trust.
   */
  readonly maxBytes?: ByteSize.Input
  /** How many entries the archive may have, including the folders that they are in. Defaults to 1,000,000. */
  readonly maxEntries?: number
  /** What to do with devices and pipes, which are never created. Defaults to `"refuse"`. */
  readonly specialFiles?: "refuse" | "skip"
  /** A folder that all names of the archive begin with, and that is removed from them. Defaults to none. */
  readonly prefix?: string
}

/**
 * What was unpacked.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unpacked {
  /** The number of files, folders and links that the archive names. */
  readonly entries: number
  /** The size of the content of all files, in bytes. */
  readonly bytes: number
}

const defaultMaxBytes = ByteSize.gibibytes(64)
const defaultMaxEntries = 1_000_000

/**
 * Bytes between two entries, or after the last one. Extended headers are at most a megabyte, and programs fill up the last of
 * their records, which are megabytes at most. A stream of zeros without an end is stopped by this.
 */
const mostIdleBytes = 64 * 1024 * 1024

/** Folders that no entry names get this mode, regardless of the umask. */
const defaultFolderMode = 0o755

/** Larger files are written while they are read. */
const smallBytes = 64 * 1024

/** Node has four threads for files. */
const concurrency = 8

/** The mode of a folder while it is filled, until it gets its own. */
const ownerBits = 0o700

/** Counts the bytes that the decoder reads without finding an entry. */
const idleBytes = () => {
  let idle = 0
  return {
    /** Called with each chunk before the decoder reads it, so after the decoder has read the earlier ones. */
    read: (bytes: number): boolean => {
      const isTooMany = idle > mostIdleBytes
      idle += bytes
      return isTooMany
    },
    /** Called when an entry begins, before its content is read. */
    began: (size: number): void => {
      idle = -size
    }
  }
}

type Idle = ReturnType<typeof idleBytes>

/** The archive as the decoder reads it, with the errors of the stream marked. */
const watched = <E, R>(tar: Stream.Stream<Uint8Array, E, R>, idle: Idle, site: Place.Site) =>
  tar.pipe(
    Stream.mapError(ofSource),
    Stream.mapArrayEffect((chunks) =>
      idle.read(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
        ? Effect.fail(
            site.failure(new LimitExceeded({ description: `the archive has ${mostIdleBytes} bytes without an entry` }))
          )
        : Effect.succeed(chunks)
    )
  )

const described = (error: Tar.TarError): string =>
  isOtherFile(error)
    ? `this is not a tar archive (${error.message}). If it is compressed, Compression.decompress gives the archive`
    : error.message

/** Merges the errors of the stream, of the archive and of files. */
const errorOf =
  (site: Place.Site) =>
  <E>(error: OfSource<E> | FolderError | Tar.TarError | PlatformError): E | FolderError => {
    if (error instanceof OfSource) return error.cause
    if (error instanceof FolderError) return error
    return Tar.isTarError(error)
      ? site.failure(new InvalidArchive({ description: described(error) }))
      : site.ofFile(error)
  }

/** Where content is written first. */
const makeStaging = Effect.fnUntraced(function* (files: FileSystem.FileSystem, path: Path.Path, site: Place.Site) {
  const contentAt = ({ content }: Entries.StagedFile) => path.join(site.staging, String(content))

  // The umask applies to this mode. Most modes then need no second step.
  const probe = path.join(site.staging, "mode")
  yield* files.writeFile(probe, new Uint8Array(), { flag: "wx", mode: 0o777 })
  const kept = (yield* files.stat(probe)).mode

  /** A file gets its mode and its time before it gets its name. */
  const finish = Effect.fnUntraced(function* (at: string, { mode, mtime }: Entries.StagedFile) {
    yield* files.utimes(at, mtime, mtime)
    if ((mode & ~kept) !== 0) yield* files.chmod(at, mode)
  })

  const writeWhole = (file: Entries.StagedFile, bytes: Uint8Array) => {
    const at = contentAt(file)
    return files.writeFile(at, bytes, { flag: "wx", mode: file.mode }).pipe(
      Effect.andThen(finish(at, file)),
      // An interrupted file operation continues: it would create a file in a folder that is being removed.
      Effect.uninterruptible
    )
  }

  const writeStream = <E, R>(file: Entries.StagedFile, body: Stream.Stream<Uint8Array, E, R>) => {
    const at = contentAt(file)
    return files.open(at, { flag: "wx", mode: file.mode }).pipe(
      Effect.flatMap((opened) => writeAll(opened, body)),
      Effect.scoped,
      Effect.andThen(finish(at, file))
    )
  }

  return { contentAt, finish, writeWhole, writeStream }
})

type Staging = Effect.Success<ReturnType<typeof makeStaging>>

const collect = <E, R>(size: number, body: Stream.Stream<Uint8Array, E, R>): Effect.Effect<Uint8Array, E, R> =>
  Effect.suspend(() => {
    const bytes = new Uint8Array(size)
    let filled = 0
    return Effect.as(
      Stream.runForEach(body, (chunk) =>
        Effect.sync(() => {
          bytes.set(chunk, filled)
          filled += chunk.length
        })
      ),
      bytes
    )
  })

/** Content that was read and is not yet written. */
interface Held {
  readonly file: Entries.StagedFile
  readonly bytes: Uint8Array
}

/** Reads the archive to its end. Small files are written while the next ones are read, since writing them is mostly waiting. */
const read = <E, R>(
  tar: Stream.Stream<Uint8Array, E, R>,
  site: Place.Site,
  plan: Entries.Plan,
  staging: Staging
): Effect.Effect<void, E | FolderError, R> =>
  Effect.suspend(() => {
    const idle = idleBytes()
    return watched(tar, idle, site).pipe(
      Stream.pipeThroughChannel(Tar.decode()),
      Stream.mapEffect(({ body, header }) =>
        Effect.gen(function* () {
          idle.began(header.size)
          const found = yield* Effect.mapError(Effect.fromResult(plan.accept(header)), site.failure)
          if (Option.isNone(found)) return Option.none<Held>()
          const file = found.value
          if (file.size <= smallBytes) return Option.some<Held>({ file, bytes: yield* collect(file.size, body) })
          yield* staging.writeStream(file, body)
          return Option.none<Held>()
        })
      ),
      Stream.mapEffect(
        Option.match({ onNone: () => Effect.void, onSome: ({ bytes, file }) => staging.writeWhole(file, bytes) }),
        { concurrency, unordered: true }
      ),
      Stream.runDrain,
      Effect.mapError(errorOf(site))
    )
  })

/** What the steps after the end of the archive need. */
interface Work {
  readonly files: FileSystem.FileSystem
  readonly path: Path.Path
  readonly site: Place.Site
  readonly plan: Entries.Plan
  readonly staging: Staging
  readonly options: Place.PlaceOptions
}

/** How much of two files is compared at once. */
const comparedBytes = 64 * 1024

const isEqual = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index])

/** Whether two files have the same bytes. Regular files are read in full chunks. */
const isSameContent = (files: FileSystem.FileSystem, one: string, other: string) =>
  Effect.gen(function* () {
    const first = yield* files.open(one)
    const second = yield* files.open(other)
    while (true) {
      const piece = yield* first.readAlloc(comparedBytes)
      const against = yield* second.readAlloc(comparedBytes)
      if (Option.isNone(piece) || Option.isNone(against)) return Option.isNone(piece) && Option.isNone(against)
      if (!isEqual(piece.value, against.value)) return false
    }
  }).pipe(Effect.scoped)

/** Whether the folder already has the same file or link. */
const isSame =
  ({ files, staging }: Work, node: Entries.Link | Entries.StagedFile): Place.IsSame =>
  (at, found) => {
    if (node.kind === "link") {
      if (found.type !== "SymbolicLink") return Effect.succeed(false)
      return Effect.map(files.readLink(at), (target) => target === node.target)
    }
    return found.type === "File" && Number(found.size) === node.size
      ? isSameContent(files, at, staging.contentAt(node))
      : Effect.succeed(false)
  }

/** Finds conflicts with existing files before anything changes. Returns what to put into the folder. */
const check = (work: Work, nodes: ReadonlyArray<Entries.Node>) =>
  Effect.filter(nodes, (node) =>
    node.kind === "folder"
      ? Effect.as(work.site.checkFolder(node.name), true)
      : work.site.checkFile(node.name, work.options, isSame(work, node))
  )

/** Gives a file another name: a hard link or, if the file system has none or allows no more to this file, a copy. */
const linkAgain = ({ files, plan, site, staging }: Work, file: Entries.StagedFile, at: string) => {
  const copy = Effect.gen(function* () {
    // A copy takes as much space as the file.
    yield* Effect.mapError(Effect.fromResult(plan.countBytes(file.size)), site.failure)
    const copying = Effect.andThen(files.copyFile(staging.contentAt(file), at), staging.finish(at, file))
    yield* Effect.mapError(copying, site.ofFile)
  })
  return Effect.catch(files.link(staging.contentAt(file), at), () => copy)
}

interface Ready {
  readonly name: string
  readonly isLink: boolean
  readonly at: string
}

/** Makes files and links in the staging folder, ready to be renamed. */
const makeReady = (
  work: Work,
  nodes: ReadonlyArray<Entries.Node>
): Effect.Effect<ReadonlyArray<Ready>, FolderError> => {
  const { files, path, site, staging } = work
  return Effect.forEach(
    nodes.filter((node) => node.kind !== "folder"),
    (node, index): Effect.Effect<Ready, FolderError> => {
      const { name } = node
      const isLink = node.kind === "link"
      if (!isLink && !node.isAgain) return Effect.succeed({ name, isLink, at: staging.contentAt(node) })
      const at = path.join(site.staging, `link-${index}`)
      const make = isLink ? Effect.mapError(files.symlink(node.target, at), site.ofFile) : linkAgain(work, node, at)
      return Effect.as(Effect.uninterruptible(make), { name, isLink, at })
    },
    { concurrency }
  )
}

/** Creates missing folders, and returns those whose mode must be set at the end. */
const makeFolders = Effect.fnUntraced(function* ({ files, site }: Work, nodes: ReadonlyArray<Entries.Node>) {
  const changed: Array<Entries.Folder> = []
  for (const node of nodes) {
    if (node.kind !== "folder") continue
    const { mode } = Option.getOrElse(node.named, () => ({ mode: defaultFolderMode }))
    const isNew = yield* site.makeFolder(node.name, mode | ownerBits)
    if (!isNew && Option.isNone(node.named)) continue
    // A folder that was unpacked before may not be writable.
    if (!isNew) yield* Effect.mapError(files.chmod(site.pathOf(node.name), mode | ownerBits), site.ofFile)
    changed.push(node)
  }
  return changed
})

const finishFolder = ({ files, site }: Work, { name, named }: Entries.Folder) => {
  const at = site.pathOf(name)
  return Effect.mapError(
    Option.match(named, {
      onNone: () => files.chmod(at, defaultFolderMode),
      onSome: ({ mode, mtime }) => Effect.andThen(files.utimes(at, mtime, mtime), files.chmod(at, mode))
    }),
    site.ofFile
  )
}

/** Renames everything into place. */
const publish = Effect.fnUntraced(function* (
  work: Work,
  nodes: ReadonlyArray<Entries.Node>,
  ready: ReadonlyArray<Ready>
) {
  const place = ({ at, name }: Ready) => work.site.place(name, at, work.options)
  const folders = yield* makeFolders(work, nodes)
  yield* Effect.forEach(
    ready.filter(({ isLink }) => !isLink),
    place,
    { concurrency, discard: true }
  )
  yield* Effect.forEach(
    ready.filter(({ isLink }) => isLink),
    place,
    { concurrency, discard: true }
  )
  // Innermost first: its mode may make a folder inaccessible.
  yield* Effect.forEach(folders.toReversed(), (folder) => finishFolder(work, folder), { discard: true })
})

const isNamed = (node: Entries.Node): boolean => node.kind !== "folder" || Option.isSome(node.named)

/** An archive whose content is in the staging folder, ready to be renamed into place. */
export interface Prepared {
  readonly unpacked: Unpacked
  /** Renames everything into place. */
  readonly publish: Effect.Effect<void, FolderError>
}

/** Reads an archive to its end, and finds conflicts with existing files. Only the staging folder changes. */
export const prepare = Effect.fnUntraced(function* <E, R>(
  tar: Stream.Stream<Uint8Array, E, R>,
  folder: string,
  {
    maxBytes,
    maxEntries = defaultMaxEntries,
    overwrite = true,
    prefix = "",
    specialFiles = "refuse"
  }: UnpackOptions = {}
): Effect.fn.Return<Prepared, E | FolderError, R | FileSystem.FileSystem | Path.Path | Scope.Scope> {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const most = maxBytes === undefined ? defaultMaxBytes : ByteSize.fromInputUnsafe(maxBytes)
  const plan = Entries.make({
    maxBytes: Number(ByteSize.toBigInt(most)),
    maxEntries,
    specialFiles,
    separator: path.sep,
    prefix: clean(prefix)
  })
  const site = yield* Place.open(folder)
  const staging = yield* Effect.mapError(makeStaging(files, path, site), site.ofFile)
  yield* read(tar, site, plan, staging)
  const nodes = yield* Effect.mapError(Effect.fromResult(plan.finish()), site.failure)
  const work: Work = { files, path, site, plan, staging, options: { overwrite } }
  const missing = yield* check(work, nodes)
  const ready = yield* makeReady(work, missing)
  return {
    unpacked: { entries: nodes.filter(isNamed).length, bytes: plan.bytes() },
    // Renaming is fast, and an interruption in the middle would leave a part of the archive.
    publish: Effect.uninterruptible(publish(work, missing, ready))
  }
})

export const unpack = <E, R>(
  tar: Stream.Stream<Uint8Array, E, R>,
  folder: string,
  options: UnpackOptions = {}
): Effect.Effect<Unpacked, E | FolderError, R | FileSystem.FileSystem | Path.Path> =>
  Effect.scoped(
    Effect.gen(function* () {
      const prepared = yield* prepare(tar, folder, options)
      yield* prepared.publish
      return prepared.unpacked
    })
  )
