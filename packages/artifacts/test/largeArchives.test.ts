/**
 * Archives with large files: what a stream keeps of them, and sizes beyond the limit of the oldest format.
 */
import { open } from "node:fs/promises"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { assert, layer } from "@effect/vitest"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Copy from "../src/Copy.ts"
import * as ImageArchive from "../src/ImageArchive.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import { blobOf, rawOf } from "./support/artifacts.ts"
import { layer as platform, tarOf } from "./support/dockerArchives.ts"

/** Larger than what is kept in memory in any case. */
const large = ["a", "b", "c", "d"].map((letter) => letter.repeat(5 * 1024 * 1024))

const config = blobOf(MediaType.ociImageConfig, "{}")
const layers = large.map((text) => blobOf(MediaType.ociImageLayer, text))
const image = rawOf(MediaType.ociImageManifest, Manifest.format(Manifest.image({ config, layers })))

const written = Effect.gen(function* () {
  const store = MemoryStore.make()
  for (const text of ["{}", ...large]) {
    yield* store.putBlob(blobOf(MediaType.ociImageLayer, text), BlobSource.fromString(text))
  }
  yield* store.putManifest(image, { tags: ["v1"] })
  return Bytes.concat(yield* Stream.runCollect(ImageArchive.write(store, "v1")))
})

/** The same entries in the order of their names, as docker and BuildKit write them: the index at the end. */
const sortedByName = (bytes: Uint8Array) =>
  Stream.make(bytes).pipe(
    Stream.pipeThroughChannel(Tar.decode()),
    Stream.mapEffect(({ body, header }) =>
      Effect.map(Stream.runCollect(body), (pieces) => Tar.file(header.path, Bytes.concat(pieces)))
    ),
    Stream.runCollect,
    Effect.flatMap((entries) =>
      tarOf(entries.toSorted((left, right) => (left.header.path < right.header.path ? -1 : 1)))
    )
  )

const pieces = (bytes: Uint8Array): Stream.Stream<Uint8Array> => BlobSource.fromBytes(bytes).read(0)

/** Counts and locates the temporary files. */
const watching = Effect.map(FileSystem.FileSystem, (files) => {
  const made: Array<string> = []
  const watched = FileSystem.make({
    ...files,
    makeTempFileScoped: (options) =>
      Effect.tap(files.makeTempFileScoped(options), (path) => Effect.sync(() => made.push(path)))
  })
  return { made, watched }
})

layer(platform)("a stream of an archive", (it) => {
  it.effect("keeps nothing large if content arrives in the order of the requests", () =>
    Effect.gen(function* () {
      const bytes = yield* written
      const { made, watched } = yield* watching
      const target = MemoryStore.make()
      yield* Effect.scoped(
        Effect.gen(function* () {
          const archive = yield* ImageArchive.fromStream(pieces(bytes))
          yield* Copy.run(archive, target, "v1", { concurrency: 1 })
          // It was passed on, and is not kept.
          const [first = config] = layers
          const again = yield* Effect.flip(Stream.runDrain(archive.blob(first).read(0)))
          assert.strictEqual(again.reason._tag, "AlreadyRead")
        })
      ).pipe(Effect.provideService(FileSystem.FileSystem, watched))
      assert.deepStrictEqual(made, [])
      assert.isTrue(Option.isSome(yield* target.manifest(image.descriptor)))
    })
  )

  it.effect("keeps what arrives before its index in one temporary file, which is removed with the scope", () =>
    Effect.gen(function* () {
      const bytes = yield* Effect.flatMap(written, sortedByName)
      const files = yield* FileSystem.FileSystem
      const { made, watched } = yield* watching
      yield* Effect.scoped(
        Effect.gen(function* () {
          const archive = yield* ImageArchive.fromStream(pieces(bytes))
          // What is kept can be read again, by several at a time.
          for (const target of [MemoryStore.make(), MemoryStore.make()]) yield* Copy.run(archive, target, "v1")
        })
      ).pipe(Effect.provideService(FileSystem.FileSystem, watched))
      assert.lengthOf(made, 1)
      assert.isFalse(yield* files.exists(made[0] ?? ""))
    })
  )

  it.effect("keeps no more than is allowed", () =>
    Effect.gen(function* () {
      const bytes = yield* Effect.flatMap(written, sortedByName)
      const { made, watched } = yield* watching
      const reading = Effect.scoped(ImageArchive.fromStream(pieces(bytes), { maxBytes: "4 MiB" }))
      const error = yield* Effect.flip(Effect.provideService(reading, FileSystem.FileSystem, watched))
      assert.strictEqual(error.reason._tag, "InvalidArchive")
      assert.include(error.message, "maxBytes")
      assert.deepStrictEqual(made, [])
    })
  )

  it.effect("is copied with several readers at once, and in any order", () =>
    Effect.gen(function* () {
      const bytes = yield* written
      for (const concurrency of [2, 6]) {
        const archive = yield* ImageArchive.fromStream(pieces(bytes))
        yield* Copy.run(archive, MemoryStore.make(), "v1", { concurrency })
      }
      const archive = yield* ImageArchive.fromStream(pieces(bytes))
      for (const blob of layers.toReversed()) yield* Stream.runDrain(archive.blob(blob).read(0))
    })
  )
})

/** A header of GNU tar with a size in base 256. */
const gnuHeader = (name: string, size: number): Uint8Array => {
  const block = Buffer.alloc(512)
  block.write(name, 0)
  block.write("0000644\0", 100)
  block.writeUInt8(0x80, 124)
  block.writeBigUInt64BE(BigInt(size), 128)
  block.write("00000000000\0", 136)
  block.write("        ", 148)
  block.write("0", 156)
  block.write("ustar  \0", 257)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148)
  return block
}

layer(platform)("an archive with an entry of 9 GiB", (it) => {
  const size = 9 * 1024 ** 3
  const name = `blobs/sha256/${"0".repeat(64)}`

  /** The headers of an entry up to its content. */
  const paxHeader = Stream.make(Tar.fileStream(name, size, Stream.forever(Stream.make(new Uint8Array(1024))))).pipe(
    Stream.pipeThroughChannel(Tar.encode()),
    Stream.runHead,
    Effect.map((first) => Option.getOrThrow(first).subarray(0, 3 * 512))
  )

  it.effect("is read by its size in base 256 and in a pax header", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const rest = yield* written
      for (const header of [gnuHeader(name, size), yield* paxHeader]) {
        const file = `${yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-large-" })}/image.tar`
        // A sparse file: nothing of the 9 GiB is on the disk.
        yield* Effect.promise(async () => {
          const handle = await open(file, "w")
          await handle.write(header, 0, header.length, 0)
          await handle.write(rest, 0, rest.length, header.length + size)
          await handle.close()
        })
        const archive = yield* ImageArchive.read(file)
        const digest = Digest.Digest.make(`sha256:${"0".repeat(64)}`)
        assert.isTrue(yield* archive.has({ digest }))
        const source = archive.blob({ digest, size, mediaType: MediaType.ociImageLayer })
        const tail = Bytes.concat(yield* Stream.runCollect(source.read(size - 10)))
        assert.deepStrictEqual(tail, new Uint8Array(10))
        yield* Copy.run(archive, MemoryStore.make(), "v1")
      }
    })
  )
})
