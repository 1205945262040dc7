/**
 * Where the content of a blob comes from.
 *
 * A source that can be read again makes an upload stronger: it goes out in one request in constant memory, and goes on
 * after a fault from wherever the registry has lost track. One that can't be read again goes out in chunks that are kept
 * until the registry has confirmed them.
 *
 * | Made by                | Read again | Kept in memory                     |
 * | ---------------------- | ---------- | ---------------------------------- |
 * | `fromBytes`            | yes        | what you hand over, without a copy |
 * | `fromString`           | yes        | the text in UTF-8                  |
 * | `fromFile`             | yes        | a few pieces of half a mebibyte    |
 * | `fromRepeatableStream` | yes        | what the stream itself keeps       |
 * | `fromStream`           | no         | a chunk (`chunkSize`, 8 MiB)      |
 *
 * A blob of another repository or registry is one by `RegistryContent.blobSource`.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"

/**
 * The content of a blob, with the errors and the services that reading it has.
 *
 * **Details**
 *
 * `RegistryContent.uploadBlob` fails with the errors of its source, and needs its services: a file needs `FileSystem`.
 * Another implementation, for example over a part of an archive, keeps to the first three fields.
 *
 * @category models
 * @since 0.1.0
 */
export interface BlobSource<out E = never, out R = never> {
  /** Bytes in all, or undefined if only the end will tell. An upload fails with `ContentMismatch` if it was wrong. */
  readonly sizeBytes: Effect.Effect<number | undefined, E, R>
  /**
   * The content from an offset in bytes on. Every piece is the reader's to keep, unless the reader says how much it
   * holds on to, as `HeldBytes` of `ScopedHttpClient` counts it: then the memory of older pieces may be written to again.
   */
  readonly read: (offsetBytes: number, heldBytes?: number) => Stream.Stream<Uint8Array, E, R>
  /** Whether `read` may be run more than once, from any offset, and gives the same bytes each time. */
  readonly repeatable: boolean
  /**
   * The same content without a check of its own, if `read` compares the bytes with a digest. An upload with a `digest` reads
   * this instead, since it hashes the content itself.
   */
  readonly unverified?: Pick<BlobSource<E, R>, "read">
}

/**
 * Bytes at hand.
 *
 * **Gotchas**
 *
 * They are not copied: leave them as they are until the upload has ended.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromBytes = (bytes: Uint8Array): BlobSource => ({
  sizeBytes: Effect.succeed(bytes.length),
  // One at a time: whoever hashes them sends the first before it looks at the second.
  read: (offset) =>
    offset >= bytes.length ? Stream.empty : Stream.fromIterable(pieces(bytes.subarray(offset)), { chunkSize: 1 }),
  repeatable: true
})

/** Pieces of a size at which nothing is lost on the way, without a copy. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) yield bytes.subarray(offset, offset + pieceBytes)
}

const pieceBytes = 2 * 1024 * 1024

/** Of a file, several pieces are in memory for each upload. Larger ones take more of it, and no less time. */
const filePieceBytes = 512 * 1024

/**
 * The bytes of a text in UTF-8.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromString = (text: string): BlobSource => fromBytes(new TextEncoder().encode(text))

/**
 * A part of a file.
 *
 * @category options
 * @since 0.1.0
 */
export interface FilePart {
  /** Where it begins, in bytes. */
  readonly offset: number
  /** How long it is, in bytes. */
  readonly size: number
}

/**
 * A file or a part of one, read half a mebibyte at a time, one step ahead of the reader.
 *
 * **Details**
 *
 * The upload fails with a `PlatformError` if the file is not there or can't be read, and needs a `FileSystem`, which
 * `NodeServices.layer` of `@effect/platform-node` provides.
 *
 * **Example** (Uploading a layer)
 *
 * ```ts
 * import { BlobSource, MediaType, RegistryContent } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const uploadLayer = Effect.gen(function* () {
 *   const content = yield* RegistryContent.RegistryContent
 *   return yield* content.uploadBlob("samples/hello", BlobSource.fromFile("layer.tar.gz"), {
 *     mediaType: MediaType.ociImageLayerGzip
 *   })
 * })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromFile = (
  path: string,
  part?: FilePart
): BlobSource<PlatformError.PlatformError, FileSystem.FileSystem> => ({
  sizeBytes:
    part === undefined
      ? Effect.flatMap(FileSystem.FileSystem, (files) => Effect.map(files.stat(path), ({ size }) => Number(size)))
      : Effect.succeed(part.size),
  read: (offset, heldBytes) =>
    Stream.unwrap(
      Effect.map(FileSystem.FileSystem, (files) =>
        readFile(files, path, rest(part, offset), heldBytes === undefined ? fresh : inTurns(heldBytes))
      )
    ).pipe(Stream.bufferArray({ capacity: 1 })),
  repeatable: true
})

/** Gives memory for so many bytes of a file. */
type Memory = (bytes: number) => Uint8Array

