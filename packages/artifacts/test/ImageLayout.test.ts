/**
 * Image layouts: reading and writing them.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Referrer from "@effect-acr/client/Referrer"
import { assert, describe, layer } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import * as Copy from "../src/Copy.ts"
import * as ImageLayout from "../src/ImageLayout.ts"
import type { LayoutError } from "../src/LayoutError.ts"
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
  layer as layerOf
} from "./support/artifacts.ts"
import { layer as platform, layoutFolder, snapshot } from "./support/layouts.ts"

const sbom = attachment("sbom", amd64.descriptor)
const signature = attachment("signature", both.descriptor, "application/vnd.example.signature")

const source = Effect.gen(function* () {
  const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64, both, sbom, signature])
  yield* store.putManifest(both, { tags: ["v1"] })
  return store
})

const putBlobs = (layout: ImageLayout.ImageLayout, ...texts: ReadonlyArray<string>) =>
  Effect.forEach(["{}", ...texts], (text) => layout.putBlob(layerOf(text), BlobSource.fromString(text)), {
    discard: true
  })

/** A layout with the image `amd64` under a tag. */
const small = Effect.gen(function* () {
  const folder = yield* layoutFolder
  const layout = yield* ImageLayout.open(folder)
  yield* putBlobs(layout, "base", "amd64")
  yield* layout.putManifest(amd64, { tags: ["v1"] })
  return { folder, layout }
})

const inFolder = (folder: string, ...names: ReadonlyArray<string>) =>
  Effect.map(Path.Path, (path) => path.join(folder, ...names))

const read = (folder: string, name: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    return yield* files.readFileString(yield* inFolder(folder, name))
  })

const write = (folder: string, name: string, text: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    yield* files.writeFileString(yield* inFolder(folder, name), text)
  })

/** Entries of index.json, as their names and digests. */
const entriesOf = (folder: string) =>
  Effect.map(read(folder, "index.json"), (text) => {
    const { manifests } = JSON.parse(text) as { manifests: Array<Descriptor> }
    return manifests.map(
      ({ annotations, digest }) => [annotations?.["org.opencontainers.image.ref.name"], digest] as const
    )
  })

/** Writes index.json by hand, with these entries. */
const withEntries = (folder: string, ...manifests: ReadonlyArray<unknown>) =>
  write(folder, "index.json", JSON.stringify({ schemaVersion: 2, manifests }))

const names = (entries: ReadonlyArray<readonly [string | undefined, string]>) => entries.map(([name]) => name)

