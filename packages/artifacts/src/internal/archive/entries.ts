/**
 * The files of a tar archive by name. Links are followed only within the archive.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Effect from "effect/Effect"
import type { Header, TarError } from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ArchiveError, FileFailed, InvalidArchive, NotAnArchive, type Reason } from "../../ArchiveError.ts"
import { isOtherFile, problemOf } from "../tarProblem.ts"
import { clean, followed } from "../entryNames.ts"

/** The content of a file in an archive. */
export interface Content<out E> {
  /** In bytes. */
  readonly size: number
  readonly read: BlobSource.BlobSource<E | ArchiveError>["read"]
}

/** The files of an archive by name, and by the names of links to them. */
export interface Entries<out E> {
  /** The size of a file; none if it does not exist. */
  readonly size: (name: string) => Effect.Effect<Option.Option<number>, E | ArchiveError>
  /** A file to read; none if it does not exist. An archive from a stream is paused until the scope closes. */
  readonly open: (name: string) => Effect.Effect<Option.Option<Content<E>>, E | ArchiveError, Scope.Scope>
  /** Whether a file is known to be readable again. A file of a stream may not have arrived yet. */
  readonly isRepeatable: (name: string) => boolean
  /** Reads an archive from a stream to its end, so that all of it can be read repeatedly. */
  readonly keepAll: Effect.Effect<void, E | ArchiveError>
}

/** A named entry: a file or a link. */
export type Named<File> =
  | { readonly _tag: "File"; readonly file: File }
  | { readonly _tag: "Link"; readonly target: Option.Option<string> }

/** Docker's own archives have links of one step. */
const mostLinks = 16

/** Images have at most thousands of entries. All names are kept in memory. */
const mostEntries = 1_000_000

/** The limit of all names and link targets together, in UTF-16 units. A single one can have a mebibyte, which compresses to a kibibyte. */
const mostNameUnits = 16 * 1024 * 1024

export const failure = (archive: string) => (reason: Reason) => new ArchiveError({ archive, reason })

export const invalid = (archive: string, description: string) => failure(archive)(new InvalidArchive({ description }))

export const ofFile = (archive: string) => (cause: PlatformError) =>
  failure(archive)(new FileFailed({ description: cause.message, cause }))

/** `from` is the offset in bytes at which reading began. */
export const ofTar =
  (archive: string, from = 0) =>
  (error: TarError) => {
    const problem = problemOf(error, from)
    if (!isOtherFile(error, from)) return invalid(archive, problem)
    const description = `this is not a tar archive, plain or compressed by gzip or zstd: ${problem}`
    return failure(archive)(new NotAnArchive({ description, found: "OtherFile" }))
  }

/** Notes an entry, if it is content. Of two entries with the same name, the later one counts. */
export const note = <File>(names: Map<string, Named<File>>, header: Header, file: File): void => {
  const name = clean(header.path)
  const { linkTarget = "", type } = header
  if (type === "File") names.set(name, { _tag: "File", file })
  if (type === "Symlink") names.set(name, { _tag: "Link", target: followed(header.path, linkTarget) })
  if (type !== "Hardlink") return
  // A hard link is another name of an earlier entry. GNU tar writes a link to itself for a file that is packed twice.
  const target = names.get(clean(linkTarget))
  if (target !== undefined) names.set(name, target)
}

/** Counts the entries and names that are kept. Fails if there are too many. */
export const makeCounter = (archive: string) => {
  let units = 0
  return (entries: number, { linkTarget = "", path }: Header): Effect.Effect<void, ArchiveError> =>
    Effect.suspend(() => {
      units += path.length + linkTarget.length
      if (entries > mostEntries) return invalid(archive, `the archive has more than ${mostEntries} entries`)
      return units > mostNameUnits
        ? invalid(archive, `the names in the archive are longer than ${mostNameUnits} characters together`)
        : Effect.void
    })
}

/** Follows links until there is a file. */
export const resolve = <File, E>(
  archive: string,
  name: string,
  lookUp: (name: string) => Effect.Effect<Named<File> | undefined, E>
): Effect.Effect<Option.Option<File>, E | ArchiveError> =>
  Effect.gen(function* () {
    let next = clean(name)
    for (let links = 0; links <= mostLinks; links++) {
      const named = yield* lookUp(next)
      if (named === undefined) return Option.none()
      if (named._tag === "File") return Option.some(named.file)
      if (Option.isNone(named.target)) return yield* invalid(archive, `${name} is a link that leads out of the archive`)
      next = named.target.value
    }
    return yield* invalid(archive, `${name} is a link that leads to itself, or has more than ${mostLinks} steps`)
  })

/** A file of an archive, or of a kept part of one, which is stored within another file. */
export const contentAt = (
  files: FileSystem.FileSystem,
  archive: string,
  path: string,
  part: BlobSource.FilePart
): Content<never> => {
  const { read } = BlobSource.fromFile(path, part)
  return {
    size: part.size,
    read: (offset, heldBytes) =>
      read(offset, heldBytes).pipe(
        Stream.provideService(FileSystem.FileSystem, files),
        Stream.mapError(ofFile(archive))
      )
  }
}
