/**
 * Image layouts: other programs, interruptions and batches between two steps of an operation.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Referrer from "@effect-acr/client/Referrer"
import { assert, layer } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Copy from "../src/Copy.ts"
import * as ImageLayout from "../src/ImageLayout.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import {
  amd64,
  arm64,
  attachment,
  blobOf,
  both,
  config,
  holding,
  image,
  index,
  layer as layerOf,
  rawOf
} from "./support/artifacts.ts"
import { layer as platform, layoutFolder, snapshot } from "./support/layouts.ts"

const isLock = (path: string) => path.includes(".lock.")

/** A layout with the image `amd64` under a tag. */
const small = Effect.gen(function* () {
  const folder = yield* layoutFolder
  const layout = yield* ImageLayout.open(folder)
  for (const text of ["{}", "base", "amd64"]) yield* layout.putBlob(layerOf(text), BlobSource.fromString(text))
  yield* layout.putManifest(amd64, { tags: ["v1"] })
  return { folder, layout }
})

const write = (folder: string, name: string, text: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.writeFileString(`${folder}/${name}`, text))

const read = (folder: string, name: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) => files.readFileString(`${folder}/${name}`))

/** Writes a manifest to `blobs`, as another program does. */
const writeBlob = (folder: string, { bytes, descriptor }: Manifest.Raw) =>
  write(folder, `blobs/sha256/${Digest.hex(descriptor.digest)}`, new TextDecoder().decode(bytes))

const named = ({ descriptor }: Manifest.Raw, name: string) => ({
  ...descriptor,
  annotations: { "org.opencontainers.image.ref.name": name }
})

/** Opens a layout on a file system that does something right before each lock file is created. */
const openBeforeLock = (folder: string, before: Effect.Effect<void>) =>
  Effect.flatMap(FileSystem.FileSystem, (files) =>
    Effect.provideService(
      ImageLayout.open(folder),
      FileSystem.FileSystem,
      FileSystem.make({
        ...files,
        writeFile: (path, bytes, options) =>
          Effect.andThen(isLock(path) ? before : Effect.void, files.writeFile(path, bytes, options))
      })
    )
  )

/** JSON as other programs write it: indented, and in another order. */
const foreignIndex = (...manifests: ReadonlyArray<unknown>) =>
  JSON.stringify({ manifests, schemaVersion: 2 }, undefined, 2)

const referrersOf = (layout: ImageLayout.ImageLayout, subject: Manifest.Raw) =>
  Effect.map(Stream.runCollect(layout.referrers(subject.descriptor.digest)), (found) =>
    found.map(({ digest }) => digest)
  )

layer(platform)("a folder", (it) => {
  it.effect("is a layout although another program makes it one while it is opened", () =>
    Effect.gen(function* () {
      const folder = yield* layoutFolder
      const files = yield* FileSystem.FileSystem
      yield* files.makeDirectory(folder)
      const theirs = yield* ImageLayout.open(folder)
      const makeLayout = Effect.orDie(theirs.putBlob(layerOf("base"), BlobSource.fromString("base")))
      const racing = FileSystem.make({
        ...files,
        readDirectory: (path, options) =>
          Effect.andThen(path === folder ? makeLayout : Effect.void, files.readDirectory(path, options))
      })
      const ours = yield* Effect.provideService(ImageLayout.open(folder), FileSystem.FileSystem, racing)
      assert.isTrue(yield* ours.has(layerOf("base")))
    })
  )
})

layer(platform)("a change of a layout", (it) => {
  it.effect("does not list a manifest that another program removes before it is listed", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const other = image("base")
      yield* layout.putManifest(other)
      let isRemoved = false
      const racing = yield* openBeforeLock(
        folder,
        Effect.suspend(() => {
          if (isRemoved) return Effect.void
          isRemoved = true
          return Effect.orDie(layout.remove(other.descriptor))
        })
      )
      yield* racing.putManifest(other, { tags: ["v2"] })
      assert.isTrue(isRemoved)
      const found = Option.getOrThrow(yield* layout.resolve("v2"))
      assert.strictEqual(found.digest, other.descriptor.digest)
      assert.deepStrictEqual(Option.getOrThrow(yield* layout.manifest(found)).bytes, other.bytes)
    })
  )

  it.effect("that changes nothing leaves the index of another program unchanged", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      yield* write(folder, "index.json", foreignIndex({ odd: true }, named(amd64, "v1"), named(amd64, "a")))
      const before = yield* snapshot(folder)
      yield* layout.putManifest(amd64, { tags: ["v1"] })
      yield* layout.putManifest(amd64)
      yield* layout.untag("nowhere")
      yield* layout.prune({ minAge: 0 })
      assert.deepStrictEqual(yield* snapshot(folder), before)
    })
  )

  it.effect("adds a referrer to the list that another program has made", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const theirs = attachment("theirs", amd64.descriptor)
      const ours = attachment("ours", amd64.descriptor)
      const list = index(theirs.descriptor)
      const tag = Referrer.tag(amd64.descriptor.digest)
      yield* writeBlob(folder, theirs)
      yield* writeBlob(folder, list)
      yield* write(folder, "index.json", foreignIndex(named(amd64, "v1"), named(list, tag)))
      assert.deepStrictEqual(yield* referrersOf(layout, amd64), [theirs.descriptor.digest])
      yield* layout.putManifest(ours)
      assert.sameMembers(yield* referrersOf(layout, amd64), [theirs.descriptor.digest, ours.descriptor.digest])
      // Programs that read only the tag find both.
      const merged = Option.getOrThrow(yield* layout.resolve(tag))
      const text = yield* read(folder, `blobs/sha256/${Digest.hex(merged.digest)}`)
      assert.include(text, theirs.descriptor.digest)
      assert.include(text, ours.descriptor.digest)
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["v1"])
    })
  )
})