const reasonOf = <A, R>(effect: Effect.Effect<A, LayoutError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

const entry = ({ descriptor }: Manifest.Raw, annotations: Readonly<Record<string, string>> = {}) => ({
  ...descriptor,
  annotations
})
const called = (name: string) => entry(amd64, { "io.containerd.image.name": name })
const refName = (name: string) => ({ "org.opencontainers.image.ref.name": name })

layer(platform)("a layout that is read", (it) => {
  for (const [text, reason] of [
    ["no JSON", { _tag: "NotALayout", found: "UnreadableVersion" }],
    [`{"imageLayoutVersion":2}`, { _tag: "NotALayout", found: "UnreadableVersion" }],
    [`{"imageLayoutVersion":"1.1.0"}`, { _tag: "UnsupportedVersion" }]
  ] as const) {
    it.effect(`fails with ${reason._tag} if oci-layout is ${text}`, () =>
      Effect.gen(function* () {
        const { folder } = yield* small
        yield* write(folder, "oci-layout", text)
        assert.deepInclude((yield* Effect.flip(ImageLayout.open(folder))).reason, reason)
      })
    )
  }

  it.effect("may have more fields in oci-layout, and other files", () =>
    Effect.gen(function* () {
      const { folder } = yield* small
      yield* write(folder, "oci-layout", `{"imageLayoutVersion":"1.0.0","more":true}`)
      yield* write(folder, "manifest.json", "[]")
      yield* write(folder, ".DS_Store", "x")
      const files = yield* FileSystem.FileSystem
      yield* files.makeDirectory(yield* inFolder(folder, "blobs", "blake3"), { recursive: true })
      const layout = yield* ImageLayout.open(folder)
      assert.isTrue(Option.isSome(yield* layout.resolve("v1")))
    })
  )

  it.effect("is not a file: the error names what reads archives", () =>
    Effect.gen(function* () {
      const { folder } = yield* small
      const error = yield* Effect.flip(ImageLayout.open(yield* inFolder(folder, "index.json")))
      assert.deepInclude(error.reason, { _tag: "NotALayout", found: "File" })
      assert.include(error.message, "ImageArchive.read")
    })
  )

  it.effect("is refused without oci-layout, if the folder has other content", () =>
    Effect.gen(function* () {
      const { folder } = yield* small
      const files = yield* FileSystem.FileSystem
      yield* files.remove(yield* inFolder(folder, "oci-layout"))
      const error = yield* Effect.flip(ImageLayout.open(folder))
      assert.deepInclude(error.reason, { _tag: "NotALayout", found: "OtherFolder" })
      assert.include(error.message, folder)
    })
  )

  it.effect("is empty if the folder is missing or empty, and reading creates nothing", () =>
    Effect.gen(function* () {
      const folder = yield* layoutFolder
      const files = yield* FileSystem.FileSystem
      const layout = yield* ImageLayout.open(folder)
      assert.isTrue(Option.isNone(yield* layout.resolve("v1")))
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), [])
      assert.isFalse(yield* layout.has(config))
      yield* layout.untag("v1")
      yield* layout.prune()
      assert.isFalse(yield* files.exists(folder))
    })
  )

  for (const text of [
    `{"schemaVersion":2,"manifests":null}`,
    `{"schemaVersion":2}`,
    `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.new","digest":"blake3:00","size":1}]}`
  ]) {
    it.effect(`takes an index.json of ${text}`, () =>
      Effect.gen(function* () {
        const { folder } = yield* small
        yield* write(folder, "index.json", text)
        const layout = yield* ImageLayout.open(folder)
        assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), [])
        yield* layout.putManifest(amd64, { tags: ["v2"] })
        assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["v2"])
        // What this library does not know stays.
        if (text.includes("blake3")) assert.include(yield* read(folder, "index.json"), "blake3:00")
      })
    )
  }

  it.effect("finds a manifest by its name, its full name, the tag of that, a number, or a digest", () =>
    Effect.gen(function* () {
      const { folder } = yield* small
      const other = image("other")
      const containerd = { "io.containerd.image.name": "docker.io/library/alpine:3", ...refName("3") }
      yield* withEntries(folder, entry(amd64, refName("docker.io/library/tool:v9")), entry(other, containerd), {
        ...both.descriptor
      })
      const layout = yield* ImageLayout.open(folder)
      const named = (reference: string) =>
        Effect.map(layout.resolve(reference), (found) => Option.getOrUndefined(found)?.digest)
      assert.strictEqual(yield* named("docker.io/library/tool:v9"), amd64.descriptor.digest)
      assert.strictEqual(yield* named("v9"), amd64.descriptor.digest)
      assert.strictEqual(yield* named("3"), other.descriptor.digest)
      assert.strictEqual(yield* named("docker.io/library/alpine:3"), other.descriptor.digest)
      assert.strictEqual(yield* named("@0"), amd64.descriptor.digest)
      assert.strictEqual(yield* named("@2"), both.descriptor.digest)
      assert.isUndefined(yield* named("@3"))
      assert.isUndefined(yield* named("tool"))
      assert.strictEqual(yield* named(amd64.descriptor.digest), amd64.descriptor.digest)
    })
  )

  it.effect("has manifests by digest that the index does not list", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      yield* withEntries(folder)
      const found = yield* layout.resolve(amd64.descriptor.digest)
      assert.deepStrictEqual(Option.getOrThrow(found), amd64.descriptor)
      // A blob is not a manifest.
      assert.isTrue(Option.isNone(yield* layout.resolve(config.digest)))
      assert.isTrue(Option.isNone(yield* layout.manifest(layerOf("base"))))
    })
  )

  it.effect("fails if several manifests have a name, and names them", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      yield* withEntries(folder, entry(amd64, refName("v1")), entry(arm64, refName("v1")))
      const error = yield* Effect.flip(layout.resolve("v1"))
      assert.strictEqual(error.reason._tag, "Ambiguous")
      assert.include(error.message, amd64.descriptor.digest)
      assert.include(error.message, arm64.descriptor.digest)
      // The same entry twice is not ambiguous.
      yield* withEntries(folder, entry(amd64, refName("v1")), entry(amd64, refName("v1")))
      assert.isTrue(Option.isSome(yield* layout.resolve("v1")))
      yield* layout.putManifest(amd64, { tags: ["v1"] })
    })
  )

  it.effect("fails with the digest and the path if a blob is missing", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const absent = layerOf("absent")
      const error = yield* Effect.flip(Stream.runDrain(layout.blob(absent).read(0)))
      assert.strictEqual(error.reason._tag, "ContentMissing")
      assert.include(error.message, absent.digest)
      assert.include(error.message, yield* inFolder(folder, "blobs", "sha256", Digest.hex(absent.digest)))
    })
  )

  it.effect("fails if a blob is damaged, and never ends as if it were complete", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const base = layerOf("base")
      yield* write(folder, `blobs/sha256/${Digest.hex(base.digest)}`, "bass")
      assert.strictEqual(yield* reasonOf(Stream.runDrain(layout.blob(base).read(0))), "ContentDiffers")
      yield* write(folder, `blobs/sha256/${Digest.hex(base.digest)}`, "base and more")
      assert.strictEqual(yield* reasonOf(Stream.runDrain(layout.blob(base).read(0))), "ContentDiffers")
      yield* write(folder, `blobs/sha256/${Digest.hex(amd64.descriptor.digest)}`, "{}")
      assert.strictEqual(yield* reasonOf(layout.manifest(amd64.descriptor)), "ContentDiffers")
      // Putting it again repairs it.
      assert.strictEqual(yield* layout.putBlob(base, BlobSource.fromString("base")), "sent")
      yield* Stream.runDrain(layout.blob(base).read(0))
    })
  )

  it.effect("does not wait for a pipe or a device in the place of a file", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const files = yield* FileSystem.FileSystem
      const base = layerOf("base")
      const path = yield* inFolder(folder, "blobs", "sha256", Digest.hex(base.digest))
      yield* files.remove(path)
      yield* files.symlink("/dev/zero", path)
      assert.strictEqual(yield* reasonOf(Stream.runDrain(layout.blob(base).read(0))), "ContentMissing")
      assert.isFalse(yield* layout.has(base))
      const index = yield* inFolder(folder, "index.json")
      yield* files.remove(index)
      yield* files.symlink("/dev/zero", index)
      assert.strictEqual(yield* reasonOf(layout.resolve("v1")), "InvalidIndex")
      const version = yield* inFolder(folder, "oci-layout")
      yield* files.remove(version)
      yield* files.symlink("/dev/zero", version)
      assert.strictEqual(yield* reasonOf(ImageLayout.open(folder)), "NotALayout")
    })
  )

  it.effect("does not read an oci-layout of any size", () =>
    Effect.gen(function* () {
      const { folder } = yield* small
      yield* write(folder, "oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0", more: "x".repeat(100_000) }))
      assert.strictEqual(yield* reasonOf(ImageLayout.open(folder)), "NotALayout")
    })
  )

  it.effect("is read from any offset", () =>
    Effect.gen(function* () {
      const { layout } = yield* small
      const text = yield* Stream.mkString(Stream.decodeText(layout.blob(layerOf("amd64")).read(3)))
      assert.strictEqual(text, "64")
    })
  )

  it.effect("is read through a symbolic link to shared blobs, and not written through it", () =>
    Effect.gen(function* () {
      const { folder } = yield* small
      const files = yield* FileSystem.FileSystem
      const shared = `${folder}-shared`
      yield* files.rename(yield* inFolder(folder, "blobs"), shared)
      yield* files.symlink(shared, yield* inFolder(folder, "blobs"))
      const layout = yield* ImageLayout.open(folder)
      yield* Stream.runDrain(layout.blob(layerOf("base")).read(0))
      assert.strictEqual(yield* reasonOf(layout.putBlob(layerOf("x"), BlobSource.fromString("x"))), "SharedBlobs")
      assert.strictEqual(yield* reasonOf(layout.prune()), "SharedBlobs")
    })
  )

  it.effect("removes no file of another folder that a symbolic link leads to", () =>
    Effect.gen(function* () {
      const { folder } = yield* small
      const files = yield* FileSystem.FileSystem
      const theirs = `${folder}-theirs`
      const ingest = yield* inFolder(folder, "ingest")
      yield* files.makeDirectory(theirs)
      yield* write(theirs, "notes", "theirs")
      // Older than what killed programs leave, by the clock of the test.
      yield* files.utimes(yield* inFolder(theirs, "notes"), new Date(-1e10), new Date(-1e10))
      yield* files.remove(ingest, { recursive: true })
      yield* files.symlink(theirs, ingest)
      const layout = yield* ImageLayout.open(folder)
      assert.strictEqual(yield* reasonOf(layout.putBlob(layerOf("x"), BlobSource.fromString("x"))), "SharedBlobs")
      assert.strictEqual(yield* reasonOf(layout.prune({ minAge: 0 })), "SharedBlobs")
      assert.deepStrictEqual(yield* files.readDirectory(theirs), ["notes"])
    })
  )

  it.effect("needs no write permission, and leaves nothing", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const before = yield* snapshot(folder)
      yield* Copy.run(layout, yield* source, "v1", { tags: ["copy"] })
      assert.deepStrictEqual(yield* snapshot(folder), before)
    })
  )
})

