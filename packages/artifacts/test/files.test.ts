/**
 * Artifacts of files and folders: what is packed, how it is attached, and what a pull writes.
 */
import { gzipSync } from "node:zlib"
import * as Annotations from "@effect-acr/client/Annotations"
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as NodeCompression from "@effect-acr/node/NodeCompression"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, layer } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Stream from "effect/Stream"
import * as Artifact from "../src/Artifact.ts"
import type { ContentStore, Reader } from "../src/ContentStore.ts"
import * as ImageLayout from "../src/ImageLayout.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import { amd64, arm64, blobOf, forPlatform, holding, index, rawOf, reportingOne } from "./support/artifacts.ts"
import { hexOf, tarOf } from "./support/dockerArchives.ts"

const platform = Layer.merge(NodeServices.layer, NodeCompression.layer)

const type = "application/vnd.contoso.report.v1"
const encoder = new TextEncoder()

/** A folder with files that is removed after the test. */
const folderWith = (contents: Readonly<Record<string, string>>) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const folder = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-files-" })
    for (const [name, text] of Object.entries(contents)) {
      yield* files.makeDirectory(path.dirname(path.join(folder, name)), { recursive: true })
      yield* files.writeFileString(path.join(folder, name), text)
    }
    return folder
  })

/** The names of all files in a folder, with their content. */
const contentsOf = (folder: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const names = yield* files.readDirectory(folder, { recursive: true })
    const found: Record<string, string> = {}
    for (const name of names.toSorted()) {
      const { type } = yield* files.stat(path.join(folder, name))
      if (type === "File") found[name] = yield* files.readFileString(path.join(folder, name))
    }
    return found
  })

const manifestAt = <E>(store: Reader<E>, digest: Digest.Digest) =>
  Effect.gen(function* () {
    const { bytes, descriptor } = Option.getOrThrow(yield* store.manifest({ digest }))
    const view = Manifest.view(descriptor.mediaType, new TextDecoder().decode(bytes))
    if (view._tag !== "ImageManifest") return yield* Effect.die("this is no image manifest")
    return view
  })

const reasonOf = <A, E, R>(effect: Effect.Effect<A, E | { readonly reason: { readonly _tag: string } }, R>) =>
  Effect.map(Effect.flip(effect), (error) =>
    typeof error === "object" && error !== null && "reason" in error ? error.reason._tag : error
  )

/** Puts an artifact whose layers have these annotations and this content. */
const putLayers = <E>(
  store: ContentStore<E>,
  layers: ReadonlyArray<{ readonly content: string | Uint8Array; readonly annotations?: Record<string, string> }>
) =>
  Effect.gen(function* () {
    const put = Effect.fnUntraced(function* (mediaType: MediaType.MediaType, content: string | Uint8Array) {
      const bytes = typeof content === "string" ? encoder.encode(content) : content
      const digest = Digest.Digest.make(`sha256:${hexOf(bytes)}`)
      const blob: Descriptor = { mediaType, digest, size: bytes.length }
      yield* store.putBlob(blob, BlobSource.fromBytes(bytes))
      return blob
    })
    const config = yield* put(MediaType.ociEmpty, "{}")
    const descriptors = yield* Effect.forEach(layers, ({ annotations = {}, content }) =>
      Effect.map(put(MediaType.octetStream, content), (blob) => ({ ...blob, annotations }))
    )
    const artifactType = MediaType.MediaType.make(type)
    const raw = rawOf(
      MediaType.ociImageManifest,
      Manifest.format(Manifest.image({ config, layers: descriptors, artifactType }))
    )
    yield* store.putManifest(raw, { tags: ["v1"] })
  })

const titled = (title: string, content: string) => ({ content, annotations: { [Annotations.title]: title } })

/** The layer that oras makes of a folder. */
const unpacked = (tar: Uint8Array, digest: string, title = "site") => ({
  content: new Uint8Array(gzipSync(tar)),
  annotations: {
    [Annotations.title]: title,
    "io.deis.oras.content.unpack": "true",
    "io.deis.oras.content.digest": `sha256:${digest}`
  }
})