layer(platform)("a damaged layout", (it) => {
  it.effect("is repaired by removing the damaged file and copying its image with trust walk", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const files = yield* FileSystem.FileSystem
      const source = yield* holding(["base", "amd64"], [amd64])
      const file = `blobs/sha256/${Digest.hex(layerOf("base").digest)}`
      yield* write(folder, file, "bass")
      yield* files.remove(`${folder}/${file}`)
      yield* Copy.run(source, layout, amd64.descriptor.digest, { tags: ["v1"], trust: "walk" })
      assert.strictEqual(yield* read(folder, file), "base")
    })
  )
})

const damage = (folder: string, { descriptor }: Manifest.Raw, change: (text: string) => string) =>
  Effect.gen(function* () {
    const file = `blobs/sha256/${Digest.hex(descriptor.digest)}`
    yield* write(folder, file, change(yield* read(folder, file)))
    return yield* ImageLayout.open(folder)
  })

const truncated = (text: string) => text.slice(1)
const ofOneSize = (text: string) => text.toUpperCase()

layer(platform)("a layout with a damaged manifest", (it) => {
  for (const change of [truncated, ofOneSize]) {
    it.effect(`takes other images, and that one again: ${change.name}`, () =>
      Effect.gen(function* () {
        const { folder } = yield* small
        const layout = yield* damage(folder, amd64, change)
        const source = yield* holding(["base", "amd64", "arm64"], [amd64, arm64])
        yield* Copy.run(source, layout, arm64.descriptor.digest)
        assert.isTrue(yield* layout.keeps(arm64.descriptor))
        assert.isFalse(yield* layout.keeps(amd64.descriptor))
        yield* Copy.run(source, layout, amd64.descriptor.digest)
        assert.deepStrictEqual(Option.getOrThrow(yield* layout.manifest(amd64.descriptor)).bytes, amd64.bytes)
      })
    )
  }

  it.effect("does not silently leave out referrers, and prunes nothing", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const sbom = attachment("sbom", amd64.descriptor)
      yield* layout.putManifest(sbom)
      const damaged = yield* damage(folder, sbom, ofOneSize)
      const listing = yield* Effect.flip(referrersOf(damaged, amd64))
      const pruning = yield* Effect.flip(damaged.prune({ minAge: 0 }))
      for (const { reason } of [listing, pruning]) assert.deepInclude(reason, { _tag: "ContentDiffers" })
    })
  )

  it.effect("can remove it", () =>
    Effect.gen(function* () {
      const { folder } = yield* small
      const layout = yield* damage(folder, amd64, truncated)
      yield* layout.remove(amd64.descriptor)
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), [])
      assert.isFalse(yield* layout.has(amd64.descriptor))
    })
  )
})

const on = ({ descriptor }: Manifest.Raw, architecture: string) => ({
  ...descriptor,
  platform: { os: "linux", architecture }
})