layer(platform)("a layout that is written", (it) => {
  it.effect("holds what was copied into it, byte for byte, and returns it", () =>
    Effect.gen(function* () {
      const from = yield* source
      const layout = yield* ImageLayout.open(yield* layoutFolder)
      const report = yield* Copy.run(from, layout, "v1", { tags: ["v1", "latest"] })
      assert.strictEqual(Copy.totals(report).sent.nodes, 9)
      const target = yield* holding([], [])
      yield* Copy.run(layout, target, "latest")
      for (const raw of [amd64, arm64, both, sbom, signature]) {
        assert.deepStrictEqual(Option.getOrThrow(yield* target.manifest(raw.descriptor)).bytes, raw.bytes)
      }
      const listed = yield* Stream.runCollect(layout.referrers(amd64.descriptor.digest))
      assert.deepStrictEqual(
        listed.map(({ artifactType, digest }) => `${artifactType} ${digest}`),
        [`application/spdx+json ${sbom.descriptor.digest}`]
      )
    })
  )

  it.effect("lists its tags, its untagged roots and its referrers, and no child of an index", () =>
    Effect.gen(function* () {
      const from = yield* source
      const folder = yield* layoutFolder
      const layout = yield* ImageLayout.open(folder)
      yield* Copy.run(from, layout, "v1")
      const entries = yield* entriesOf(folder)
      assert.deepStrictEqual(
        entries.filter(([name]) => name === undefined).map(([, digest]) => digest),
        [sbom, signature].map(({ descriptor }) => descriptor.digest).toSorted()
      )
      assert.deepStrictEqual(
        entries.flatMap(([name]) => (name === undefined ? [] : [name])),
        [Referrer.tag(amd64.descriptor.digest), Referrer.tag(both.descriptor.digest), "v1"].toSorted()
      )
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["v1"])
    })
  )

  it.effect("lists an image whose tag looks like that of a list of referrers, as `cosign copy` sets it", () =>
    Effect.gen(function* () {
      const { layout } = yield* small
      const tags = [`sha256-${"a".repeat(64)}`, Referrer.tag(amd64.descriptor.digest), "v1"].toSorted()
      yield* layout.putManifest(amd64, { tags })
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), tags)
      yield* layout.untag("v1")
      yield* layout.prune({ untagged: true, minAge: 0 })
      assert.isTrue(Option.isSome(yield* layout.resolve(amd64.descriptor.digest)))
    })
  )

  it.effect("is a layout again after its folder was removed and something is put", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      yield* FileSystem.FileSystem.use((files) => files.remove(folder, { recursive: true }))
      yield* putBlobs(layout, "base", "amd64")
      yield* layout.putManifest(amd64, { tags: ["v2"] })
      const again = yield* ImageLayout.open(folder)
      assert.deepStrictEqual(yield* Stream.runCollect(again.tags), ["v2"])
    })
  )

  it.effect("lists the manifests that no tag names", () =>
    Effect.gen(function* () {
      const { layout } = yield* small
      const digests = Effect.map(Stream.runCollect(layout.untagged ?? Stream.empty), (all) =>
        all.map(({ digest }) => digest)
      )
      yield* layout.putManifest(amd64, { tags: ["v1"] })
      assert.deepStrictEqual(yield* digests, [])
      yield* layout.untag("v1")
      assert.deepStrictEqual(yield* digests, [amd64.descriptor.digest])
    })
  )

  it.effect("does not change when the same is put again", () =>
    Effect.gen(function* () {
      const from = yield* source
      const folder = yield* layoutFolder
      yield* Copy.run(from, yield* ImageLayout.open(folder), "v1")
      const before = yield* snapshot(folder)
      const layout = yield* ImageLayout.open(folder)
      yield* Copy.run(from, layout, "v1")
      yield* Copy.run(from, layout, "v1", { trust: "walk" })
      yield* layout.putManifest(both, { tags: ["v1"] })
      assert.deepStrictEqual(yield* snapshot(folder), before)
    })
  )

  it.effect("has the same bytes for the same tags, regardless of earlier changes", () =>
    Effect.gen(function* () {
      const from = yield* source
      const one = yield* layoutFolder
      const other = yield* layoutFolder
      const first = yield* ImageLayout.open(one)
      yield* Copy.run(from, first, amd64.descriptor.digest, { tags: ["a"], referrers: false })
      yield* Copy.run(from, first, both.descriptor.digest, { tags: ["b", "c"] })
      const second = yield* ImageLayout.open(other)
      yield* Copy.run(from, second, "v1", { tags: ["c"] })
      yield* Copy.run(from, second, "v1", { tags: ["b", "x"] })
      yield* Copy.run(from, second, amd64.descriptor.digest, { tags: ["a"] })
      yield* second.untag("x")
      assert.strictEqual(yield* read(other, "index.json"), yield* read(one, "index.json"))
    })
  )

  it.effect("keeps the old root without its name when a tag moves", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const next = image("base")
      yield* layout.putManifest(next, { tags: ["v1"] })
      assert.deepStrictEqual(yield* entriesOf(folder), [
        ["v1", next.descriptor.digest],
        [undefined, amd64.descriptor.digest]
      ])
      assert.isTrue(Option.isSome(yield* layout.resolve(amd64.descriptor.digest)))
      // With another name it keeps only that.
      yield* layout.putManifest(amd64, { tags: ["v1", "old"] })
      yield* layout.putManifest(next, { tags: ["v1"] })
      assert.deepStrictEqual(yield* entriesOf(folder), [
        ["old", amd64.descriptor.digest],
        ["v1", next.descriptor.digest]
      ])
    })
  )

  it.effect("keeps an untagged root that was put by its digest", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const root = image("base")
      yield* layout.putManifest(root)
      yield* layout.prune({ minAge: 0 })
      assert.isTrue(Option.isSome(yield* layout.resolve(root.descriptor.digest)))
      assert.deepInclude(yield* entriesOf(folder), [undefined, root.descriptor.digest])
    })
  )

  it.effect("accepts a manifest only if it has what that names, and a sparse index with what it has", () =>
    Effect.gen(function* () {
      const { layout } = yield* small
      const error = yield* Effect.flip(layout.putManifest(both))
      if (error._tag !== "MissingContent") return assert.fail(error.message)
      assert.deepStrictEqual(error.digests, [arm64.descriptor.digest])
      yield* layout.putManifest(both, { isSparse: true, tags: ["both"] })
      assert.isTrue(Option.isSome(yield* layout.resolve("both")))
    })
  )

  it.effect("has the content when the copy reports that it is done", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const seen: Array<string> = []
      const events = Copy.events(yield* source, layout, "v1", { tags: ["copy"] }).pipe(
        Stream.tap(({ _tag }) => {
          seen.push(_tag)
          return _tag === "TagDone" ? write(folder, "index.json", "no index") : Effect.void
        })
      )
      const error = yield* Effect.flip(Stream.runDrain(events))
      assert.deepInclude(error.reason, { _tag: "InvalidIndex" })
      assert.notInclude(seen, "Finished")
    })
  )

  it.effect("never replaces an index.json that it cannot read", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      for (const text of ["", "{", "[]", `{"manifests":{}}`]) {
        yield* write(folder, "index.json", text)
        assert.strictEqual(yield* reasonOf(layout.resolve("v1")), "InvalidIndex")
        const error = yield* Effect.flip(layout.putManifest(amd64, { tags: ["v2"] }))
        assert.include(error.message, "index.json")
        assert.strictEqual(yield* reasonOf(layout.prune()), "InvalidIndex")
        assert.strictEqual(yield* read(folder, "index.json"), text)
      }
    })
  )

  it.effect("keeps fields and entries of other programs", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const foreign = { ...entry(amd64, { ...refName("theirs"), note: "kept" }), "com.example": [1] }
      yield* write(
        folder,
        "index.json",
        JSON.stringify({ schemaVersion: 2, annotations: { of: "others" }, manifests: [foreign, { odd: true }] })
      )
      yield* layout.putManifest(amd64, { tags: ["ours"] })
      const { manifests, ...fields } = JSON.parse(yield* read(folder, "index.json")) as { manifests: Array<unknown> }
      assert.deepStrictEqual(fields, { schemaVersion: 2, annotations: { of: "others" } })
      assert.deepInclude(manifests, foreign)
      assert.deepInclude(manifests, { odd: true })
    })
  )

  it.effect("keeps the names that containerd gives, until the manifest is removed", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const [alpine, busybox] = ["docker.io/library/alpine:3", "docker.io/library/busybox:1"]
      yield* withEntries(folder, called(alpine), called(busybox))
      yield* putBlobs(layout, "arm64")
      yield* layout.putManifest(arm64)
      yield* layout.putManifest(both, { tags: ["both"] })
      yield* layout.putManifest(amd64, { tags: ["v1"] })
      for (const name of [alpine, busybox, "v1"]) {
        assert.strictEqual(Option.getOrThrow(yield* layout.resolve(name)).digest, amd64.descriptor.digest)
      }
      yield* layout.remove(amd64.descriptor)
      assert.deepStrictEqual(names(yield* entriesOf(folder)), ["both"])
    })
  )

  it.effect("writes its index once for a batch, in which the changes are visible", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const before = yield* read(folder, "index.json")
      yield* layout.batch(
        Effect.gen(function* () {
          yield* layout.putManifest(amd64, { tags: ["a"] })
          yield* layout.batch(layout.putManifest(amd64, { tags: ["b"] }))
          yield* layout.untag("v1")
          assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["a", "b"])
          assert.strictEqual(yield* read(folder, "index.json"), before)
        })
      )
      assert.deepStrictEqual(names(yield* entriesOf(folder)), ["a", "b"])
    })
  )

  it.effect("keeps the changes of a batch that fails", () =>
    Effect.gen(function* () {
      const { layout } = yield* small
      const failing = layout.batch(Effect.andThen(layout.putManifest(amd64, { tags: ["a"] }), Effect.fail("stop")))
      assert.strictEqual(yield* Effect.flip(failing), "stop")
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), ["a", "v1"])
    })
  )

  it.effect("removes manifests with their tags and their places among referrers", () =>
    Effect.gen(function* () {
      const layout = yield* ImageLayout.open(yield* layoutFolder)
      yield* Copy.run(yield* source, layout, "v1")
      yield* layout.remove(sbom.descriptor)
      assert.deepStrictEqual(yield* Stream.runCollect(layout.referrers(amd64.descriptor.digest)), [])
      assert.isTrue(Option.isNone(yield* layout.resolve(Referrer.tag(amd64.descriptor.digest))))
      yield* layout.remove(both.descriptor)
      yield* layout.remove(both.descriptor)
      assert.deepStrictEqual(yield* Stream.runCollect(layout.tags), [])
      assert.isTrue(Option.isNone(yield* layout.resolve(both.descriptor.digest)))
    })
  )

  it.effect("refuses content that does not match its digest, and leaves nothing of it", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const before = yield* snapshot(folder)
      const wanted = layerOf("right")
      for (const text of ["wrong", "righ", "right and more"]) {
        const { message, reason } = yield* Effect.flip(layout.putBlob(wanted, BlobSource.fromString(text)))
        assert.strictEqual(reason._tag, "ContentDiffers")
        // Otherwise the folder in the message would seem to be damaged.
        assert.include(message, `${wanted.digest} is not written: the content does not`)
      }
      assert.isFalse(yield* layout.has(wanted))
      assert.deepStrictEqual(yield* snapshot(folder), before)
    })
  )

  it.effect("holds sha512 content, under lower-case names", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const { createHash } = yield* Effect.promise(() => import("node:crypto"))
      const hex = createHash("sha512").update("long").digest("hex")
      const blob = { ...blobOf(MediaType.octetStream, "long"), digest: Digest.Digest.make(`sha512:${hex}`) }
      yield* layout.putBlob(blob, BlobSource.fromString("long"))
      assert.strictEqual(yield* read(folder, `blobs/sha512/${hex}`), "long")
      const text = yield* Stream.mkString(Stream.decodeText(layout.blob(blob).read(0)))
      assert.strictEqual(text, "long")
    })
  )
})

