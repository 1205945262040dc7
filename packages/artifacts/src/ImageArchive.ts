/**
 * Reads and writes images in one tar archive: reads what `docker save`, `skopeo`, `podman`, `ctr`, `crane`, `regctl` and BuildKit
 * write, and writes archives for `docker load`.
 *
 * OCI image specification, image-layout.md; Docker's documentation, `docker image save`.
 *
 * @since 0.1.0
 */
import * as Hasher from "@effect-acr/client/Hasher"
import type * as Platform from "@effect-acr/client/Platform"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { systemError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { ArchiveError, NotAnArchive, NotFound, UnsupportedArchive } from "./ArchiveError.ts"
import * as Compression from "@effect-acr/client/Compression"
import type { Reader } from "./ContentStore.ts"
import { type Entries, invalid, ofFile, ofTar } from "./internal/archive/entries.ts"
import * as Opened from "./internal/archive/opened.ts"
import type { Format, ImageArchive, ReadOptions } from "./internal/archive/opened.ts"
import * as Plan from "./internal/archive/plan.ts"
import * as Seekable from "./internal/archive/seekable.ts"
import * as Sequential from "./internal/archive/sequential.ts"
import type { PlatformNotFound } from "./internal/copy/choice.ts"
import { syncFolder, temporaryName, writeFile } from "./internal/wholeFiles.ts"
import { platformOf } from "./internal/platformImage.ts"
import { ofSource, OfSource } from "./internal/sides.ts"
import type { GraphError, GraphOptions } from "./internal/walk.ts"

export { type Format, type ImageArchive, type ReadOptions } from "./internal/archive/opened.ts"

const streamPieceBytes = 256 * 1024

/** The content of a stream, decompressed. */
const plain = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>,
  archive: string
): Stream.Stream<Uint8Array, E | ArchiveError, R | Compression.Compression> =>
  Stream.mapError(Compression.decompress(content), (error) =>
    error instanceof Compression.CompressionError ? invalid(archive, error.message) : error
  )

const opened = <E>(entries: Entries<E>, archive: string, options: ReadOptions) =>
  Effect.gen(function* () {
    const startHash = yield* Hasher.Hasher
    const compression = yield* Compression.Compression
    return yield* Opened.open({ entries, name: archive, startHash, compression }, options)
  })

const isAFolder = (archive: string) => {
  const description = "this is a folder: ImageLayout.open reads image layouts"
  return new ArchiveError({ archive, reason: new NotAnArchive({ description, found: "Folder" }) })
}

const notAFile = (archive: string) => {
  const description = "this is a pipe or a device, not a file: ImageArchive.fromStream reads it"
  return new ArchiveError({ archive, reason: new UnsupportedArchive({ description, found: "Pipe" }) })
}