layer(platform)("a layout that lacks what its tag names", (it) => {
  it.effect("has it after a copy", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const files = yield* FileSystem.FileSystem
      const source = yield* holding(["base", "amd64"], [amd64])
      yield* files.remove(`${folder}/blobs/sha256/${Digest.hex(amd64.descriptor.digest)}`)
      yield* Copy.run(source, layout, amd64.descriptor.digest, { tags: ["v1"] })
      assert.isTrue(Option.isSome(yield* layout.manifest(amd64.descriptor)))
    })
  )

  it.effect("has an image of a sparse index after a copy, and does not list it by itself", () =>
    Effect.gen(function* () {
      const layout = yield* ImageLayout.open(yield* layoutFolder)
      const wide = index(on(amd64, "amd64"), on(arm64, "arm64"))
      const source = yield* holding(["base", "amd64", "arm64"], [amd64, arm64, wide])
      const { digest } = wide.descriptor
      yield* Copy.run(source, layout, digest, { tags: ["v1"], platforms: ["linux/amd64"], index: "sparse" })
      yield* Copy.run(source, layout, digest, { tags: ["v1"] })
      assert.isTrue(yield* layout.keeps(arm64.descriptor))
      const { manifests } = JSON.parse(yield* read(layout.folder, "index.json"))
      assert.lengthOf(manifests, 1)
    })
  )
})

layer(platform)("an image that is removed from the index that names it", (it) => {
  it.effect("is not kept, and is copied again with trust walk", () =>
    Effect.gen(function* () {
      const { layout } = yield* small
      const source = yield* holding(["base", "amd64", "arm64"], [amd64, arm64, both])
      const { digest } = both.descriptor
      yield* Copy.run(source, layout, digest)
      assert.isTrue(yield* layout.keeps(arm64.descriptor))
      yield* layout.remove(arm64.descriptor)
      assert.isFalse(yield* layout.keeps(arm64.descriptor))
      yield* Copy.run(source, layout, digest, { trust: "walk" })
      assert.isTrue(yield* layout.keeps(arm64.descriptor))
    })
  )
})

layer(platform)("a batch", (it) => {
  it.effect("shows what it removed as gone, and only to itself", () =>
    Effect.gen(function* () {
      const { layout } = yield* small
      const sbom = attachment("sbom", amd64.descriptor)
      yield* layout.putManifest(sbom)
      const { digest } = sbom.descriptor
      const isThere = Effect.all([
        Effect.map(layout.resolve(digest), Option.isSome),
        Effect.map(layout.manifest(sbom.descriptor), Option.isSome),
        layout.has(sbom.descriptor),
        layout.keeps(sbom.descriptor),
        Effect.map(referrersOf(layout, amd64), (found) => found.includes(digest))
      ])
      const isRemoved = yield* Deferred.make<void>()
      const isSeen = yield* Deferred.make<void>()
      const batch = yield* Effect.forkChild(
        layout.batch(
          Effect.gen(function* () {
            yield* layout.remove(sbom.descriptor)
            assert.deepStrictEqual(yield* isThere, [false, false, false, false, false])
            yield* Deferred.succeed(isRemoved, undefined)
            yield* Deferred.await(isSeen)
          })
        )
      )
      yield* Effect.raceFirst(Deferred.await(isRemoved), Fiber.join(batch))
      assert.deepStrictEqual(yield* isThere, [true, true, true, true, true])
      yield* Deferred.succeed(isSeen, undefined)
      yield* Fiber.join(batch)
      assert.deepStrictEqual(yield* isThere, [false, false, false, false, false])
    })
  )

  it.effect("does not lose the changes of a fiber that outlives it", () =>
    Effect.gen(function* () {
      const { layout } = yield* small
      const isOver = yield* Deferred.make<void>()
      const late = Effect.andThen(Deferred.await(isOver), layout.putManifest(amd64, { tags: ["late"] }))
      const fiber = yield* layout.batch(Effect.forkDetach(late))
      yield* Deferred.succeed(isOver, undefined)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["late", "v1"])
    })
  )

  it.effect("keeps what it removed and then put again", () =>
    Effect.gen(function* () {
      const { layout } = yield* small
      yield* layout.batch(
        Effect.gen(function* () {
          yield* layout.remove(amd64.descriptor)
          yield* layout.putManifest(amd64, { tags: ["v2"] })
          assert.isTrue(Option.isSome(yield* layout.manifest(amd64.descriptor)))
        })
      )
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["v2"])
      assert.deepStrictEqual(Option.getOrThrow(yield* layout.manifest(amd64.descriptor)).bytes, amd64.bytes)
    })
  )

  it.effect(
    "fails when it ends if another program has removed what one of its manifests needs, and keeps the others",
    () =>
      Effect.gen(function* () {
        const { folder, layout } = yield* small
        const files = yield* FileSystem.FileSystem
        const error = yield* Effect.flip(
          layout.batch(
            Effect.gen(function* () {
              yield* layout.putManifest(image("base"), { tags: ["v2"] })
              yield* layout.putManifest(image("amd64"), { tags: ["v3"] })
              yield* files.remove(`${folder}/blobs/sha256/${Digest.hex(layerOf("base").digest)}`)
            })
          )
        )
        if (error._tag !== "LayoutError") return assert.fail(error.message)
        assert.strictEqual(error.reason._tag, "ContentMissing")
        assert.include(error.message, layerOf("base").digest)
        assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["v1", "v3"])
      })
  )

  it.effect("does not change what other fibers write meanwhile", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      yield* layout.batch(
        Effect.gen(function* () {
          yield* layout.putManifest(amd64, { tags: ["inside"] })
          const outside = yield* ImageLayout.open(folder)
          yield* outside.putManifest(amd64, { tags: ["outside"] })
          assert.deepStrictEqual(yield* Stream.runCollect(outside.tags), ["outside", "v1"])
        })
      )
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["inside", "outside", "v1"])
    })
  )
})