layer(platform, { excludeTestServices: true })("prune", (it) => {
  it.effect("removes and reports unreachable content", () =>
    Effect.gen(function* () {
      const folder = yield* layoutFolder
      const layout = yield* ImageLayout.open(folder)
      yield* Copy.run(yield* source, layout, "v1")
      yield* putBlobs(layout, "garbage")
      const before = yield* snapshot(folder)
      const planned = yield* layout.prune({ minAge: 0, isDryRun: true })
      assert.include(
        planned.removed.map(({ digest }) => digest),
        layerOf("garbage").digest
      )
      assert.deepStrictEqual(yield* snapshot(folder), before)
      const done = yield* layout.prune({ minAge: 0 })
      assert.deepStrictEqual({ ...done, isDryRun: true }, planned)
      assert.isFalse(yield* layout.has(layerOf("garbage")))
      for (const raw of [amd64, arm64, both, sbom, signature]) {
        assert.isTrue(Option.isSome(yield* layout.manifest(raw.descriptor)))
      }
      assert.strictEqual((yield* layout.prune({ minAge: 0 })).bytes, 0)
    })
  )

  it.effect("on request removes untagged manifests with their referrers", () =>
    Effect.gen(function* () {
      const folder = yield* layoutFolder
      const layout = yield* ImageLayout.open(folder)
      yield* Copy.run(yield* source, layout, "v1")
      const old = image("base")
      const ofOld = attachment("of the old", old.descriptor)
      yield* layout.putManifest(old)
      yield* layout.putManifest(ofOld)
      yield* layout.prune({ minAge: 0 })
      assert.isTrue(Option.isSome(yield* layout.manifest(old.descriptor)))
      yield* layout.prune({ minAge: 0, untagged: true })
      assert.isTrue(Option.isNone(yield* layout.manifest(old.descriptor)))
      assert.isTrue(Option.isNone(yield* layout.manifest(ofOld.descriptor)))
      assert.isTrue(Option.isNone(yield* layout.resolve(Referrer.tag(old.descriptor.digest))))
      for (const raw of [amd64, arm64, both, sbom, signature]) {
        assert.isTrue(Option.isSome(yield* layout.manifest(raw.descriptor)))
      }
      const listed = yield* Stream.runCollect(layout.referrers(both.descriptor.digest))
      assert.lengthOf(listed, 1)
    })
  )

  it.effect("keeps a referrer whose subject is missing, and a sparse index", () =>
    Effect.gen(function* () {
      const { layout } = yield* small
      const dangling = attachment("of nothing", image("nowhere").descriptor)
      yield* layout.putManifest(dangling)
      yield* layout.putManifest(index(amd64.descriptor, arm64.descriptor), { tags: ["sparse"], isSparse: true })
      yield* layout.prune({ minAge: 0 })
      assert.isTrue(Option.isSome(yield* layout.manifest(dangling.descriptor)))
      assert.isTrue(Option.isSome(yield* layout.resolve("sparse")))
    })
  )

  it.effect("ignores files whose names are not digests, and removes files of killed programs", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const files = yield* FileSystem.FileSystem
      yield* write(folder, "blobs/sha256/notes.txt", "theirs")
      yield* write(folder, "blobs/sha256/UPPERCASE", "theirs")
      yield* write(folder, "ingest/leftover", "half")
      yield* layout.prune({ minAge: 0 })
      assert.isTrue(yield* files.exists(yield* inFolder(folder, "blobs", "sha256", "notes.txt")))
      assert.isFalse(yield* files.exists(yield* inFolder(folder, "ingest", "leftover")))
    })
  )
})