/**
 * Reads an archive from a file: plain, or compressed by gzip or zstd.
 *
 * **When to use**
 *
 * Use to push or copy images that `docker save` and other tools wrote. Use `fromStream` for pipes.
 *
 * **Details**
 *
 * The headers of a plain file are read once, and content is then read by its position. A compressed file is read as by
 * `fromStream`. A pipe, such as `/dev/stdin`, is refused: use `fromStream`.
 *
 * OCI archives keep the digests of their images. The archives of `docker save` before version 25, `podman save` and `crane pull`
 * do not: see `hasOriginalDigests`. Images are found by their full names (`alpine:3.20`), or by tag alone if only one image has
 * the tag.
 *
 * Content is verified while it is read. Links are followed only within the archive, and nothing is written except temporary
 * files.
 *
 * Fails with `ArchiveError`: `NotAnArchive`, `UnsupportedArchive`, `InvalidArchive` and `FileFailed`. Reading from it may fail with
 * `ContentMissing`, `ContentDiffers` and `Ambiguous` as well.
 *
 * **Example** (Pushing what `docker save` wrote)
 *
 * ```ts
 * import { Copy, ImageArchive, Repository } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const push = Effect.scoped(
 *   Effect.gen(function* () {
 *     const archive = yield* ImageArchive.read("image.tar")
 *     const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *     return yield* Copy.run(archive, store, "shop/api:v1.4.0", { tags: ["v1.4.0"] })
 *   })
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = (
  file: string,
  options: ReadOptions = {}
): Effect.Effect<ImageArchive, ArchiveError, Compression.Compression | FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const { type } = yield* Effect.mapError(files.stat(file), ofFile(file))
    // Files are read by position, which pipes do not support. Opening a pipe waits for its writer, and cannot be interrupted.
    if (type === "Directory") return yield* isAFolder(file)
    if (type !== "File") return yield* notAFile(file)
    const handle = yield* Effect.mapError(files.open(file, { flag: "r" }), ofFile(file))
    const first = new Uint8Array(4)
    yield* Effect.mapError(handle.read(first, { position: 0n }), ofFile(file))
    if (Compression.formatOf(first) === undefined) {
      return yield* opened(yield* Seekable.make(files, handle, file), file, options)
    }
    const content = Stream.mapError(files.stream(file, { chunkSize: streamPieceBytes }), ofFile(file))
    return yield* opened(yield* Sequential.make(files, plain(content, file), file, options.maxBytes), file, options)
  })

/**
 * Reads an archive from a stream, such as standard input: plain, or compressed by gzip or zstd.
 *
 * **When to use**
 *
 * Use for pipes and downloads. `read` is better for a file: it can read content repeatedly and in any order.
 *
 * **Details**
 *
 * The stream is read only as far as needed. A layer that is requested when it arrives is passed on directly, and can be read
 * once. Content that arrives before it is requested is kept: files of at most 4 MiB in memory (64 MiB together), others in a
 * temporary file. `write` and `regctl` order their archives as `Copy.run` requests content with `concurrency: 1`, so that nothing
 * large is kept; with a higher concurrency, `Copy.run` may request a layer before another one that arrives earlier.
 *
 * Archives of other programs have their index at the end, and are kept as a whole.
 *
 * The stream is closed with the scope.
 *
 * **Example** (Pushing from a pipe)
 *
 * ```ts
 * import { Copy, ImageArchive, Repository } from "@effect-acr/artifacts"
 * import { Effect, Stdio } from "effect"
 *
 * export const push = Effect.scoped(
 *   Effect.gen(function* () {
 *     const { stdin } = yield* Stdio.Stdio
 *     const archive = yield* ImageArchive.fromStream(stdin)
 *     const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *     return yield* Copy.run(archive, store, "v1.4.0")
 *   })
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromStream = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  options: ReadOptions = {}
): Effect.Effect<
  ImageArchive<E | ArchiveError>,
  E | ArchiveError,
  Compression.Compression | FileSystem.FileSystem | R | Scope.Scope
> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const archive = "archive"
    return yield* opened(
      yield* Sequential.make(files, plain(stream, archive), archive, options.maxBytes),
      archive,
      options
    )
  })

/**
 * How to write an archive.
 *
 * @category options
 * @since 0.1.0
 */
export interface WriteOptions {
  /**
   * `oci` (the default): an OCI image layout. `docker`: an OCI image layout that `docker load` can read as well. Each reference
   * must then be one image.
   */
  readonly format?: Format
  /** The platform of the image to write if a reference is an index, such as `linux/arm64`. Defaults to the index with all of its images. */
  readonly platform?: Platform.Input
  /**
   * The name that `docker load` and containerd give to the images, without a tag, such as `shop/api`. If the source is a
   * repository, defaults to its name with the registry; otherwise to none. An image that is referenced by a full name keeps that
   * name; one that is referenced by a digest or a number (`@0`) gets none.
   */
  readonly name?: string
  /** Which referrers to write: all (`true`, the default), none, or some. A Docker archive never has referrers. */
  readonly referrers?: boolean | GraphOptions["referrers"]
  /** How many manifests an artifact may have, with its referrers. Defaults to 100,000. */
  readonly maxManifests?: number
}

