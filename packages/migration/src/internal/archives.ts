/**
 * Folders of archives: an OCI archive for each repository, `shop/api.tar`.
 *
 * A tar cannot be changed in place. A run collects its copies in a layout, `.layouts/shop%2Fapi`, and writes the archive once
 * nothing is left to copy in the repository. The layout stays: the next run adds what is new.
 */
import { ArchiveError } from "@effect-acr/artifacts/ArchiveError"
import type { ContentStore, Reader } from "@effect-acr/artifacts/ContentStore"
import * as Copy from "@effect-acr/artifacts/Copy"
import type { CopyError } from "@effect-acr/artifacts/CopyError"
import * as ImageArchive from "@effect-acr/artifacts/ImageArchive"
import * as LayoutFiles from "@effect-acr/artifacts/LayoutFiles"
import * as Compression from "@effect-acr/client/Compression"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Cache from "effect/Cache"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { PlatformError, systemError } from "effect/PlatformError"
import * as RcMap from "effect/RcMap"
import * as Stream from "effect/Stream"
import * as LeftOut from "./leftOut.ts"

const extension = ".tar"

/** The folder of the layouts, in the folder of the archives. */
const layouts = ".layouts"

export const fileOf = (path: Path.Path, root: string, repository: string): string =>
  `${path.join(root, ...repository.split("/"))}${extension}`

/** Flat, without nested folders: a layout must not contain another layout. */
export const layoutOf = (path: Path.Path, root: string, repository: string): string =>
  path.join(root, layouts, encodeURIComponent(repository))

/** A file beside a layout. The dot in front keeps it apart from the layouts of other repositories, such as `api.sealed`. */
const besideOf = (path: Path.Path, layout: string, extension: string): string =>
  path.join(path.dirname(layout), `.${path.basename(layout)}${extension}`)

/** A file beside a layout that is not filled from its archive yet. */
const markOf = (path: Path.Path, layout: string): string => besideOf(path, layout, ".unfilled")

/** Whether a layout is not filled from its archive yet, as after a kill: nothing may be concluded from what it has. */
export const isUnfilled = (
  files: FileSystem.FileSystem,
  path: Path.Path,
  root: string,
  repository: string
): Effect.Effect<boolean, PlatformError> => files.exists(markOf(path, layoutOf(path, root, repository)))

/** The names of the archives under a folder, without their extension. */
export const archivesIn = (
  files: FileSystem.FileSystem,
  path: Path.Path,
  root: string
): Stream.Stream<string, PlatformError> => {
  const visit = (below: string): Stream.Stream<string, PlatformError> =>
    Stream.unwrap(
      Effect.map(files.readDirectory(path.join(root, below)), (found) =>
        Stream.fromIterable(found.filter((one) => !one.startsWith(".")).toSorted()).pipe(
          Stream.map((one) => (below === "" ? one : `${below}/${one}`)),
          Stream.mapEffect((name) =>
            Effect.map(LeftOut.typeOf(files, path.join(root, name)), (type) => ({ name, type }))
          ),
          Stream.flatMap(({ name, type }) => {
            if (Option.contains(type, "Directory")) return visit(name)
            const isArchive = Option.isSome(type) && name.endsWith(extension)
            return isArchive ? Stream.make(name.slice(0, -extension.length)) : Stream.empty
          })
        )
      )
    )
  return visit("")
}

/** Archives of a migration are uncompressed: reading a compressed one by position needs all of it on disk or in memory. */
const refusing = Compression.Compression.of({
  compress: (_, format) => Stream.fail(new Compression.CompressionError({ format, description: "it is not written" })),
  decompress: (_, format) =>
    Stream.fail(new Compression.CompressionError({ format, description: "decompress the archive first" }))
})

