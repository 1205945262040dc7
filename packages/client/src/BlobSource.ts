/**
 * Where the content of a blob comes from.
 *
 * Prefer a source that can be read again: it is sent in one request in constant memory, and an upload resumes after a
 * fault at any offset that the registry states. A source that cannot be read again is sent in chunks, each of which is
 * kept in memory until the registry has confirmed it.
 *
 * | Made by                | Read again | Kept in memory                     |
 * | ---------------------- | ---------- | ---------------------------------- |
 * | `fromBytes`            | yes        | the caller's bytes, without a copy |
 * | `fromString`           | yes        | the text in UTF-8                  |
 * | `fromFile`             | yes        | a few pieces of 512 KiB            |
 * | `fromRepeatableStream` | yes        | whatever the stream itself keeps   |
 * | `fromStream`           | no         | a chunk (`chunkSize`, 8 MiB)      |
 *
 * `RegistryContent.blobSource` makes a source of a blob in another repository or registry.
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
 * The content of a blob, with the errors and the services of reading it.
 *
 * **Details**
 *
 * `RegistryContent.uploadBlob` fails with the errors of its source, and needs its services: a file needs `FileSystem`.
 * A custom implementation, for example over a part of an archive, needs only the first three fields.
 *
 * @category models
 * @since 0.1.0
 */
export interface BlobSource<out E = never, out R = never> {
  /**
   * The total size in bytes, or undefined if it is unknown until the content ends. An upload fails with
   * `ContentMismatch` if the size is wrong.
   */
  readonly sizeBytes: Effect.Effect<number | undefined, E, R>
  /**
   * Reads the content from an offset in bytes. The reader may keep every piece, unless it states in `heldBytes` how
   * many bytes it may still use when it pulls the next piece or the end (counted as `HeldBytes` of `ScopedHttpClient`):
   * then the source may overwrite or free the memory of older pieces.
   */
  readonly read: (offsetBytes: number, heldBytes?: number) => Stream.Stream<Uint8Array, E, R>
  /** Whether `read` may run more than once, from any offset, and returns the same bytes each time. */
  readonly repeatable: boolean
  /**
   * The same content without verification, for sources whose `read` compares the bytes with a digest. An upload with a
   * `digest` reads this instead, because it hashes the content itself.
   */
  readonly unverified?: Pick<BlobSource<E, R>, "read">
}

/**
 * Makes a source of bytes in memory.
 *
 * **Gotchas**
 *
 * The bytes are not copied: do not change them before the upload has ended.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromBytes = (bytes: Uint8Array): BlobSource => ({
  sizeBytes: Effect.succeed(bytes.length),
  // One at a time: an upload that hashes the pieces sends the first before it reads the second.
  read: (offset) =>
    offset >= bytes.length ? Stream.empty : Stream.fromIterable(pieces(bytes.subarray(offset)), { chunkSize: 1 }),
  repeatable: true
})

/** Pieces of a size that costs no throughput, without a copy. */
function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) yield bytes.subarray(offset, offset + pieceBytes)
}

const pieceBytes = 2 * 1024 * 1024

/** Several pieces of a file are in memory for each upload. Larger pieces take more memory, and save no time. */
const filePieceBytes = 512 * 1024

/** Up to this size, reading ahead takes longer than it saves. */
const smallBytes = 4 * filePieceBytes

/**
 * Makes a source of a text in UTF-8.
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
 * Makes a source of a file or a part of one. It reads 512 KiB at a time, and more than 2 MiB one step ahead of the reader.
 *
 * **When to use**
 *
 * Use for content on disk. It can be read again, so uploads resume, and memory is constant. `fromBytes` is for content
 * in memory, and `fromStream` for content that exists only while it is produced.
 *
 * **Details**
 *
 * The upload fails with a `PlatformError` if the file does not exist or cannot be read, and needs a `FileSystem`, which
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
  read: (offset, heldBytes) => readFile(path, rest(part, offset), heldBytes),
  repeatable: true
})

/** Memory for pieces of a file. */
interface Memory {
  readonly take: (bytes: number) => Uint8Array
  /** The file has ended. */
  readonly free: () => void
}