layer(platform)("an artifact", (it) => {
  it.effect("with only a type has one empty layer, and these bytes", () =>
    Effect.gen(function* () {
      const { blobs, manifest } = yield* Artifact.pack({ artifactType: type })
      const empty = `{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2}`
      assert.strictEqual(
        new TextDecoder().decode(manifest.bytes),
        `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"${type}","config":${empty},"layers":[${empty}]}`
      )
      assert.lengthOf(blobs, 1)
    })
  )

  it.effect("needs a type or a configuration, and both are media types", () =>
    Effect.gen(function* () {
      const config = { mediaType: "application/vnd.contoso.config.v1+json", content: "{}" }
      yield* Artifact.pack({ config })
      yield* Artifact.pack({ config, artifactType: type })
      yield* Artifact.pack({ artifactType: "Application/Vnd.Contoso" })
      for (const artifactType of ["x", "a/b/c", `a/${"b".repeat(300)}`, "", MediaType.ociEmpty]) {
        assert.strictEqual(yield* reasonOf(Artifact.pack({ artifactType })), "InvalidArtifact", artifactType)
      }
      assert.strictEqual(yield* reasonOf(Artifact.pack({})), "InvalidArtifact")
      assert.strictEqual(
        yield* reasonOf(Artifact.pack({ config: { ...config, mediaType: "json" } })),
        "InvalidArtifact"
      )
    })
  )

  it.effect("is the same when it is packed again, and differs only in the time if that is set", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith({ "report.json": "{}", "site/a.txt": "a", "site/b/c.txt": "c" })
      const options = {
        artifactType: type,
        files: [`${folder}/report.json`, `${folder}/site`],
        annotations: { b: "2", a: "1" }
      }
      const first = yield* Artifact.pack(options)
      const again = yield* Artifact.pack({ ...options, annotations: { a: "1", b: "2" } })
      assert.strictEqual(again.manifest.descriptor.digest, first.manifest.descriptor.digest)
      const created = yield* Artifact.pack({ ...options, created: new Date("2026-01-02T03:04:05Z") })
      assert.strictEqual(
        new TextDecoder()
          .decode(created.manifest.bytes)
          .replace(`,"${Annotations.created}":"2026-01-02T03:04:05Z"`, ""),
        new TextDecoder().decode(first.manifest.bytes)
      )
      const fromVariable = yield* Effect.provideService(
        Artifact.pack(options),
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromUnknown({ SOURCE_DATE_EPOCH: "1767323045" })
      )
      assert.include(new TextDecoder().decode(fromVariable.manifest.bytes), "2026-01-02T03:04:05Z")
      const wrong = Effect.provideService(
        Artifact.pack(options),
        ConfigProvider.ConfigProvider,
        ConfigProvider.fromUnknown({ SOURCE_DATE_EPOCH: "yesterday" })
      )
      assert.strictEqual(yield* reasonOf(wrong), "InvalidArtifact")
    })
  )

  it.effect("has titles by which a pull names its files", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith({ "a/report.json": "{}", "b/report.json": "[]" })
      const store = MemoryStore.make()
      const { descriptor } = yield* Artifact.push(store, "v1", {
        artifactType: type,
        files: [
          `${folder}/a/report.json`,
          { path: `${folder}/b/report.json`, title: "nested/report.json", mediaType: "application/json" }
        ]
      })
      const { layers } = yield* manifestAt(store, descriptor.digest)
      assert.deepStrictEqual(
        layers.map(({ annotations, mediaType }) => [mediaType, annotations?.[Annotations.title]]),
        [
          ["application/octet-stream", "report.json"],
          ["application/json", "nested/report.json"]
        ]
      )
      const twice = Artifact.pack({ artifactType: type, files: [`${folder}/a/report.json`, `${folder}/b/report.json`] })
      assert.strictEqual(yield* reasonOf(twice), "InvalidArtifact")
      assert.include((yield* Effect.flip(twice)).message, "title")
      for (const title of ["../x", "/x", "", ".", "a\0b"]) {
        const hostile = Artifact.pack({ artifactType: type, files: [{ path: `${folder}/a/report.json`, title }] })
        assert.strictEqual(yield* reasonOf(hostile), "InvalidArtifact", title)
      }
      const missing = Artifact.pack({ artifactType: type, files: [`${folder}/nowhere`] })
      assert.strictEqual(yield* reasonOf(missing), "FileFailed")
    })
  )

  it.effect("are pushed again as long as the store reports one that it lacks", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith({ "a.txt": "a", "b.txt": "b" })
      const store = MemoryStore.make()
      yield* Artifact.push(reportingOne(store), "v1", {
        artifactType: type,
        files: [`${folder}/a.txt`, `${folder}/b.txt`]
      })
      assert.isTrue(Option.isSome(yield* store.resolve("v1")))
    })
  )

  it.effect("whose manifest is larger than registries accept is refused before anything is sent", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      yield* Artifact.push(store, "small", { artifactType: type, annotations: { text: "a".repeat(100 * 1024) } })
      const large = Artifact.push(store, "large", {
        artifactType: type,
        annotations: { text: "a".repeat(4 * 1024 * 1024) }
      })
      assert.strictEqual(yield* reasonOf(large), "InvalidArtifact")
      assert.deepStrictEqual(yield* Stream.runCollect(store.tags), ["small"])
    })
  )

  it.effect("whose file changes after it was hashed is not pushed", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith({ "report.json": "before" })
      const files = yield* FileSystem.FileSystem
      const store = MemoryStore.make()
      const { blobs } = yield* Artifact.pack({ artifactType: type, files: [`${folder}/report.json`] })
      yield* files.writeFileString(`${folder}/report.json`, "BEFORE")
      const [, file] = blobs
      if (file === undefined) return assert.fail()
      assert.strictEqual(yield* reasonOf(store.putBlob(file.descriptor, file.source)), "ContentMismatch")
    })
  )

  it.effect("has its empty content sent once, and never pulled", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const outcomes: Array<string> = []
      const watched: typeof store = {
        ...store,
        blob: () => assert.fail("a blob is read"),
        putBlob: (blob, source) =>
          Effect.tap(store.putBlob(blob, source), (outcome) => Effect.sync(() => outcomes.push(outcome)))
      }
      yield* Artifact.push(watched, "v1", { artifactType: type })
      yield* Artifact.push(watched, "v2", { artifactType: type, annotations: { another: "one" } })
      assert.deepStrictEqual(outcomes, ["sent", "present"])
      const { untitled } = yield* Artifact.pull(watched, "v1", yield* folderWith({}))
      assert.lengthOf(untitled, 1)
    })
  )

  it.effect("lists its files without reading them", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith({ "site/a.txt": "a", "b.txt": "bb" })
      const store = MemoryStore.make()
      const files = [`${folder}/site`, `${folder}/b.txt`]
      const { descriptor } = yield* Artifact.push(store, "v1", { artifactType: type, files })
      const listed = yield* Artifact.files({ ...store, blob: () => assert.fail("a blob is read") }, "v1")
      assert.strictEqual(listed.manifest.digest, descriptor.digest)
      assert.deepStrictEqual(
        listed.files.map(({ isFolder, title }) => ({ isFolder, title })),
        [
          { isFolder: true, title: "site" },
          { isFolder: false, title: "b.txt" }
        ]
      )
      assert.strictEqual(listed.files[1]?.layer.size, 2)
      assert.lengthOf(listed.untitled, 0)
    })
  )

  it.effect("leaves no temporary files", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith({ "site/a.txt": "a" })
      const files = yield* FileSystem.FileSystem
      const made: Array<string> = []
      const watched = FileSystem.make({
        ...files,
        makeTempDirectoryScoped: (options) =>
          Effect.tap(files.makeTempDirectoryScoped(options), (at) => Effect.sync(() => made.push(at)))
      })
      yield* Effect.provideService(
        Artifact.push(MemoryStore.make(), "v1", { artifactType: type, files: [`${folder}/site`] }),
        FileSystem.FileSystem,
        watched
      )
      assert.lengthOf(made, 1)
      assert.isFalse(yield* files.exists(made[0] ?? ""))
    })
  )
})

