/**
 * Sources of blobs: they return the same bytes from any offset.
 */
import { randomBytes } from "node:crypto"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as BlobSource from "../src/BlobSource.ts"

const mebibyte = 1024 * 1024

const collect = <E, R>(stream: Stream.Stream<Uint8Array, E, R>) =>
  Effect.map(Stream.runCollect(stream), (pieces) => Buffer.concat(pieces))

const assertSame = <E, R>(source: BlobSource.BlobSource<E, R>, content: Uint8Array, size: number | undefined) =>
  Effect.gen(function* () {
    assert.strictEqual(yield* source.sizeBytes, size)
    for (const offset of [0, 1, Math.floor(content.length / 2), Math.max(0, content.length - 1), content.length]) {
      assert.isTrue((yield* collect(source.read(offset))).equals(content.subarray(offset)), `from ${offset}`)
    }
  })

const Pieces = Schema.Array(Schema.Uint8Array)

describe("a source", () => {
  it.effect.prop("of bytes or of streams returns the rest from any offset", { pieces: Pieces }, ({ pieces }) =>
    Effect.gen(function* () {
      const content = Buffer.concat(pieces)
      const stream = Stream.fromIterable(pieces)
      yield* assertSame(BlobSource.fromBytes(content), content, content.length)
      yield* assertSame(BlobSource.fromStream(stream), content, undefined)
      yield* assertSame(BlobSource.fromRepeatableStream(stream, { size: 7 }), content, 7)
    })
  )

  it.effect("of a text is its UTF-8", () =>
    assertSame(BlobSource.fromString("grün 🌱"), Buffer.from("grün 🌱"), Buffer.byteLength("grün 🌱"))
  )

  it.live("of a file returns the rest from any offset", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "effect-acr-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      const content = Buffer.alloc(2_500_000, "0123456789abcdef-")
      yield* Effect.promise(() => writeFile(join(folder, "blob"), content))
      yield* assertSame(BlobSource.fromFile(join(folder, "blob")), content, content.length)
      const missing = BlobSource.fromFile(join(folder, "missing"))
      assert.strictEqual((yield* Effect.flip(missing.sizeBytes))._tag, "PlatformError")
      assert.strictEqual((yield* Effect.flip(collect(missing.read(0))))._tag, "PlatformError")
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it.live("of a file reuses its memory if the reader states what it still uses", () =>
    Effect.gen(function* () {
      const folder = yield* Effect.acquireRelease(
        Effect.promise(() => mkdtemp(join(tmpdir(), "effect-acr-"))),
        (path) => Effect.promise(() => rm(path, { recursive: true }))
      )
      const content = randomBytes(40 * mebibyte + 1)
      yield* Effect.promise(() => writeFile(join(folder, "blob"), content))
      const { read } = BlobSource.fromFile(join(folder, "blob"))
      for (const heldMebibytes of [0, 2, 3, 9]) {
        const held: Array<Uint8Array> = []
        const memory = new Set<ArrayBufferLike>()
        let position = 7
        yield* Stream.runForEach(read(position, heldMebibytes * mebibyte), (piece) =>
          Effect.sync(() => {
            memory.add(piece.buffer)
            held.push(piece)
            position += piece.length
            // What the reader may still use: a number of bytes, and one piece, before the current one.
            let from = position
            for (const before of held.slice(-2 - 2 * heldMebibytes).toReversed()) {
              from -= before.length
              assert.isTrue(content.subarray(from, from + before.length).equals(before))
            }
          })
        )
        assert.strictEqual(position, content.length)
        assert.isAtMost(memory.size, 4 + 2 * heldMebibytes)
      }
    }).pipe(Effect.provide(NodeFileSystem.layer))
  )

  it("says whether it can be read again", () => {
    assert.isTrue(BlobSource.fromBytes(new Uint8Array()).repeatable)
    assert.isTrue(BlobSource.fromFile("x").repeatable)
    assert.isFalse(BlobSource.fromStream(Stream.empty).repeatable)
    assert.isTrue(BlobSource.fromRepeatableStream(Stream.empty).repeatable)
  })
})