const nothing = () => {}

const fresh = (bytes: number) => new Uint8Array(bytes)

/** Pieces that the reader may keep. */
const forGood: Memory = { take: fresh, free: nothing }

/** Returns the memory of a number of pieces again and again. */
const inTurns = (count: number): Memory => {
  const pieces: Array<ReturnType<typeof fresh>> = []
  let turn = -1
  return {
    take: (bytes) => {
      turn = (turn + 1) % count
      const piece = pieces[turn]
      if (piece !== undefined && piece.length >= bytes) return piece.subarray(0, bytes)
      return (pieces[turn] = fresh(bytes))
    },
    free: () => {
      for (const { buffer } of pieces) buffer.transfer(0)
    }
  }
}

/**
 * Pieces that must not be overwritten while one is filled: the one beyond `HeldBytes`, the one returned last, and the
 * one read ahead.
 */
const inBetween = 4

/** The memory for a reader that may still use a number of bytes while the next piece is read ahead. */
const aheadOf = (heldBytes: number): Memory => ({
  ...inTurns(Math.ceil(heldBytes / filePieceBytes) + inBetween),
  free: nothing
})

/** The rest of a part from an offset. The end of a whole file is not known before it is opened. */
const rest = (part: FilePart | undefined, offset: number): Pick<FilePart, "offset"> & Partial<FilePart> =>
  part === undefined ? { offset } : { offset: part.offset + offset, size: Math.max(0, part.size - offset) }

/** Reads the rest of a file, or a number of bytes of it. */
const readFile = (
  path: string,
  { offset, size }: ReturnType<typeof rest>,
  heldBytes: number | undefined
): Stream.Stream<Uint8Array, PlatformError.PlatformError, FileSystem.FileSystem> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const file = yield* files.open(path)
      yield* file.seek(BigInt(offset), "start")
      let left = size ?? Number((yield* file.stat).size) - offset
      const isSmall = left <= smallBytes
      const memory = heldBytes === undefined ? forGood : isSmall && heldBytes === 0 ? inTurns(1) : aheadOf(heldBytes)
      const end = Effect.suspend(() => {
        memory.free()
        return Cause.done()
      })
      const read = Effect.suspend(() => {
        if (left === 0 && size !== undefined) return end
        // One byte beyond the part shows whether the file ends where it should.
        const piece = memory.take(Math.min(filePieceBytes, Math.max(1, left)))
        return Effect.flatMap(file.read(piece), (length) => {
          left -= length
          return length === 0 ? end : Effect.succeed(Arr.of(piece.subarray(0, length)))
        })
      })
      const pieces = Stream.fromPull(Effect.succeed(read))
      return isSmall ? pieces : Stream.bufferArray(pieces, { capacity: 1 })
    })
  )

/** An input that is no size becomes `NaN`, which an upload refuses. */
const bytesOf = (size: ByteSize.Input): number =>
  Option.getOrElse(Option.flatMap(ByteSize.fromInput(size), ByteSize.toNumber), () => Number.NaN)

/**
 * Makes a source of a stream that can run only once: the output of another program, the body of a request.
 *
 * **When to use**
 *
 * Use if nothing else fits. An upload from such a source sends chunks, and can resume only from the last one. If the
 * stream can run again with the same bytes, use `fromRepeatableStream`.
 *
 * **Details**
 *
 * The content is sent in chunks. The last chunk is kept in memory until the registry has confirmed it.
 *
 * **Example** (Uploading content while it is produced)
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
    /** The total number of bytes, if it is known. */
    readonly size?: ByteSize.Input
  } = {}
): BlobSource<E, R> => ({
  sizeBytes: Effect.sync(() => (options.size === undefined ? undefined : bytesOf(options.size))),
  read: (offset) => skip(stream, offset),
  repeatable: false
})

/**
 * Makes a source of a stream that yields the same bytes each time it runs: rows of a database, or computed content.
 *
 * **Gotchas**
 *
 * To resume at an offset, the stream runs from its beginning and the bytes before the offset are dropped.
 *
 * **Example** (Uploading computed content without keeping it)
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
    /** The total number of bytes, if it is known. */
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