layer(platform)("an artifact that is attached", (it) => {
  const both = index(forPlatform(amd64, "amd64"), forPlatform(arm64, "arm64"))
  const seeded = Effect.gen(function* () {
    const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64])
    yield* store.putManifest(both, { tags: ["v1"] })
    return store
  })

  it.effect("refers to what a tag, a digest, a tag with a digest, or a platform names", () =>
    Effect.gen(function* () {
      const store = yield* seeded
      const subjects = [
        ["v1", undefined, both],
        [both.descriptor.digest, undefined, both],
        [`v1@${amd64.descriptor.digest}`, undefined, amd64],
        ["v1", "linux/arm64", arm64]
      ] as const
      for (const [reference, chosen, expected] of subjects) {
        const { descriptor, isNew, subject } = yield* Artifact.attach(store, reference, {
          artifactType: type,
          annotations: { reference, chosen: chosen ?? "" },
          ...(chosen === undefined ? {} : { platform: chosen })
        })
        assert.isTrue(isNew)
        const { digest, mediaType, size } = expected.descriptor
        assert.deepStrictEqual(subject, { mediaType, digest, size })
        assert.deepStrictEqual((yield* manifestAt(store, descriptor.digest)).subject, subject)
        const listed = yield* Stream.runCollect(store.referrers(expected.descriptor.digest))
        assert.include(
          listed.map((one) => one.digest),
          descriptor.digest
        )
      }
      assert.strictEqual(yield* reasonOf(Artifact.attach(store, "v2", { artifactType: type })), "NotFound")
      const other = Artifact.attach(store, "v1", { artifactType: type, platform: "linux/s390x" })
      assert.strictEqual((yield* Effect.flip(other))._tag, "PlatformNotFound")
    })
  )

  it.effect("twice is one, and its listing reports where it is found", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith({})
      const store = yield* seeded
      const layout = yield* ImageLayout.open(`${folder}/layout`)
      for (const text of ["{}", "base", "amd64"]) {
        yield* layout.putBlob(blobOf(MediaType.octetStream, text), BlobSource.fromString(text))
      }
      yield* layout.putManifest(amd64, { tags: ["v1"] })
      for (const [target, listing] of [
        [store, "ReferrersApi"],
        [layout, "ReferrersTag"]
      ] as const) {
        const attach = Artifact.attach<unknown>(target, "v1", { artifactType: type })
        const first = yield* attach
        assert.strictEqual(Option.getOrThrow(first.listedBy)._tag, listing)
        const again = yield* attach
        assert.isFalse(again.isNew)
        assert.strictEqual(again.descriptor.digest, first.descriptor.digest)
      }
    })
  )

  it.effect("may refer to a subject that does not exist yet, also by sha512", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const subject = { ...amd64.descriptor, digest: Digest.Digest.make(`sha512:${"ab".repeat(64)}`) }
      const { descriptor, listedBy } = yield* Artifact.push(store, [], { artifactType: type, subject })
      assert.isTrue(Option.isSome(listedBy))
      const listed = yield* Stream.runCollect(store.referrers(subject.digest))
      assert.deepStrictEqual(
        listed.map(({ digest }) => digest),
        [descriptor.digest]
      )
    })
  )
})