layer(platform, { excludeTestServices: true })("prune", (it) => {
  it.effect("removes nothing if what a manifest names is unknown", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const signed = MediaType.MediaType.make("application/vnd.docker.distribution.manifest.v1+prettyjws")
      const old = rawOf(signed, `{"schemaVersion":1,"fsLayers":[{"blobSum":"${layerOf("old").digest}"}]}`)
      yield* layout.putBlob(layerOf("old"), BlobSource.fromString("old"))
      yield* layout.putManifest(old, { tags: ["old"] })
      // Registries take 4 MiB. A layout may hold more.
      const padding = " ".repeat(5 * 1024 * 1024)
      const large = rawOf(MediaType.ociImageManifest, `${new TextDecoder().decode(image("old").bytes)}${padding}`)
      for (const raw of [old, large]) {
        yield* writeBlob(folder, raw)
        yield* write(folder, "index.json", foreignIndex(named(raw, "old")))
        const before = yield* snapshot(folder)
        const error = yield* Effect.flip(layout.prune({ minAge: 0 }))
        assert.strictEqual(error.reason._tag, "UnknownManifest")
        assert.include(error.message, raw.descriptor.digest)
        assert.strictEqual((yield* Effect.flip(layout.prune({ isDryRun: true }))).reason._tag, "UnknownManifest")
        assert.deepStrictEqual(yield* snapshot(folder), before)
      }
      // Content under another algorithm may name existing content.
      const odd = { mediaType: MediaType.ociImageManifest, digest: "blake3:00", size: 1 }
      yield* write(folder, "index.json", foreignIndex(named(amd64, "v1"), odd))
      assert.include((yield* Effect.flip(layout.prune({ minAge: 0 }))).message, "blake3:00")
      // An entry may be a blob, which names nothing.
      const blob = { ...config, ...blobOf(MediaType.octetStream, "old") }
      yield* write(folder, "index.json", foreignIndex(named(amd64, "v1"), blob))
      yield* layout.prune({ minAge: 0 })
      assert.isTrue(yield* layout.has(blob))
      assert.isFalse(yield* layout.has(old.descriptor))
    })
  )

  it.effect.each([undefined, "", "foo", "application/json", MediaType.octetStream])(
    "keeps what a manifest needs whose entry states the media type %j",
    (mediaType) =>
      Effect.gen(function* () {
        const { folder, layout } = yield* small
        const { digest, size } = amd64.descriptor
        const type = MediaType.ociImageIndex
        const nested = rawOf(type, { schemaVersion: 2, mediaType: type, manifests: [{ mediaType, digest, size }] })
        yield* writeBlob(folder, nested)
        // An entry of the layout itself without one is not read, and nothing would be removed.
        const own = mediaType === undefined || mediaType === "" ? [] : [{ ...named(amd64, "v1"), mediaType }]
        for (const index of [...own, named(nested, "v1")].map((entry) => foreignIndex(entry))) {
          yield* write(folder, "index.json", index)
          yield* layout.prune({ minAge: 0 })
          for (const blob of ["{}", "base", "amd64"]) assert.isTrue(yield* layout.has(layerOf(blob)))
          yield* writeBlob(folder, nested)
        }
        const target = MemoryStore.make("target")
        yield* Copy.run(layout, target, "v1")
        assert.isTrue(Option.isSome(yield* target.manifest(amd64.descriptor)))
      })
  )

  it.effect("removes nothing if an entry of an unknown media type is an image and an index at once", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const both = rawOf(MediaType.octetStream, { schemaVersion: 2, config, layers: [layerOf("base")], manifests: [] })
      yield* writeBlob(folder, both)
      yield* write(folder, "index.json", foreignIndex(both.descriptor))
      assert.strictEqual((yield* Effect.flip(layout.prune({ minAge: 0 }))).reason._tag, "UnknownManifest")
      assert.isTrue(yield* layout.has(layerOf("base")))
    })
  )
})
