/**
 * Compression of archives and layers. The runtime provides it: on Node, `NodeCompression.layer` of `@effect-acr/node`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/**
 * The formats of the layers of images. OCI image specification, layer.md; RFC 1952 and RFC 8878.
 *
 * @category models
 * @since 0.1.0
 */
export type Format = "gzip" | "zstd"

/**
 * The error of compressed content that is damaged or truncated.
 *
 * @category errors
 * @since 0.1.0
 */
export class CompressionError extends Schema.TaggedError<CompressionError>("@effect-acr/client/CompressionError")(
  "CompressionError",
  {
    /** The format that the content was read as. */
    format: Schema.Literals(["gzip", "zstd"]),
    /** The message of the runtime. */
    description: Schema.String
  }
) {
  /** Always false. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return `the ${this.format} stream cannot be read: ${this.description}`
  }
}

/**
 * The operations of `Compression`, which a runtime provides.
 *
 * @category models
 * @since 0.1.0
 */
export interface Service {
  /**
   * Compresses a stream. In one version of one runtime, the same bytes have the same result, however they are cut into
   * pieces.
   */
  readonly compress: <E, R>(
    content: Stream.Stream<Uint8Array, E, R>,
    format: Format
  ) => Stream.Stream<Uint8Array, E | CompressionError, R>
  /** Decompresses a stream of one or several members of gzip, or frames of zstd. */
  readonly decompress: <E, R>(
    content: Stream.Stream<Uint8Array, E, R>,
    format: Format
  ) => Stream.Stream<Uint8Array, E | CompressionError, R>
}

/**
 * Compresses and decompresses streams.
 *
 * @category services
 * @since 0.1.0
 */
export class Compression extends Context.Service<Compression, Service>()("@effect-acr/client/Compression") {}

/**
 * Compresses a stream.
 *
 * **Example** (Compressing a layer while it is uploaded)
 *
 * ```ts
 * import { BlobSource, Compression, MediaType, RegistryContent } from "@effect-acr/client"
 * import { Effect, FileSystem } from "effect"
 *
 * export const uploadLayer = Effect.gen(function* () {
 *   const files = yield* FileSystem.FileSystem
 *   const content = yield* RegistryContent.RegistryContent
 *   const layer = Compression.compress(files.stream("layer.tar"), "zstd")
 *   return yield* content.uploadBlob("samples/hello", BlobSource.fromStream(layer), {
 *     mediaType: MediaType.ociImageLayerZstd
 *   })
 * })
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const compress = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>,
  format: Format
): Stream.Stream<Uint8Array, E | CompressionError, R | Compression> =>
  Stream.unwrap(Effect.map(Compression, (service) => service.compress(content, format)))

/** How many bytes identify a member or a frame. The first frames of zstd may be skippable. */
const magicBytes = 4

/**
 * Returns the format that the first bytes of content indicate, or undefined if they are of neither.
 *
 * @category getters
 * @since 0.1.0
 */
export const formatOf = (first: Uint8Array): Format | undefined => {
  const [a = 0, b = 0, c = 0, d = 0] = first
  if (a === 0x1f && b === 0x8b) return "gzip"
  const isFrame = a === 0x28 && b === 0xb5
  const isSkippable = a >= 0x50 && a <= 0x5f && b === 0x2a
  return (isFrame && c === 0x2f && d === 0xfd) || (isSkippable && c === 0x4d && d === 0x18) ? "zstd" : undefined
}

/** Reads the first bytes of a stream, and returns them with the whole stream. */
const peek = <E, R>(content: Stream.Stream<Uint8Array, E, R>) =>
  Effect.gen(function* () {
    const pull = yield* Stream.toPull(content)
    const read: Array<Uint8Array> = []
    let length = 0
    let isEnded = false
    while (length < magicBytes && !isEnded) {
      const pieces = yield* Effect.catchIf(pull, Cause.isDone, () => Effect.succeed([]))
      isEnded = pieces.length === 0
      for (const piece of pieces) {
        read.push(piece)
        length += piece.length
      }
    }
    const first = new Uint8Array(magicBytes)
    let filled = 0
    for (const piece of read) {
      first.set(piece.subarray(0, magicBytes - filled), filled)
      filled = Math.min(magicBytes, filled + piece.length)
    }
    const rest = isEnded ? Stream.empty : Stream.fromPull(Effect.succeed(pull))
    return { first, all: Stream.concat(Stream.fromIterable(read), rest) }
  })

/**
 * Decompresses a stream if its first bytes are those of gzip or zstd. Any other stream passes through unchanged.
 *
 * @category combinators
 * @since 0.1.0
 */
export const decompress = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<Uint8Array, E | CompressionError, R | Compression> =>
  Stream.unwrap(
    Effect.gen(function* () {
      const { decompress } = yield* Compression
      const { all, first } = yield* peek(content)
      const format = formatOf(first)
      return format === undefined ? all : decompress(all, format)
    })
  )