/**
 * How to write an archive into a file.
 *
 * @category options
 * @since 0.1.0
 */
export interface SaveOptions extends WriteOptions {
  /** Whether to replace an existing file, also one that appears while the archive is written. Defaults to true. */
  readonly overwrite?: boolean
}

/**
 * Why an archive could not be written, besides the errors of the store.
 *
 * @category errors
 * @since 0.1.0
 */
export type WriteFault = ArchiveError | GraphError | PlatformNotFound

const entryOf = <E>(
  source: Reader<E>,
  part: Plan.Part,
  heldBytes: number | undefined
): Effect.Effect<Tar.Entry<E>, E | ArchiveError> => {
  switch (part._tag) {
    case "Bytes":
      return Effect.succeed(Tar.file(part.name, part.bytes))
    case "Manifest": {
      const { digest } = part.descriptor
      return Effect.flatMap(source.manifest(part.descriptor), (raw) =>
        Option.isSome(raw)
          ? Effect.succeed(Tar.file(part.name, raw.value.bytes))
          : Effect.fail(
              new ArchiveError({ archive: digest, reason: new NotFound({ description: "is no longer there" }) })
            )
      )
    }
    case "Blob":
      return Effect.succeed(
        Tar.fileStream(part.name, part.descriptor.size, source.blob(part.descriptor).read(0, heldBytes))
      )
  }
}

/**
 * Writes images and other artifacts, with their referrers, into an archive, as a stream of bytes. `save` writes it to a file.
 *
 * **Details**
 *
 * Bytes are written unchanged, so that digests stay the same, and each blob once. The same images produce the same archive. The
 * index comes first, then manifests, configurations and layers, so that `fromStream` and other readers of pipes keep nothing
 * large. Memory is constant. An OCI archive leaves out layers that may not be distributed.
 *
 * An archive of the format `docker` is an OCI archive with a `manifest.json`: `docker load`, `podman load`, `ctr images import`
 * and `skopeo` read it. `docker load` names the images by the option `name` and the tags of the source.
 *
 * Fails with the errors of the store, with `ArchiveError` (`NotFound`, `NotAnImage`, `PlatformRequired`), with `GraphError` if a manifest
 * that another one names is missing, and with `PlatformNotFound`. If the stream fails, the bytes written so far are not an
 * archive; `save` then leaves no file behind.
 *
 * **Example** (To standard output)
 *
 * ```ts
 * import { ImageArchive, Repository } from "@effect-acr/artifacts"
 * import { Effect, Stdio, Stream } from "effect"
 *
 * export const print = Effect.gen(function* () {
 *   const stdio = yield* Stdio.Stdio
 *   const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   yield* Stream.run(ImageArchive.write(store, ["v1.4.0", "v1.5.0"]), stdio.stdout())
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const write = <E>(
  source: Reader<E>,
  references: string | ReadonlyArray<string>,
  options: WriteOptions = {}
): Stream.Stream<Uint8Array, E | WriteFault> => written(source, references, options)

/** `Tar.encode` collects pieces up to this size, in bytes, before it passes them on. */
const heldByTar = 64 * 1024

/** `heldBytes` is the number of bytes of a blob that may still be in use when more of it is read, see `BlobSource`. */
const written = <E>(
  source: Reader<E>,
  references: string | ReadonlyArray<string>,
  options: WriteOptions,
  heldBytes?: number
): Stream.Stream<Uint8Array, E | WriteFault> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { format = "oci", maxManifests, referrers = format === "oci" } = options
      const { place, repository } = source.origin
      const parts = yield* Plan.make(source, typeof references === "string" ? [references] : references, {
        format,
        platform: options.platform === undefined ? undefined : yield* platformOf(options.platform),
        name: options.name ?? (repository === "" ? undefined : `${place}/${repository}`),
        graphs: {
          ...(maxManifests === undefined ? {} : { maxManifests }),
          ...(referrers === false || format === "docker" ? {} : { referrers: referrers === true ? {} : referrers })
        }
      })
      return Stream.fromIterable(parts, { chunkSize: 1 }).pipe(
        Stream.mapEffect((part) => entryOf(source, part, heldBytes)),
        Stream.pipeThroughChannel(Tar.encode<E | ArchiveError, unknown, Tar.Entry<E>>()),
        Stream.mapError((error) => (Tar.isTarError(error) ? ofTar(place)(error) : error))
      )
    })
  )