layer(platform, { excludeTestServices: true })("a layout in real time", (it) => {
  it.effect("sees what another program writes into the index in the same tick of the disk's clock", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const files = yield* FileSystem.FileSystem
      const file = yield* inFolder(folder, "index.json")
      // A time that has not passed when the index is read: the clock may stand still for as long as it likes.
      const tick = new Date((yield* Clock.currentTimeMillis) + 60_000)
      const named = (manifest: Manifest.Raw) =>
        withEntries(folder, entry(manifest, refName("v1"))).pipe(
          Effect.andThen(files.utimes(file, tick, tick)),
          Effect.andThen(layout.resolve("v1")),
          Effect.map((found) => Option.getOrThrow(found).digest)
        )
      assert.strictEqual(yield* named(amd64), amd64.descriptor.digest)
      assert.strictEqual(yield* named(arm64), arm64.descriptor.digest)
    })
  )

  it.effect("does not treat an image that containerd named as untagged", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const name = "docker.io/library/alpine:3"
      yield* withEntries(folder, entry(amd64, { "io.containerd.image.name": name }))
      const files = yield* FileSystem.FileSystem
      const path = yield* inFolder(folder, "blobs", "sha256", Digest.hex(amd64.descriptor.digest))
      yield* files.utimes(path, new Date(0), new Date(0))
      yield* layout.prune({ untagged: true })
      assert.isTrue(Option.isSome(yield* layout.resolve(name)))
    })
  )

  it.effect("is changed by several stores of one process without loss", () =>
    Effect.gen(function* () {
      const { folder } = yield* small
      const tags = Array.from({ length: 20 }, (_, number) => `t${number}`)
      const stores = yield* Effect.forEach([1, 2, 3], () => ImageLayout.open(folder))
      yield* Effect.forEach(
        stores.flatMap((store, number) => tags.map((tag) => [store, `${number}-${tag}`] as const)),
        ([store, tag]) => store.putManifest(amd64, { tags: [tag] }),
        { concurrency: "unbounded" }
      )
      const layout = yield* ImageLayout.open(folder)
      assert.lengthOf(yield* Stream.runCollect(layout.tags), 61)
    })
  )

  it.effect("keeps young content, and what a young manifest names", () =>
    Effect.gen(function* () {
      const { folder, layout } = yield* small
      const files = yield* FileSystem.FileSystem
      yield* withEntries(folder)
      const old = new Date(Date.now() - 2 * 3600 * 1000)
      const names = yield* files.readDirectory(yield* inFolder(folder, "blobs", "sha256"))
      for (const name of names) yield* files.utimes(yield* inFolder(folder, "blobs", "sha256", name), old, old)
      const path = yield* inFolder(folder, "blobs", "sha256", Digest.hex(amd64.descriptor.digest))
      yield* files.utimes(path, new Date(), new Date())
      yield* putBlobs(layout, "about to be named")
      yield* layout.prune()
      assert.isTrue(yield* layout.has(layerOf("base")))
      assert.isTrue(yield* layout.has(layerOf("about to be named")))
      yield* files.utimes(path, old, old)
      const { removed } = yield* layout.prune()
      assert.lengthOf(removed, 4)
    })
  )
})

