/**
 * Compression by `node:zlib`.
 *
 * @since 0.1.0
 */
import * as Zlib from "node:zlib"
import type { Duplex } from "node:stream"
import * as Compression from "@effect-acr/client/Compression"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { makeSplitter } from "./internal/zstdFrames.ts"

/**
 * The bytes that a transform of `node:zlib` reads and writes at a time. Its default of 16 KiB takes four times as many
 * steps.
 */
const chunkSize = 64 * 1024

const compressor = (format: Compression.Format): Duplex =>
  format === "gzip" ? Zlib.createGzip({ chunkSize }) : Zlib.createZstdCompress({ chunkSize })

const decompressor = (format: Compression.Format): Duplex =>
  format === "gzip" ? Zlib.createGunzip({ chunkSize }) : Zlib.createZstdDecompress({ chunkSize })

const through = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>,
  format: Compression.Format,
  make: (format: Compression.Format) => Duplex
): Stream.Stream<Uint8Array, E | Compression.CompressionError, R> =>
  NodeStream.pipeThroughDuplex(content, {
    evaluate: () => make(format),
    onError: (cause) =>
      new Compression.CompressionError({
        format,
        description: cause instanceof Error ? cause.message : String(cause)
      })
  })

/**
 * Splits content into chunks of one size, except the last. The output of zstd depends on the chunks: 20,000 bytes of
 * text became 693 bytes when written byte by byte, and 684 otherwise.
 */
const inBlocks = <E, R>(content: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
  Stream.suspend(() => {
    let block = new Uint8Array(chunkSize)
    let filled = 0
    const take = (piece: Uint8Array): ReadonlyArray<Uint8Array> => {
      const full: Array<Uint8Array> = []
      let from = 0
      while (piece.length - from >= chunkSize - filled) {
        const until = from + chunkSize - filled
        if (filled === 0) full.push(piece.subarray(from, until))
        else {
          block.set(piece.subarray(from, until), filled)
          full.push(block)
          block = new Uint8Array(chunkSize)
          filled = 0
        }
        from = until
      }
      block.set(piece.subarray(from), filled)
      filled += piece.length - from
      return full
    }
    const rest = Stream.suspend(() => (filled === 0 ? Stream.empty : Stream.make(block.subarray(0, filled))))
    return Stream.concat(Stream.flattenIterable(Stream.map(content, take)), rest)
  })

/** Decompresses zstd. Bun and Deno do not notice that a stream is cut off. */
const ofFrames = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<Uint8Array, E | Compression.CompressionError, R> =>
  Stream.suspend(() => {
    const { isWhole, split } = makeSplitter()
    const frames = Stream.flattenIterable(Stream.map(content, split))
    const end = Stream.suspend(() =>
      isWhole()
        ? Stream.empty
        : Stream.fail(new Compression.CompressionError({ format: "zstd", description: "unexpected end of file" }))
    )
    return Stream.concat(through(frames, "zstd", decompressor), end)
  })

/**
 * Compresses and decompresses with `node:zlib`.
 *
 * **When to use**
 *
 * Use with the archives and folders of `@effect-acr/artifacts`, which need `Compression`. `NodeRegistries.layer`
 * includes this layer.
 *
 * **Details**
 *
 * gzip uses level 6 and writes no time stamp; zstd uses level 3. zstd needs Node 22.15 or later.
 *
 * **Example** (What a program with archives needs)
 *
 * ```ts
 * import { NodeCompression, NodeHasher } from "@effect-acr/node"
 * import { NodeServices } from "@effect/platform-node"
 * import { Layer } from "effect"
 *
 * export const FilesLive = Layer.mergeAll(NodeServices.layer, NodeHasher.layer, NodeCompression.layer)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Compression.Compression> = Layer.succeed(Compression.Compression, {
  compress: (content, format) => through(inBlocks(content), format, compressor),
  decompress: (content, format) => (format === "zstd" ? ofFrames(content) : through(content, format, decompressor))
})