/**
 * The file to replace, if it exists. Refuses anything that is not a file: renaming would replace it, as root even `/dev/stdout`.
 * Fails if the file is impossible, for example because its name is too long: the renaming would fail once all is written.
 */
const replaced = (
  files: FileSystem.FileSystem,
  file: string
): Effect.Effect<Option.Option<FileSystem.File.Info>, ArchiveError> =>
  Effect.gen(function* () {
    const found = yield* files.stat(file).pipe(
      Effect.asSome,
      Effect.catchReason("PlatformError", "NotFound", () => Effect.succeedNone),
      Effect.mapError(ofFile(file))
    )
    if (Option.isNone(found) || found.value.type === "File") return found
    const description =
      "this is not a file, and is not replaced: ImageArchive.write gives a stream for pipes and devices"
    return yield* refused("BadResource", file, description)
  })

const refused = (tag: "AlreadyExists" | "BadResource", file: string, description: string) =>
  Effect.fail(
    ofFile(file)(
      systemError({ _tag: tag, module: "ImageArchive", method: "save", pathOrDescriptor: file, description })
    )
  )

/**
 * Writes an archive like `write`, into a file that appears once it is complete. An existing file is replaced, and its mode is
 * kept; of a symbolic link, the target is replaced. A folder, a pipe or a device is not replaced: `save` fails.
 *
 * **When to use**
 *
 * Use to save images to a file. `write` returns a stream, for example for standard output or a compressor.
 *
 * **Example** (An image for `docker load`)
 *
 * ```ts
 * import { ImageArchive, Repository } from "@effect-acr/artifacts"
 * import { Effect } from "effect"
 *
 * export const save = Effect.gen(function* () {
 *   const store = yield* Repository.open("myregistry.azurecr.io/shop/api")
 *   yield* ImageArchive.save(store, "v1.4.0", "api.tar", { format: "docker", platform: "linux/amd64" })
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const save = <E>(
  source: Reader<E>,
  references: string | ReadonlyArray<string>,
  file: string,
  { overwrite = true, ...options }: SaveOptions = {}
): Effect.Effect<void, E | WriteFault, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const before = yield* replaced(files, file)
    const target = yield* Option.isSome(before)
      ? Effect.mapError(files.realPath(file), ofFile(file))
      : Effect.succeed(path.resolve(file))
    const folder = path.dirname(target)
    const temporary = path.join(folder, yield* temporaryName(path.basename(target)))
    const isThere = Effect.orElseSucceed(Effect.as(files.lstat(target), true), () => false)
    const isAllowed = Effect.gen(function* () {
      // The umask of the process was applied to the mode that the file was opened with.
      if (Option.isSome(before)) yield* Effect.ignore(files.chmod(temporary, before.value.mode & 0o777))
      return overwrite || !(yield* isThere)
    })
    // Each chunk is written before the next one is read.
    const content = Stream.mapError(written(source, references, options, heldByTar), ofSource)
    const mode = Option.match(before, { onNone: () => ({}), onSome: ({ mode }) => ({ mode: mode & 0o777 }) })
    const isWritten = yield* Effect.mapError(
      writeFile(files, temporary, target, { content, isAllowed, ...mode }),
      (error) => (error instanceof OfSource ? error.cause : ofFile(file)(error))
    )
    if (!isWritten) return yield* refused("AlreadyExists", file, "it exists already")
    yield* syncFolder(files, folder)
  })