/** Keeps archives open while they are read, and ten seconds longer. */
export const makeReaders = Effect.gen(function* () {
  const opened = yield* RcMap.make({
    lookup: (file: string) => Effect.provideService(ImageArchive.read(file), Compression.Compression, refusing),
    idleTimeToLive: "10 seconds"
  })
  return (file: string): Reader<ArchiveError> => {
    const archive = RcMap.get(opened, file)
    const use = <A, E>(f: (reader: Reader<ArchiveError>) => Effect.Effect<A, E>) =>
      Effect.scoped(Effect.flatMap(archive, f))
    const stream = <A, E>(f: (reader: Reader<ArchiveError>) => Stream.Stream<A, E>) =>
      Stream.unwrap(Effect.map(archive, f))
    return {
      origin: { place: file, repository: "" },
      resolve: (tagOrDigest) => use((reader) => reader.resolve(tagOrDigest)),
      manifest: (manifest) => use((reader) => reader.manifest(manifest)),
      has: (blob) => use((reader) => reader.has(blob)),
      blob: (blob) => ({
        sizeBytes: Effect.succeed(blob.size),
        read: (offset, held) => stream((reader) => reader.blob(blob).read(offset, held)),
        repeatable: true
      }),
      tags: stream((reader) => reader.tags),
      untagged: stream(({ untagged = Stream.empty }) => untagged),
      referrers: (subject, options) => stream((reader) => reader.referrers(subject, options))
    }
  }
})

/** The digest of a file; none if it does not exist. */
const digestOf = (
  files: FileSystem.FileSystem,
  file: string
): Effect.Effect<Option.Option<Digest.Digest>, PlatformError> =>
  Effect.gen(function* () {
    if (!(yield* files.exists(file))) return Option.none()
    const start = yield* Hasher.Hasher
    return Option.some(Hasher.digest(start, "sha256", yield* files.readFile(file)))
  })

/**
 * A file beside a layout with the digest of its index when its archive was written. Times do not show which of them is newer: clocks
 * are set back, and the copy of a folder has other times.
 */
const sealOf = (path: Path.Path, layout: string): string => besideOf(path, layout, ".sealed")

/** Whether an archive was not written from its layout as it is now. */
const isStale = (
  files: FileSystem.FileSystem,
  seal: string,
  index: Digest.Digest,
  archive: string
): Effect.Effect<boolean, PlatformError> =>
  Effect.gen(function* () {
    if (!(yield* files.exists(archive)) || !(yield* files.exists(seal))) return true
    return (yield* files.readFileString(seal)) !== index
  })

/** Whether a copy failed because an archive is damaged. */
const isDamage = ({ cause }: CopyError<unknown>): boolean =>
  cause instanceof ArchiveError && (cause.reason._tag === "ContentDiffers" || cause.reason._tag === "ContentMissing")

/**
 * Fills the layout of an archive from the archive if the layout is gone, so that the next archive has what only this one has.
 * Damaged images and referrers are left out. Fails if the archive cannot be read, and so would be lost.
 */
export const restore = <E>(
  root: string,
  repository: string,
  archive: Reader<ArchiveError>,
  store: ContentStore<E>
): Effect.Effect<
  void,
  ArchiveError | PlatformError | CopyError<ArchiveError | E | Copy.Fault>,
  FileSystem.FileSystem | Path.Path
> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const layout = layoutOf(path, root, repository)
    const mark = markOf(path, layout)
    const isFilled = (yield* files.exists(path.join(layout, LayoutFiles.indexFile))) && !(yield* files.exists(mark))
    if (isFilled) return
    if (!(yield* files.exists(fileOf(path, root, repository)))) return yield* files.remove(mark, { force: true })
    const tags = yield* Stream.runCollect(archive.tags)
    const untagged = yield* Stream.runCollect(archive.untagged ?? Stream.empty)
    yield* files.makeDirectory(path.dirname(mark), { recursive: true })
    // The layout may get the same index again although the archive is damaged.
    yield* files.remove(sealOf(path, layout), { force: true })
    yield* files.writeFileString(mark, "")
    const copy = (reference: string, names: ReadonlyArray<string>, referrers: boolean) =>
      // `keep`, since another group of copies may have moved the tag meanwhile.
      Effect.asVoid(Copy.run(archive, store, reference, { tags: names, onTag: "keep", referrers }))
    const wanted = [
      ...tags.map((tag) => ({ reference: tag, names: [tag] })),
      ...untagged.map(({ digest }) => ({ reference: digest, names: [] }))
    ]
    yield* Effect.forEach(
      wanted,
      ({ names, reference }) =>
        copy(reference, names, true).pipe(
          // The others of its referrers are untagged manifests of the archive.
          Effect.catchIf(isDamage, () => copy(reference, names, false)),
          Effect.catchIf(isDamage, () => Effect.void)
        ),
      { discard: true }
    )
    // Several groups of copies may begin at the same time.
    yield* files.remove(mark, { force: true })
  })

