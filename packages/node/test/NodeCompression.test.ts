/**
 * Compression by `node:zlib`: what other programs write is read whole, and what is cut off is refused.
 */
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from "node:zlib"
import * as Compression from "@effect-acr/client/Compression"
import { assert, layer } from "@effect/vitest"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as NodeCompression from "../src/NodeCompression.ts"
import { makeSplitter } from "../src/internal/zstdFrames.ts"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Text that is longer than a block, and does compress. */
const text = Array.from({ length: 50_000 }, (_, number) => `line ${number} of a layer\n`).join("")

const pieces = (bytes: Uint8Array, size: number): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size)),
    { chunkSize: 3 }
  )

const collect = <E, R>(stream: Stream.Stream<Uint8Array, E, R>) => Effect.map(Stream.runCollect(stream), Bytes.concat)

const read = (bytes: Uint8Array, size: number) =>
  Effect.map(collect(Compression.decompress(pieces(bytes, size))), (all) => decoder.decode(all))

const one = (bytes: Uint8Array) => new Uint8Array(bytes)

/** RFC 8878, section 3.1.2: content that is passed over. */
const skippable = (length: number) => Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, length, 0, 0, 0, ...new Uint8Array(length))

const zstd = (part: string) => one(zstdCompressSync(part))

const parts = [text.slice(0, 10), "", text.slice(10, 200_000), text.slice(200_000), "a".repeat(300_000)]

const frames = {
  one: zstd(text),
  several: Bytes.concat(parts.map(zstd)),
  skippable: Bytes.concat([skippable(9), zstd(parts[0] ?? ""), skippable(0), zstd(text), skippable(255)])
}

layer(NodeCompression.layer)("a compressed stream", (it) => {
  it.effect("gives the same bytes whatever pieces its content comes in, which node:zlib reads", () =>
    Effect.gen(function* () {
      for (const [format, decompress] of [
        ["gzip", gunzipSync],
        ["zstd", zstdDecompressSync]
      ] as const) {
        const whole = yield* collect(Compression.compress(Stream.make(encoder.encode(text)), format))
        assert.strictEqual(decompress(whole).toString(), text)
        for (const size of [1, 1000, 1 << 20]) {
          const content = pieces(encoder.encode(text.slice(0, 20_000)), size)
          const other = yield* collect(Compression.compress(Stream.make(encoder.encode(text.slice(0, 20_000))), format))
          assert.deepStrictEqual(yield* collect(Compression.compress(content, format)), other, `${format} by ${size}`)
        }
      }
    })
  )

  it.effect("has several members of gzip", () =>
    Effect.gen(function* () {
      const bytes = Bytes.concat(parts.map((part) => one(gzipSync(part))))
      for (const size of [7, 1 << 20]) assert.strictEqual(yield* read(bytes, size), parts.join(""))
    })
  )

  for (const [name, bytes] of Object.entries(frames)) {
    it.effect(`has frames of zstd: ${name}`, () =>
      Effect.gen(function* () {
        const expected = { one: text, several: parts.join(""), skippable: `${parts[0]}${text}` }[name]
        for (const size of [1, 2, 5, 1000, 1 << 20])
          assert.strictEqual(yield* read(bytes, size), expected, `by ${size}`)
      })
    )
  }

  it.effect("that is cut off fails", () =>
    Effect.gen(function* () {
      for (const whole of [one(gzipSync(text)), frames.one, frames.several]) {
        for (const length of [5, 100, whole.length - 1]) {
          const error = yield* Effect.flip(read(whole.subarray(0, length), 1000))
          assert.strictEqual(error._tag, "CompressionError", `${length} of ${whole.length}`)
        }
      }
    })
  )

  it("of zstd is known to be whole or cut off, which zlib on Bun and Deno does not notice", () => {
    for (const whole of Object.values(frames)) {
      const isWholeUpTo = (length: number) => {
        const { isWhole, split } = makeSplitter()
        split(whole.subarray(0, length))
        return isWhole()
      }
      assert.isTrue(isWholeUpTo(0))
      assert.isTrue(isWholeUpTo(whole.length))
      for (const length of [1, 5, whole.length - 1]) assert.isFalse(isWholeUpTo(length), `${length}`)
    }
  })

  it.effect("that is followed by something else fails for zstd, and is what it is for gzip", () =>
    Effect.gen(function* () {
      const junk = encoder.encode("something else")
      assert.strictEqual((yield* Effect.exit(read(Bytes.concat([frames.one, junk]), 1000)))._tag, "Failure")
      assert.strictEqual(yield* read(Bytes.concat([one(gzipSync(text)), new Uint8Array(1000)]), 1 << 20), text)
    })
  )

  it.effect("that is not compressed passes as it is, however short", () =>
    Effect.gen(function* () {
      for (const content of ["", "a", "\u001f", "plain text"])
        assert.strictEqual(yield* read(encoder.encode(content), 1), content)
    })
  )

  it.effect("ends early when its reader does", () =>
    Effect.gen(function* () {
      const endless = Stream.forever(Stream.make(encoder.encode(text)))
      const first = yield* Stream.runCollect(Stream.take(Compression.compress(endless, "gzip"), 1))
      assert.lengthOf(first, 1)
    })
  )
})