layer(platform)("a pull", (it) => {
  it.effect("writes the files and folders that were pushed, however they are compressed", () =>
    Effect.gen(function* () {
      const contents = { "report.json": "{}", "site/index.html": "<p>", "site/img/a.svg": "<svg>" }
      const folder = yield* folderWith(contents)
      for (const compression of ["gzip", "zstd", "none"] as const) {
        const store = MemoryStore.make()
        yield* Artifact.push(store, "v1", {
          artifactType: type,
          files: [`${folder}/report.json`, `${folder}/site`],
          compression
        })
        const target = yield* folderWith({ "old.txt": "stays", "site/old.html": "stays" })
        const { files, untitled } = yield* Artifact.pull(store, "v1", target)
        assert.deepStrictEqual(
          files.map(({ isFolder, path, title }) => ({ isFolder, path, title })),
          [
            { isFolder: false, path: `${target}/report.json`, title: "report.json" },
            { isFolder: true, path: `${target}/site`, title: "site" }
          ]
        )
        assert.lengthOf(untitled, 0)
        const expected = { ...contents, "old.txt": "stays", "site/old.html": "stays" }
        assert.deepStrictEqual(yield* contentsOf(target), expected, compression)
      }
    })
  )

  it.effect("keeps the archive of a folder on request, and reports layers without a title", () =>
    Effect.gen(function* () {
      const folder = yield* folderWith({ "site/index.html": "<p>" })
      const store = MemoryStore.make()
      yield* Artifact.push(store, "v1", { artifactType: type, files: [`${folder}/site`] })
      const target = yield* folderWith({})
      const { files } = yield* Artifact.pull(store, "v1", target, { unpack: false })
      assert.deepStrictEqual(
        files.map(({ isFolder }) => isFolder),
        [false]
      )
      yield* putLayers(store, [{ content: "no title" }, titled("a.txt", "a")])
      const pulled = yield* Artifact.pull(store, "v1", yield* folderWith({}))
      assert.lengthOf(pulled.untitled, 1)
      assert.lengthOf(pulled.files, 1)
    })
  )

  it.effect("writes nothing for unsafe titles", () =>
    Effect.gen(function* () {
      const hostile = [
        ["../x"],
        ["/etc/x"],
        ["a/../../x"],
        [""],
        ["."],
        ["a\0b"],
        ["a/"],
        ["a//b"],
        ["a", "a/b"],
        ["a", "A"],
        ["é", "é"]
      ]
      for (const titles of hostile) {
        const store = MemoryStore.make()
        yield* putLayers(
          store,
          titles.map((title) => titled(title, `content of ${title}`))
        )
        const target = yield* folderWith({ a: "old" })
        assert.strictEqual(yield* reasonOf(Artifact.pull(store, "v1", target)), "RefusedEntry", JSON.stringify(titles))
        assert.deepStrictEqual(yield* contentsOf(target), { a: "old" })
      }
    })
  )

  it.effect("follows no symbolic link in its folder, and replaces one in the place of a file", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const outside = yield* folderWith({ secret: "untouched" })
      const target = yield* folderWith({})
      yield* files.symlink(outside, `${target}/link`)
      yield* files.symlink(`${outside}/secret`, `${target}/file`)
      const store = MemoryStore.make()
      yield* putLayers(store, [titled("link/secret", "evil")])
      assert.strictEqual(yield* reasonOf(Artifact.pull(store, "v1", target)), "RefusedEntry")
      yield* putLayers(store, [titled("file", "new")])
      yield* Artifact.pull(store, "v1", target)
      assert.deepStrictEqual(yield* contentsOf(outside), { secret: "untouched" })
      assert.strictEqual(yield* files.readFileString(`${target}/file`), "new")
      const folder = yield* folderWith({ "link/a.txt": "a" })
      yield* Artifact.push(store, "folder", { artifactType: type, files: [`${folder}/link`] })
      assert.strictEqual(yield* reasonOf(Artifact.pull(store, "folder", target)), "RefusedEntry")
      assert.deepStrictEqual(yield* contentsOf(outside), { secret: "untouched" })
    })
  )

  it.effect("that fails leaves the old files, and nothing else", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      yield* putLayers(store, [titled("a.txt", "new a"), titled("b.txt", "new b")])
      const target = yield* folderWith({ "a.txt": "old a", "b.txt": "old b" })
      const damaged: Reader<unknown> = {
        ...store,
        blob: (pointer) => ({
          ...store.blob(pointer),
          read: () => Stream.concat(Stream.make(encoder.encode("new")), Stream.fail("the wire was cut"))
        })
      }
      assert.strictEqual(yield* Effect.flip(Artifact.pull(damaged, "v1", target)), "the wire was cut")
      assert.deepStrictEqual(yield* contentsOf(target), { "a.txt": "old a", "b.txt": "old b" })
      const kept = Artifact.pull(store, "v1", target, { overwrite: false })
      assert.strictEqual(yield* reasonOf(kept), "AlreadyThere")
      yield* Artifact.pull(store, "v1", target)
      assert.deepStrictEqual(yield* contentsOf(target), { "a.txt": "new a", "b.txt": "new b" })
    })
  )

  it.effect("without overwrite leaves equal files, and writes nothing if a different file exists", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const store = MemoryStore.make()
      const site = yield* tarOf([
        Tar.directory("site"),
        Tar.file("site/a.txt", "a".repeat(200_000)),
        Tar.symlink("site/link", "a.txt")
      ])
      const other = yield* tarOf([Tar.directory("other"), Tar.file("other/b.txt", "b")])
      yield* putLayers(store, [
        titled("c.txt", "c"),
        unpacked(site, hexOf(site)),
        unpacked(other, hexOf(other), "other")
      ])
      const target = yield* folderWith({})
      const pull = Artifact.pull(store, "v1", target, { overwrite: false })
      const pulled = yield* pull
      assert.deepStrictEqual(yield* pull, pulled)
      for (const [name, content] of [
        ["c.txt", "C"],
        ["site/a.txt", `${"a".repeat(199_999)}b`],
        ["other/b.txt", "bb"]
      ] as const) {
        const kept = yield* files.readFileString(`${target}/${name}`)
        yield* files.writeFileString(`${target}/${name}`, content)
        const before = yield* contentsOf(target)
        assert.strictEqual(yield* reasonOf(pull), "AlreadyThere", name)
        assert.deepStrictEqual(yield* contentsOf(target), before)
        yield* files.writeFileString(`${target}/${name}`, kept)
      }
      yield* files.remove(`${target}/site/link`)
      yield* files.symlink("elsewhere", `${target}/site/link`)
      yield* files.remove(`${target}/c.txt`)
      assert.strictEqual(yield* reasonOf(pull), "AlreadyThere")
      assert.isFalse(yield* files.exists(`${target}/c.txt`))
      yield* files.remove(`${target}/site`, { recursive: true })
      yield* files.writeFileString(`${target}/other/b.txt`, "mine")
      assert.strictEqual(yield* reasonOf(pull), "AlreadyThere")
      assert.deepStrictEqual(yield* contentsOf(target), { "other/b.txt": "mine" })
    })
  )

  it.effect("of several artifacts writes shared files once, and refuses one name for two contents", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const listed = Effect.fnUntraced(function* (layers: Parameters<typeof putLayers>[1]) {
        yield* putLayers(store, layers)
        return yield* Artifact.files(store, "v1")
      })
      const one = yield* listed([titled("a", "same"), titled("b", "b")])
      const two = yield* listed([titled("a", "same"), titled("c", "c")])
      const three = yield* listed([titled("d", "d"), titled("a", "other")])
      const target = yield* folderWith({})
      const written = yield* Artifact.write(store, [one, two], target)
      assert.deepStrictEqual(
        written.map(({ files }) => files.map(({ title }) => title)),
        [
          ["a", "b"],
          ["a", "c"]
        ]
      )
      assert.deepStrictEqual(yield* contentsOf(target), { a: "same", b: "b", c: "c" })
      assert.strictEqual(yield* reasonOf(Artifact.write(store, [one, three], target)), "RefusedEntry")
      assert.deepStrictEqual(yield* Artifact.write(store, [], target), [])
      assert.deepStrictEqual(yield* contentsOf(target), { a: "same", b: "b", c: "c" })
    })
  )

  it.effect(
    "unpacks no archive that does not match its annotation, that is larger than allowed, or that leads out of its title",
    () =>
      Effect.gen(function* () {
        const good = yield* tarOf([Tar.directory("site"), Tar.file("site/a.txt", "a".repeat(10_000))])
        const other = yield* tarOf([Tar.file("other/a.txt", "a")])
        const cases = [
          [unpacked(good, hexOf(encoder.encode("other"))), {}, "InvalidArchive"],
          [unpacked(good, hexOf(good)), { maxBytes: 5000 }, "LimitExceeded"],
          [unpacked(good, hexOf(good)), { maxEntries: 1 }, "LimitExceeded"],
          [unpacked(other, hexOf(other)), {}, "RefusedEntry"],
          [
            { ...unpacked(good, hexOf(good)), content: new Uint8Array(gzipSync(good)).subarray(0, 60) },
            {},
            "InvalidArchive"
          ]
        ] as const
        for (const [layer, options, reason] of cases) {
          const store = MemoryStore.make()
          yield* putLayers(store, [layer])
          const target = yield* folderWith({})
          assert.strictEqual(yield* reasonOf(Artifact.pull(store, "v1", target, options)), reason)
          assert.deepStrictEqual(yield* contentsOf(target), {})
        }
        const store = MemoryStore.make()
        yield* putLayers(store, [unpacked(good, hexOf(good))])
        const target = yield* folderWith({})
        yield* Artifact.pull(store, "v1", target)
        assert.hasAllKeys(yield* contentsOf(target), ["site/a.txt"])
      })
  )

  it.effect("of an index needs a platform, unless the index has only one", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64])
      yield* store.putManifest(index(forPlatform(amd64, "amd64"), forPlatform(arm64, "arm64")), { tags: ["v1"] })
      const target = yield* folderWith({})
      const required = yield* Effect.flip(Artifact.pull(store, "v1", target))
      assert.strictEqual(required._tag, "ArtifactError")
      assert.include(required.message, "its platforms are linux/amd64, linux/arm64")
      const { manifest, untitled } = yield* Artifact.pull(store, "v1", target, { platform: "linux/arm64" })
      assert.strictEqual(manifest.digest, arm64.descriptor.digest)
      assert.lengthOf(untitled, 2)
      assert.strictEqual(yield* reasonOf(Artifact.pull(store, "v2", target)), "NotFound")
      const absent = yield* Effect.flip(Artifact.pull(store, "v2", target))
      assert.strictEqual(absent.message, "v2: memory has no such tag or digest")
    })
  )
})
