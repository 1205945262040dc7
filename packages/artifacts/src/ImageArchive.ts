/**
 * Archives of images in one file: what `docker save`, `skopeo`, `podman`, `ctr`, `crane`, `regctl` and BuildKit write, and what
 * `docker load` takes.
 *
 * OCI image specification, image-layout.md; Docker's documentation, `docker image save`.
 *
 * @since 0.1.0
 */
import * as Hasher from "@effect-acr/client/Hasher"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ArchiveError } from "./ArchiveError.ts"
import * as Compression from "./Compression.ts"
import { type Entries, invalid, ofFile } from "./internal/archive/entries.ts"
import * as Opened from "./internal/archive/opened.ts"
import type { ImageArchive, ReadOptions } from "./internal/archive/opened.ts"
import * as Seekable from "./internal/archive/seekable.ts"
import * as Sequential from "./internal/archive/sequential.ts"

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

/**
 * Reads an archive from a file: plain, or compressed by gzip or zstd.
 *
 * **Details**
 *
 * Of a plain file, the headers are read once, and content is read where it lies. A compressed file, or one that is a pipe, is read
 * as by `fromStream`.
 *
 * OCI archives keep the digests of their images. The archives of `docker save` before version 25, `podman save` and `crane pull`
 * do not: see `hasOriginalDigests`. Images are found by their full names (`alpine:3.20`), and by their tags alone if these name
 * one image.
 *
 * Content is verified while it is read. Links lead to files of the archive alone, and nothing is written except temporary files.
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
    const handle = yield* Effect.mapError(files.open(file, { flag: "r" }), ofFile(file))
    const { type } = yield* Effect.mapError(handle.stat, ofFile(file))
    const first = new Uint8Array(4)
    if (type === "File") yield* Effect.mapError(handle.read(first, { position: 0n }), ofFile(file))
    if (type === "File" && Compression.formatOf(first) === undefined) {
      return yield* opened(yield* Seekable.make(handle, file), file, options)
    }
    const content = Stream.mapError(files.stream(file, { chunkSize: streamPieceBytes }), ofFile(file))
    return yield* opened(yield* Sequential.make(files, plain(content, file), file), file, options)
  })

/**
 * Reads an archive from a stream, such as standard input: plain, or compressed by gzip or zstd.
 *
 * **Details**
 *
 * The stream is read as far as what is asked for. A layer that is asked for when it comes is handed on as it comes, and can be read
 * once. What comes before it is asked for is kept, files of at most 4 MiB in memory (64 MiB together) and others in a temporary
 * file. Archives of `write` and of `regctl` come in the order in which `Copy.run` asks, so that nothing large is kept.
 *
 * Others have their index at the end, and are kept as a whole.
 *
 * The stream ends with the scope.
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
    return yield* opened(yield* Sequential.make(files, plain(stream, archive), archive), archive, options)
  })