const fresh: Memory = (bytes) => new Uint8Array(bytes)

/** Pieces that nobody may write to while one is filled: the one beyond `HeldBytes`, the last given, one ahead of it. */
const inBetween = 4

/** The same memory again, when nobody looks at it any more. */
const inTurns = (heldBytes: number): Memory => {
  const count = Math.ceil(heldBytes / filePieceBytes) + inBetween
  const pieces: Array<Uint8Array> = []
  let turn = 0
  return (bytes) => {
    turn = (turn + 1) % count
    const piece = pieces[turn]
    if (piece !== undefined && piece.length >= bytes) return piece.subarray(0, bytes)
    return (pieces[turn] = fresh(bytes))
  }
}

/** What is left of a part behind an offset; of a file, its end is not known before it is opened. */
const rest = (part: FilePart | undefined, offset: number): Pick<FilePart, "offset"> & Partial<FilePart> =>
  part === undefined ? { offset } : { offset: part.offset + offset, size: Math.max(0, part.size - offset) }

/** The rest of a file, or so many bytes of it. */
const readFile = (
  files: FileSystem.FileSystem,
  path: string,
  { offset, size }: ReturnType<typeof rest>,
  memory: Memory
): Stream.Stream<Uint8Array, PlatformError.PlatformError> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const file = yield* files.open(path)
      yield* file.seek(BigInt(offset), "start")
      let left = size ?? Number((yield* file.stat).size) - offset
      const read = Effect.suspend(() => {
        if (left === 0 && size !== undefined) return Cause.done()
        // Whether a file ends where it should shows by the byte behind.
        const piece = memory(Math.min(filePieceBytes, Math.max(1, left)))
        return Effect.flatMap(file.read(piece), (length) => {
          left -= length
          return length === 0 ? Cause.done() : Effect.succeed(Arr.of(piece.subarray(0, length)))
        })
      })
      return Stream.fromPull(Effect.succeed(read))
    })
  )

/** What is no size is not a number: an upload refuses it. */
const bytesOf = (size: ByteSize.Input): number =>
  Option.getOrElse(Option.flatMap(ByteSize.fromInput(size), ByteSize.toNumber), () => Number.NaN)

/**
 * A stream that can be run only once: the output of another program, the body of a request.
 *
 * **Details**
 *
 * It goes out in chunks, of which the last is kept in memory until the registry has confirmed it.
 *
 * **Example** (Uploading what is made on the way)
 *
 * ```ts
 * import { BlobSource, MediaType, RegistryContent } from "@effect-acr/client"
 * import { Effect, type Stream } from "effect"
 *
 * export const uploadStream = <E, R>(archive: Stream.Stream<Uint8Array, E, R>) =>
 *   Effect.flatMap(RegistryContent.RegistryContent, (content) =>
 *     content.uploadBlob("samples/hello", BlobSource.fromStream(archive), {
 *       mediaType: MediaType.ociImageLayerGzip,
 *       chunkSize: "4 MiB"
 *     })
 *   )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromStream = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  options: {
    /** How many bytes it gives in all, where that is known. */
    readonly size?: ByteSize.Input
  } = {}
): BlobSource<E, R> => ({
  sizeBytes: Effect.sync(() => (options.size === undefined ? undefined : bytesOf(options.size))),
  read: (offset) => skip(stream, offset),
  repeatable: false
})

/**
 * A stream that gives the same bytes each time it is run: what is read from a database, or made anew.
 *
 * **Gotchas**
 *
 * To go on after a fault at some offset it is run from its beginning, and what comes before is passed over.
 *
 * **Example** (Uploading what is computed, without keeping it)
 *
 * ```ts
 * import { BlobSource, RegistryContent } from "@effect-acr/client"
 * import { Effect, Stream } from "effect"
 *
 * const lines = Stream.encodeText(Stream.map(Stream.range(1, 1_000_000), (number) => `line ${number}\n`))
 *
 * export const uploadLines = Effect.flatMap(RegistryContent.RegistryContent, (content) =>
 *   content.uploadBlob("samples/lines", BlobSource.fromRepeatableStream(lines))
 * )
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromRepeatableStream = <E, R>(
  stream: Stream.Stream<Uint8Array, E, R>,
  options: {
    /** How many bytes it gives in all, where that is known. */
    readonly size?: ByteSize.Input
  } = {}
): BlobSource<E, R> => ({ ...fromStream(stream, options), repeatable: true })

/** The stream without its first bytes. */
const skip = <E, R>(stream: Stream.Stream<Uint8Array, E, R>, bytes: number): Stream.Stream<Uint8Array, E, R> =>
  bytes === 0
    ? stream
    : Stream.suspend(() => {
        let left = bytes
        return Stream.filter(
          Stream.map(stream, (piece) => {
            const rest = piece.subarray(left)
            left = Math.max(0, left - piece.length)
            return rest
          }),
          (piece) => piece.length > 0
        )
      })