/** Hidden files of folders, among which are archives that killed processes did not finish. Read once: a folder may have many archives. */
export const makeHidden = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  return yield* Cache.make({
    capacity: 1000,
    lookup: (folder: string) =>
      Effect.map(files.readDirectory(folder), (found) => found.filter((one) => one.startsWith(".")))
  })
})

/**
 * Files where an archive appears only if its layout has not changed since. If this process hung meanwhile, another one may have added
 * to the layout, and this archive would replace the one that has it.
 */
const unlessChanged = (files: FileSystem.FileSystem, index: string, before: Digest.Digest): FileSystem.FileSystem =>
  FileSystem.FileSystem.of({
    ...files,
    rename: (from, to) =>
      Effect.flatMap(digestOf(files, index), (now) =>
        Option.contains(now, before)
          ? files.rename(from, to)
          : Effect.fail(
              systemError({
                _tag: "Busy",
                module: "FileSystem",
                method: "rename",
                pathOrDescriptor: to,
                description: "the layout has changed meanwhile: run again"
              })
            )
      )
  })

/**
 * The names and the untagged manifests of a layout, also of those that the rules of this run leave out: other runs may have copied
 * them. Without referrers, which come with their subjects.
 */
const referencesIn = <E>(store: ContentStore<E>): Effect.Effect<ReadonlyArray<string>, E> =>
  Effect.gen(function* () {
    const tags = yield* Stream.runCollect(store.tags)
    const isAlone = ({ digest }: Pick<Descriptor, "digest">): Effect.Effect<boolean, E> =>
      Effect.gen(function* () {
        const referrer = Option.flatMap(yield* store.manifest({ digest }), Referrer.fromManifest)
        return Option.isNone(referrer) || !(yield* store.keeps({ digest: referrer.value.subject }))
      })
    const { untagged = Stream.empty } = store
    const alone = yield* untagged.pipe(Stream.filterEffect(isAlone), Stream.runCollect)
    return [...tags, ...alone.map(({ digest }) => digest)]
  })

/** Whether an unfinished archive is gone: another process took it for that of a killed one. */
const isRemoved = (error: unknown): boolean =>
  error instanceof ArchiveError &&
  error.reason._tag === "FileFailed" &&
  error.reason.cause instanceof PlatformError &&
  error.reason.cause.reason._tag === "NotFound"

/** How often an archive is written anew. Each process removes unfinished files of a folder once. */
const mostRemovals = 3

/** Rewrites the archive of a repository if its layout has changed. The file gets its name once it is complete. */
export const seal = <E>(
  root: string,
  repository: string,
  store: ContentStore<E>,
  hidden: Effect.Success<typeof makeHidden>
): Effect.Effect<void, E | ImageArchive.WriteFault | PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = fileOf(path, root, repository)
    const layout = layoutOf(path, root, repository)
    const index = path.join(layout, LayoutFiles.indexFile)
    const before = yield* digestOf(files, index)
    if (Option.isNone(before) || (yield* isUnfilled(files, path, root, repository))) return
    const sealed = sealOf(path, layout)
    if (!(yield* isStale(files, sealed, before.value, file))) return
    const references = yield* referencesIn(store)
    if (references.length === 0) return
    const folder = path.dirname(file)
    yield* files.makeDirectory(folder, { recursive: true })
    const unfinished = (yield* Cache.get(hidden, folder)).filter((one) => one.startsWith(`.${path.basename(file)}.`))
    yield* Effect.forEach(unfinished, (one) => files.remove(path.join(folder, one), { force: true }), { discard: true })
    yield* ImageArchive.save(store, references, file).pipe(
      Effect.provideService(FileSystem.FileSystem, unlessChanged(files, index, before.value))
    )
    yield* files.writeFileString(sealed, before.value)
  }).pipe(Effect.retry({ times: mostRemovals, while: isRemoved }))