/** A file system whose writes fail after some time. */
const failing = (budget: { left: number }) =>
  Effect.map(FileSystem.FileSystem, (files) => {
    const full = PlatformError.systemError({
      _tag: "Unknown",
      module: "FileSystem",
      method: "write",
      description: "ENOSPC: no space left on device"
    })
    const spend = Effect.suspend(() => (budget.left-- > 0 ? Effect.void : Effect.fail(full)))
    return FileSystem.make({
      ...files,
      open: (path, options) =>
        Effect.map(files.open(path, options), (file) => ({
          ...file,
          stat: file.stat,
          seek: (...at: Parameters<typeof file.seek>) => file.seek(...at),
          read: (...into: Parameters<typeof file.read>) => file.read(...into),
          sync: Effect.andThen(spend, file.sync),
          writeAll: (bytes: Uint8Array) => Effect.andThen(spend, file.writeAll(bytes))
        })),
      rename: (from, to) => Effect.andThen(spend, files.rename(from, to)),
      makeDirectory: (path, options) => Effect.andThen(spend, files.makeDirectory(path, options))
    })
  })

const refused = (method: string, at: string, code: string) =>
  PlatformError.systemError({
    _tag: code === "ENOENT" ? "NotFound" : "Unknown",
    module: "FileSystem",
    method,
    pathOrDescriptor: at,
    cause: Object.assign(new Error(code), { code })
  })

