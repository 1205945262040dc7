/**
 * Compression by `node:zlib`.
 *
 * @since 0.1.0
 */
import * as Zlib from "node:zlib"
import type { Duplex } from "node:stream"
import * as Compression from "@effect-acr/artifacts/Compression"
import * as NodeStream from "@effect/platform-node/NodeStream"
import * as Layer from "effect/Layer"

/** What a transform of `node:zlib` gives out at a time. Its default of 16 KiB makes four times as many steps. */
const chunkSize = 64 * 1024

const compressor = (format: Compression.Format): Duplex =>
  format === "gzip" ? Zlib.createGzip({ chunkSize }) : Zlib.createZstdCompress({ chunkSize })

const decompressor = (format: Compression.Format): Duplex =>
  format === "gzip" ? Zlib.createGunzip({ chunkSize }) : Zlib.createZstdDecompress({ chunkSize })

const through =
  (make: (format: Compression.Format) => Duplex): Compression.Service["compress"] =>
  (content, format) =>
    NodeStream.pipeThroughDuplex(content, {
      evaluate: () => make(format),
      onError: (cause) =>
        new Compression.CompressionError({
          format,
          description: cause instanceof Error ? cause.message : String(cause)
        })
    })

/**
 * Provides `Compression` by `node:zlib`, for archives and folders of `@effect-acr/artifacts`.
 *
 * **Details**
 *
 * gzip has level 6 and no time stamp, zstd level 3. zstd needs Node 22.15 or later.
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
  compress: through(compressor),
  decompress: through(decompressor)
})