/** A read-only disk, as Node reports it: a recursive call fails with "not found". */
const readOnly = Effect.map(FileSystem.FileSystem, (files) => {
  return FileSystem.make({
    ...files,
    open: (at) => Effect.fail(refused("open", at, "ENOENT")),
    makeDirectory: (at, options) =>
      Effect.fail(refused("makeDirectory", at, options?.recursive === true ? "ENOENT" : "EROFS"))
  })
})

/** Notes the memory from which files are written. */
const noting = (written: Set<ArrayBufferLike>) =>
  Effect.map(FileSystem.FileSystem, (files) =>
    FileSystem.make({
      ...files,
      open: (path, options) =>
        Effect.map(files.open(path, options), (file) => ({
          ...file,
          stat: file.stat,
          sync: file.sync,
          seek: (...at: Parameters<typeof file.seek>) => file.seek(...at),
          read: (...into: Parameters<typeof file.read>) => file.read(...into),
          writeAll: (bytes: Uint8Array) => {
            written.add(bytes.buffer)
            return file.writeAll(bytes)
          }
        }))
    })
  )

describe("a blob that is written", () => {
  layer(platform)((it) => {
    it.effect("leaves no garbage: its memory is freed at once", () =>
      Effect.gen(function* () {
        const folder = yield* layoutFolder
        const written = new Set<ArrayBufferLike>()
        const files = yield* noting(written)
        yield* ImageLayout.open(folder).pipe(
          Effect.flatMap((layout) => Effect.flatMap(source, (from) => Copy.run(from, layout, "v1"))),
          Effect.provideService(FileSystem.FileSystem, files)
        )
        assert.isAbove(written.size, 2)
        for (const { byteLength } of written) assert.strictEqual(byteLength, 0)
      })
    )
  })
})

/** Counts how often each path is looked at, without following links. */
const counting = (looks: Map<string, number>) =>
  Effect.map(FileSystem.FileSystem, (files) =>
    FileSystem.make({
      ...files,
      lstat: (at) => {
        looks.set(at, (looks.get(at) ?? 0) + 1)
        return files.lstat(at)
      }
    })
  )

describe("the first blobs of a folder", () => {
  layer(platform)((it) => {
    it.effect("make it a layout once, although they are written at the same time", () =>
      Effect.gen(function* () {
        const folder = yield* layoutFolder
        const looks = new Map<string, number>()
        const texts = Array.from({ length: 6 }, (_, number) => `blob ${number}`)
        yield* ImageLayout.open(folder).pipe(
          Effect.flatMap((layout) =>
            Effect.forEach(texts, (text) => layout.putBlob(layerOf(text), BlobSource.fromString(text)), {
              concurrency: "unbounded"
            })
          ),
          Effect.provideService(FileSystem.FileSystem, yield* counting(looks))
        )
        assert.deepStrictEqual(
          Array.from(looks.values(), (count) => count > 1),
          [false, false, false, false]
        )
      })
    )
  })
})

describe("a disk that fails", () => {
  layer(platform)((it) => {
    it.effect("reports that it is read-only, not that something is missing", () =>
      Effect.gen(function* () {
        const from = yield* source
        const path = yield* Path.Path
        const folder = path.join(yield* layoutFolder, "deep", "layout")
        const { message } = yield* ImageLayout.open(folder).pipe(
          Effect.flatMap((layout) => Copy.run(from, layout, "v1")),
          Effect.provideService(FileSystem.FileSystem, yield* readOnly),
          Effect.flip
        )
        assert.include(message, "Unknown: FileSystem.makeDirectory")
      })
    )

    it.effect("fails with its error, damages nothing, and leaves no file behind", () =>
      Effect.gen(function* () {
        const from = yield* source
        for (let steps = 0; steps < 400; steps += 3) {
          const folder = yield* layoutFolder
          const files = yield* failing({ left: steps })
          const exit = yield* ImageLayout.open(folder).pipe(
            Effect.flatMap((layout) => Copy.run(from, layout, "v1")),
            Effect.provideService(FileSystem.FileSystem, files),
            Effect.result
          )
          const layout = yield* ImageLayout.open(folder)
          const there = yield* layout.resolve("v1")
          if (exit._tag === "Success") {
            assert.isTrue(Option.isSome(there))
            assert.isAbove(steps, 20)
            return
          }
          assert.include(exit.failure.message, "ENOSPC")
          if (exit.failure._tag === "CopyError") assert.strictEqual(exit.failure.side, "target")
          const leftovers = yield* Effect.orElseSucceed(
            Effect.flatMap(FileSystem.FileSystem, (own) => own.readDirectory(`${folder}/ingest`)),
            () => []
          )
          assert.deepStrictEqual(leftovers, [])
          if (Option.isSome(there)) yield* Copy.run(layout, yield* holding([], []), "v1")
          yield* Copy.run(from, layout, "v1")
          yield* Copy.run(layout, yield* holding([], []), "v1")
        }
        assert.fail("it never succeeds")
      })
    )
  })
})
