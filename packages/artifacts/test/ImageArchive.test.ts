/**
 * Archives of images: archives of other programs can be read, from files and streams, and written archives can be read again.
 */
import { execFileSync } from "node:child_process"
import { gzipSync, zstdCompressSync } from "node:zlib"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Referrer from "@effect-acr/client/Referrer"
import { assert, layer } from "@effect/vitest"
import * as Bytes from "effect/Bytes"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Reader } from "../src/ContentStore.ts"
import * as Copy from "../src/Copy.ts"
import * as ImageArchive from "../src/ImageArchive.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import {
  configOf,
  dockerForms,
  encode,
  fileOf,
  hexOf,
  layer as platform,
  layers,
  tarOf
} from "./support/dockerArchives.ts"
import {
  amd64,
  arm64,
  attachment,
  both,
  forPlatform,
  holding,
  image,
  index,
  layer as layerOf
} from "./support/artifacts.ts"

const run = Stream.runCollect

/** The name of a blob in an archive. */
const blob = (digest: Digest.Digest): string => `blobs/sha256/${Digest.hex(digest)}`

/** What is written of a store. */
const written = <E>(
  store: Reader<E>,
  references: string | ReadonlyArray<string>,
  options?: ImageArchive.WriteOptions
) => Effect.map(run(ImageArchive.write(store, references, options)), Bytes.concat)

/** The entries of an archive in their order, with their content. */
const entriesOf = (bytes: Uint8Array) =>
  Stream.make(bytes).pipe(
    Stream.pipeThroughChannel(Tar.decode()),
    Stream.mapEffect(({ body, header }) =>
      Effect.map(run(body), (pieces) => ({ name: header.path, bytes: Bytes.concat(pieces), header }))
    ),
    Stream.runCollect
  )

const reasonOf = (error: unknown): unknown =>
  typeof error === "object" && error !== null && "reason" in error ? error.reason : error

const tagOfReason = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => {
    const reason = reasonOf(error)
    return typeof reason === "object" && reason !== null && "_tag" in reason ? reason._tag : reason
  })

/** Everything that an image of an archive names, verified. */
const completeIn = <E>(archive: Reader<E>, reference: string) =>
  Effect.gen(function* () {
    const store = MemoryStore.make()
    const { root } = yield* Copy.run(archive, store, reference, { tags: ["copied"] })
    return { root, store }
  })

/** A store with an index of two images, and an SBOM of one of them. */
const sbom = attachment("sbom", amd64.descriptor)
const isSbom = ({ name }: { readonly name: string }): boolean => name.endsWith(Digest.hex(sbom.descriptor.digest))

const seeded = Effect.gen(function* () {
  const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64])
  yield* store.putManifest(both, { tags: ["v1"] })
  yield* store.putManifest(sbom)
  return store
})

/** A store whose last layer cannot be read to its end. */
const failing =
  <E>(store: Reader<E>): Reader<E | "broken">["blob"] =>
  (pointer) =>
    pointer.digest === layerOf("arm64").digest
      ? { ...store.blob(pointer), read: () => Stream.concat(Stream.make(encode("ar")), Stream.fail("broken" as const)) }
      : store.blob(pointer)

/** Streams that come in pieces of any size. */
const inPieces = (bytes: Uint8Array, size: number): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size)),
    { chunkSize: 1 }
  )

/** A store that overwrites what its reader no longer uses, as soon as it may. */
const overwriting = <E>(store: Reader<E>, size: number): Reader<E> => ({
  ...store,
  blob: (pointer) => ({
    ...store.blob(pointer),
    read: (offset, heldBytes) => {
      const given: Array<Uint8Array> = []
      const overwrite = () => {
        const kept = heldBytes === 0 ? 0 : Math.ceil((heldBytes ?? Infinity) / size) + 1
        for (const piece of given.slice(0, Math.max(0, given.length - kept))) piece.fill(0)
      }
      const content = Stream.unwrap(
        Effect.map(run(store.blob(pointer).read(offset)), (all) => inPieces(Bytes.concat(all), size))
      )
      return content.pipe(
        Stream.map((piece) => {
          overwrite()
          const own = piece.slice()
          given.push(own)
          return own
        }),
        Stream.onEnd(Effect.sync(overwrite))
      )
    }
  })
})

/** An image of one layer as `docker save` writes it. */
const savedImage = (name: string, text: string) => ({
  entries: [Tar.file(`${name}.tar`, text), Tar.file(`${name}.json`, configOf([encode(text)]))],
  json: { Config: `${name}.json`, RepoTags: [`shop/${name}:v1`], Layers: [`${name}.tar`] }
})

layer(platform)("an archive of docker save", (it) => {
  for (const [name, entries] of Object.entries(dockerForms)) {
    it.effect(`is read from a file: ${name}`, () =>
      Effect.gen(function* () {
        const archive = yield* ImageArchive.read(yield* fileOf(yield* tarOf(entries)))
        assert.strictEqual(archive.format, "docker")
        assert.isFalse(archive.hasOriginalDigests)
        assert.deepStrictEqual(yield* run(archive.tags), ["latest", "v1"])
        const { root, store } = yield* completeIn(archive, "shop/api:v1")
        const raw = Option.getOrThrow(yield* store.manifest({ digest: root }))
        const manifest = Manifest.view(raw.descriptor.mediaType, new TextDecoder().decode(raw.bytes))
        assert.strictEqual(manifest._tag, "ImageManifest")
        if (manifest._tag !== "ImageManifest") return
        assert.lengthOf(manifest.layers, 3)
        assert.strictEqual(manifest.layers[0]?.digest, manifest.layers[2]?.digest)
        assert.deepStrictEqual(
          manifest.layers.map(({ mediaType }) => mediaType),
          Array.from({ length: 3 }, () => (name === "crane" ? MediaType.ociImageLayerGzip : MediaType.ociImageLayer))
        )
        // All names of one image name one manifest.
        for (const reference of ["api:latest", "docker.io/library/api:latest", "latest", "v1", root]) {
          assert.strictEqual(Option.getOrThrow(yield* archive.resolve(reference)).digest, root, reference)
        }
      })
    )

    for (const size of [1000, 1 << 20]) {
      it.effect(`is read from a stream in pieces of ${size} bytes: ${name}`, () =>
        Effect.gen(function* () {
          const bytes = yield* tarOf(entries)
          const fromFile = yield* ImageArchive.read(yield* fileOf(bytes))
          const archive = yield* ImageArchive.fromStream(inPieces(bytes, size))
          const { root } = yield* completeIn(archive, "v1")
          assert.strictEqual(root, Option.getOrThrow(yield* fromFile.resolve("v1")).digest)
        })
      )
    }

    for (const [format, compress] of [
      ["gzip", gzipSync],
      ["zstd", zstdCompressSync]
    ] as const) {
      it.effect(`is read from a file that is compressed by ${format}: ${name}`, () =>
        Effect.gen(function* () {
          const file = yield* fileOf(new Uint8Array(compress(yield* tarOf(entries))))
          yield* completeIn(yield* ImageArchive.read(file), "v1")
        })
      )
    }
  }

  it.effect("of two images with the same tag lists their full names, and finds each by it", () =>
    Effect.gen(function* () {
      const [api, web] = [savedImage("api", "a layer"), savedImage("web", "another layer")]
      const json = Tar.file("manifest.json", JSON.stringify([api.json, web.json]))
      const archive = yield* ImageArchive.read(yield* fileOf(yield* tarOf([...api.entries, ...web.entries, json])))
      assert.sameMembers([...(yield* run(archive.tags))], ["shop/api:v1", "shop/web:v1"])
      for (const name of ["shop/api:v1", "shop/web:v1"]) yield* completeIn(archive, name)
      assert.strictEqual(yield* tagOfReason(archive.resolve("v1")), "Ambiguous")
    })
  )

  it.effect("of several gzip members and zstd frames is read", () =>
    Effect.gen(function* () {
      const bytes = yield* tarOf(dockerForms.docker24)
      const halves = [bytes.subarray(0, 3000), bytes.subarray(3000)]
      // RFC 8878, "Skippable Frames": four bytes of content.
      const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 1, 2, 3, 4)
      const gzip = Bytes.concat(halves.map((half) => new Uint8Array(gzipSync(half))))
      const zstd = Bytes.concat([skippable, ...halves.map((half) => new Uint8Array(zstdCompressSync(half)))])
      for (const compressed of [gzip, zstd]) {
        yield* completeIn(yield* ImageArchive.read(yield* fileOf(compressed)), "v1")
      }
    })
  )

  it.effect("of an image without layers is read, in each form that Docker writes", () =>
    Effect.gen(function* () {
      for (const config of [
        '{"rootfs":{"type":"layers"}}',
        '{"rootfs":{"type":"layers","diff_ids":null}}',
        '{"rootfs":null}',
        "{}"
      ]) {
        const file = yield* fileOf(
          yield* tarOf([
            Tar.file("c.json", config),
            Tar.file("manifest.json", '[{"Config":"c.json","RepoTags":["shop/empty:v1"],"Layers":null}]')
          ])
        )
        const { store } = yield* completeIn(yield* ImageArchive.read(file), "v1")
        assert.isTrue(yield* store.has(layerOf(config)), config)
      }
    })
  )

  it.effect("without manifest.json is refused with a message that names it", () =>
    Effect.gen(function* () {
      const file = yield* fileOf(
        yield* tarOf(dockerForms.docker24.filter(({ header }) => header.path !== "manifest.json"))
      )
      assert.strictEqual(yield* tagOfReason(ImageArchive.read(file)), "UnsupportedArchive")
    })
  )

  it.effect("that names a file for two different layers is refused", () =>
    Effect.gen(function* () {
      const config = configOf(layers)
      const entries = [
        Tar.file("layer.tar", layers[0] ?? ""),
        Tar.file("config.json", config),
        Tar.file(
          "manifest.json",
          JSON.stringify([{ Config: "config.json", RepoTags: ["a:b"], Layers: ["layer.tar", "layer.tar"] }])
        )
      ]
      assert.strictEqual(yield* tagOfReason(ImageArchive.read(yield* fileOf(yield* tarOf(entries)))), "InvalidArchive")
    })
  )

  it.effect("whose compressed layer does not match the configuration is refused", () =>
    Effect.gen(function* () {
      const entries = [
        Tar.file("layer.tar.gz", new Uint8Array(gzipSync("something else"))),
        Tar.file("config.json", configOf(layers.slice(0, 1))),
        Tar.file("manifest.json", JSON.stringify([{ Config: "config.json", RepoTags: null, Layers: ["layer.tar.gz"] }]))
      ]
      assert.strictEqual(yield* tagOfReason(ImageArchive.read(yield* fileOf(yield* tarOf(entries)))), "ContentDiffers")
    })
  )

  it.effect("whose layer does not match the configuration fails when it is read", () =>
    Effect.gen(function* () {
      const entries = [
        Tar.file("layer.tar", "something else"),
        Tar.file("config.json", configOf(layers.slice(0, 1))),
        Tar.file("manifest.json", JSON.stringify([{ Config: "config.json", RepoTags: ["a:b"], Layers: ["layer.tar"] }]))
      ]
      const archive = yield* ImageArchive.read(yield* fileOf(yield* tarOf(entries)))
      const error = yield* Effect.flip(completeIn(archive, "a:b"))
      assert.strictEqual(error.side, "source")
      assert.strictEqual(error.reason?._tag, "ContentMismatch")
      // It is also refused without a target that verifies.
      const layer = layerOf("lower layer")
      assert.strictEqual(yield* tagOfReason(run(archive.blob(layer).read(0))), "ContentDiffers")
    })
  )

  it.effect("whose links lead to themselves, or out of it, is refused, and nothing outside is read", () =>
    Effect.gen(function* () {
      const targets = { loop: "layer.tar", absolute: "/etc/passwd", outside: "../../etc/passwd" }
      for (const [name, target] of Object.entries(targets)) {
        const entries = [
          Tar.symlink("layer.tar", target),
          Tar.file("config.json", configOf(layers.slice(0, 1))),
          Tar.file(
            "manifest.json",
            JSON.stringify([{ Config: "config.json", RepoTags: ["a:b"], Layers: ["layer.tar"] }])
          )
        ]
        const bytes = yield* tarOf(entries)
        assert.strictEqual(yield* tagOfReason(ImageArchive.read(yield* fileOf(bytes))), "InvalidArchive", name)
        assert.strictEqual(yield* tagOfReason(ImageArchive.fromStream(Stream.make(bytes))), "InvalidArchive", name)
      }
    })
  )
})

layer(platform)("an OCI archive", (it) => {
  it.effect("is written and read with its referrers, and all digests stay the same", () =>
    Effect.gen(function* () {
      const store = yield* seeded
      const bytes = yield* written(store, "v1")
      for (const archive of [
        yield* ImageArchive.read(yield* fileOf(bytes)),
        yield* ImageArchive.fromStream(inPieces(bytes, 700))
      ]) {
        assert.strictEqual(archive.format, "oci")
        assert.isTrue(archive.hasOriginalDigests)
        const copied = yield* completeIn(archive, "v1")
        assert.strictEqual(copied.root, both.descriptor.digest)
        const referrers = yield* run(copied.store.referrers(amd64.descriptor.digest))
        assert.deepStrictEqual(
          referrers.map(({ digest }) => digest),
          [sbom.descriptor.digest]
        )
        assert.deepStrictEqual(yield* run(archive.tags), ["v1"])
      }
    })
  )

  it.effect("of an image under the tag of its own digest has no list of referrers under it", () =>
    Effect.gen(function* () {
      const store = yield* seeded
      const { digest } = amd64.descriptor
      const tag = Referrer.tag(digest)
      yield* store.putManifest(amd64, { tags: [tag] })
      const archive = yield* ImageArchive.read(yield* fileOf(yield* written(store, tag)))
      assert.deepStrictEqual(yield* run(archive.tags), [tag])
      assert.strictEqual(Option.getOrThrow(yield* archive.resolve(tag)).digest, digest)
      assert.lengthOf(yield* run(archive.referrers(digest)), 1)
    })
  )

  it.effect("is the same each time it is written, also from an archive", () =>
    Effect.gen(function* () {
      const store = yield* seeded
      const bytes = yield* written(store, "v1")
      assert.deepStrictEqual(yield* written(store, "v1"), bytes)
      const archive = yield* ImageArchive.read(yield* fileOf(bytes))
      assert.deepStrictEqual(yield* written(archive, "v1"), bytes)
    })
  )

  it.effect(
    "is written in an order in which a stream is read: the index first, then manifests, configurations, layers",
    () =>
      Effect.gen(function* () {
        const entries = yield* entriesOf(yield* written(yield* seeded, "v1"))
        const names = entries.map(({ name }) => name)
        assert.deepStrictEqual(names.slice(0, 3), ["oci-layout", "index.json", blob(both.descriptor.digest)])
        const at = (digest: Digest.Digest) => names.indexOf(blob(digest))
        const first = [amd64, arm64, sbom].map(({ descriptor }) => at(descriptor.digest))
        const last = ["base", "amd64", "arm64"].map((text) => at(layerOf(text).digest))
        const config = at(layerOf("{}").digest)
        assert.isBelow(Math.max(...first), config)
        assert.isBelow(config, Math.min(...last))
        assert.lengthOf(new Set(names), names.length)
      })
  )

  it.effect("of a stream is read with its blobs before its index, and with names that begin with a dot", () =>
    Effect.gen(function* () {
      const entries = yield* entriesOf(yield* written(yield* seeded, "v1"))
      const sorted = entries.toSorted((left, right) => (left.name < right.name ? -1 : 1))
      const bytes = yield* tarOf([
        Tar.directory("./"),
        Tar.directory("./blobs/sha256/"),
        ...sorted.map(({ bytes, name }) => Tar.file(`./${name}`, bytes))
      ])
      for (const archive of [
        yield* ImageArchive.read(yield* fileOf(bytes)),
        yield* ImageArchive.fromStream(inPieces(bytes, 5000))
      ]) {
        assert.strictEqual((yield* completeIn(archive, "v1")).root, both.descriptor.digest)
      }
    })
  )

  it.effect("with a manifest.json is read by its index, or by manifest.json on request", () =>
    Effect.gen(function* () {
      const store = yield* seeded
      const config = layerOf(configOf(layers))
      const real = Manifest.image({
        config: { ...config, mediaType: MediaType.ociImageConfig },
        layers: [layerOf("lower layer"), layerOf("upper layer")]
      })
      yield* store.putBlob(config, BlobSource.fromString(configOf(layers)))
      for (const text of ["lower layer", "upper layer"])
        yield* store.putBlob(layerOf(text), BlobSource.fromString(text))
      const bytes = encode(Manifest.format({ ...real, annotations: { note: "not in a Docker archive" } }))
      const digest = Digest.Digest.make(`sha256:${hexOf(bytes)}`)
      yield* store.putManifest(
        { bytes, descriptor: { mediaType: MediaType.ociImageManifest, digest, size: bytes.length } },
        { tags: ["v2"] }
      )
      const file = yield* fileOf(yield* written(store, "v2", { format: "docker", name: "shop/api" }))
      const oci = yield* ImageArchive.read(file)
      assert.strictEqual(oci.format, "oci")
      for (const reference of ["v2", "shop/api:v2", "docker.io/shop/api:v2"]) {
        assert.strictEqual(Option.getOrThrow(yield* oci.resolve(reference)).digest, digest, reference)
      }
      const docker = yield* ImageArchive.read(file, { format: "docker" })
      assert.strictEqual(docker.format, "docker")
      assert.notStrictEqual(Option.getOrThrow(yield* docker.resolve("shop/api:v2")).digest, digest)
      yield* completeIn(docker, "v2")
    })
  )

  it.effect("of Docker 25, whose manifest has no layers, or whose index is empty, is read by its manifest.json", () =>
    Effect.gen(function* () {
      const config = dockerForms.docker24
      const noLayers = encode(Manifest.format(Manifest.image({ config: layerOf("{}"), layers: [] })))
      const manifests = [
        { mediaType: MediaType.ociImageManifest, digest: `sha256:${hexOf(noLayers)}`, size: noLayers.length }
      ]
      for (const index of [
        { schemaVersion: 2, manifests },
        { schemaVersion: 2, manifests: null }
      ]) {
        const bytes = yield* tarOf([
          Tar.file(`blobs/sha256/${hexOf(noLayers)}`, noLayers),
          ...config,
          Tar.file("index.json", JSON.stringify(index)),
          Tar.file("oci-layout", `{"imageLayoutVersion":"1.0.0"}`)
        ])
        const archive = yield* ImageArchive.read(yield* fileOf(bytes))
        assert.strictEqual(archive.format, "docker")
        yield* completeIn(archive, "shop/api:v1")
        assert.strictEqual((yield* ImageArchive.fromStream(Stream.make(bytes))).format, "docker")
      }
    })
  )

  it.effect("with hostile names, and blobs that do not match their names, returns no other content", () =>
    Effect.gen(function* () {
      const good = yield* entriesOf(yield* written(yield* seeded, "v1"))
      const name = blob(layerOf("base").digest)
      const hostile = yield* tarOf([
        Tar.file("../x", "x"),
        Tar.file("/etc/x", "x"),
        Tar.file("blobs/sha256/../../x", "x"),
        Tar.file("blobs/sha256/no-digest", "x"),
        ...good.map((entry) => Tar.file(entry.name, entry.bytes))
      ])
      yield* completeIn(yield* ImageArchive.read(yield* fileOf(hostile)), "v1")
      const damaged = yield* tarOf(
        good.map((entry) => Tar.file(entry.name, entry.name === name ? "evil" : entry.bytes))
      )
      for (const archive of [
        yield* ImageArchive.read(yield* fileOf(damaged)),
        yield* ImageArchive.fromStream(Stream.make(damaged))
      ]) {
        assert.strictEqual(yield* tagOfReason(run(archive.blob(layerOf("base")).read(0))), "ContentDiffers")
      }
    })
  )

  it.effect("that is truncated at any block always fails, unless only its end is missing", () =>
    Effect.gen(function* () {
      const bytes = yield* written(yield* seeded, "v1")
      const content = bytes.length - 1024
      for (let length = 0; length < content; length += 512) {
        const cut = bytes.subarray(0, length)
        const file = yield* fileOf(cut)
        const fromFile = Effect.flatMap(ImageArchive.read(file), (archive) => completeIn(archive, "v1"))
        const fromStream = Effect.flatMap(ImageArchive.fromStream(Stream.make(cut)), (archive) =>
          completeIn(archive, "v1")
        )
        assert.isTrue((yield* Effect.exit(fromFile))._tag === "Failure", `file of ${length}`)
        assert.isTrue((yield* Effect.exit(fromStream))._tag === "Failure", `stream of ${length}`)
      }
      const withoutEnd = bytes.subarray(0, content)
      yield* completeIn(yield* ImageArchive.read(yield* fileOf(withoutEnd)), "v1")
      yield* completeIn(yield* ImageArchive.fromStream(Stream.make(withoutEnd)), "v1")
      // What follows the end is not read.
      yield* completeIn(yield* ImageArchive.read(yield* fileOf(Bytes.concat([bytes, encode("junk")]))), "v1")
    })
  )

  it.effect("that is truncated before a referrer is not copied without it", () =>
    Effect.gen(function* () {
      const entries = yield* entriesOf(yield* written(yield* seeded, "v1"))
      const files = (some: typeof entries) => tarOf(some.map(({ bytes, name }) => Tar.file(name, bytes)))
      // The referrer comes last.
      const whole = yield* files([...entries.filter((entry) => !isSbom(entry)), ...entries.filter(isSbom)])
      const cut = (yield* files(entries.filter((entry) => !isSbom(entry)))).slice(0, -1024)
      assert.deepStrictEqual(whole.subarray(0, cut.length), cut)
      yield* completeIn(yield* ImageArchive.read(yield* fileOf(whole)), "v1")
      for (const archive of [
        yield* ImageArchive.read(yield* fileOf(cut)),
        yield* ImageArchive.fromStream(inPieces(cut, 700))
      ]) {
        const error = yield* Effect.flip(completeIn(archive, "v1"))
        assert.include(error.message, sbom.descriptor.digest)
      }
    })
  )

  it.effect("in a truncated compressed stream fails", () =>
    Effect.gen(function* () {
      for (const compress of [gzipSync, zstdCompressSync]) {
        const whole = new Uint8Array(compress(yield* written(yield* seeded, "v1")))
        const cut = whole.subarray(0, whole.length - 20)
        const reading = Effect.flatMap(ImageArchive.fromStream(Stream.make(cut)), (archive) =>
          completeIn(archive, "v1")
        )
        assert.strictEqual((yield* Effect.exit(reading))._tag, "Failure")
      }
    })
  )

  it.effect("keeps the errors of its stream", () =>
    Effect.gen(function* () {
      const bytes = yield* written(yield* seeded, "v1")
      const broken = Stream.concat(
        Stream.make(bytes.subarray(0, bytes.length - 2048)),
        Stream.fail("the pipe broke" as const)
      )
      const archive = yield* ImageArchive.fromStream(broken)
      const last = archive.blob(layerOf("arm64"))
      assert.strictEqual(yield* Effect.flip(run(last.read(0))), "the pipe broke")
      // It stays broken.
      assert.strictEqual(yield* Effect.flip(run(last.read(0))), "the pipe broke")
    })
  )

  it.effect("of a stream can be abandoned while another reader uses it", () =>
    Effect.gen(function* () {
      // Larger files than those that are kept in memory.
      const texts = ["a", "b"].map((text) => text.repeat(5 * 1024 * 1024))
      const [first = "", second = ""] = texts
      const store = yield* holding(texts, [])
      yield* store.putManifest(image(first, second), { tags: ["v1"] })
      const archive = yield* ImageArchive.fromStream(inPieces(yield* written(store, "v1"), 1 << 20))
      const reader = yield* Scope.make()
      yield* Effect.flatten(Scope.provide(Stream.toPull(archive.blob(layerOf(first)).read(0)), reader))
      const waiting = yield* Effect.forkChild(run(archive.blob(layerOf(second)).read(0)), { startImmediately: true })
      assert.isTrue(Exit.isFailure(yield* Fiber.interrupt(waiting).pipe(Effect.andThen(Fiber.await(waiting)))))
      yield* Scope.close(reader, Exit.void)
      // It was not taken by the reader that has gone.
      assert.strictEqual(Bytes.concat(yield* run(archive.blob(layerOf(second)).read(0))).length, second.length)
    })
  )

  it.effect("of a stream keeps what a reader skips, also if that reader is interrupted", () =>
    Effect.gen(function* () {
      const texts = ["a", "b"].map((text) => text.repeat(5 * 1024 * 1024))
      const [first = "", second = ""] = texts
      const store = yield* holding(texts, [])
      yield* store.putManifest(image(first, second), { tags: ["v1"] })
      const bytes = yield* written(store, "v1")
      const reached = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      const stop = Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(goOn))
      // It stops within the first layer.
      const halves = Stream.concat(
        inPieces(bytes.subarray(0, 3_000_000), 1_000_000),
        Stream.unwrap(Effect.as(stop, Stream.make(bytes.subarray(3_000_000))))
      )
      const archive = yield* ImageArchive.fromStream(halves)
      const hasty = yield* Effect.forkChild(run(archive.blob(layerOf(second)).read(0)))
      yield* Deferred.await(reached)
      yield* Fiber.interrupt(hasty)
      const patient = yield* Effect.forkChild(run(archive.blob(layerOf(first)).read(0)))
      yield* Deferred.succeed(goOn, undefined)
      assert.strictEqual(Bytes.concat(yield* Fiber.join(patient)).length, first.length)
      assert.strictEqual(Bytes.concat(yield* run(archive.blob(layerOf(second)).read(0))).length, second.length)
    })
  )

  it.effect("is refused: other files, an empty file, a folder, and a missing file", () =>
    Effect.gen(function* () {
      const other = yield* fileOf(yield* tarOf([Tar.file("readme.md", "hello")]))
      const unlike = yield* Effect.flip(ImageArchive.read(other))
      assert.deepInclude(unlike.reason, { _tag: "NotAnArchive", found: "OtherArchive" })
      const text = yield* Effect.flip(ImageArchive.read(yield* fileOf(encode("no tar archive".repeat(100)))))
      assert.deepInclude(text.reason, { _tag: "NotAnArchive", found: "OtherFile" })
      assert.strictEqual(yield* tagOfReason(ImageArchive.fromStream(Stream.make(encode("hello")))), "NotAnArchive")
      const folder = yield* Effect.flip(ImageArchive.read(other.slice(0, other.lastIndexOf("/"))))
      assert.deepInclude(folder.reason, { _tag: "NotAnArchive", found: "Folder" })
      assert.include(folder.message, "ImageLayout.open")
      const bytes = yield* written(yield* seeded, "v1")
      const asDocker = yield* Effect.flip(ImageArchive.read(yield* fileOf(bytes), { format: "docker" }))
      assert.strictEqual(asDocker.reason._tag, "NotAnArchive")
      assert.include(asDocker.message, "leave out the option format")
      assert.strictEqual(yield* tagOfReason(ImageArchive.read(yield* fileOf(new Uint8Array()))), "NotAnArchive")
      assert.strictEqual(yield* tagOfReason(ImageArchive.read(`${other}.missing`)), "FileFailed")
    })
  )

  it.effect("is damaged: the error counts bytes from the beginning of the file", () =>
    Effect.gen(function* () {
      const bytes = yield* tarOf([Tar.file("a", "content"), Tar.file("b", "content")])
      // The checksum of the second header, which follows a header and a block of content.
      const damaged = Uint8Array.from(bytes)
      damaged.fill(0x7a, 1024 + 148, 1024 + 156)
      for (const read of [ImageArchive.read(yield* fileOf(damaged)), ImageArchive.fromStream(Stream.make(damaged))]) {
        const { message, reason } = yield* Effect.flip(read)
        assert.strictEqual(reason._tag, "InvalidArchive")
        assert.include(message, "at byte 1024")
      }
    })
  )

  it.effect("with names of more than 16 Mi characters together is refused", () =>
    Effect.gen(function* () {
      const long = "a".repeat(1_000_000)
      const archives = {
        names: Stream.map(Stream.range(1, 18), (at) => Tar.file(`${at}${long}`, "")),
        targets: Stream.map(Stream.range(1, 18), (at) => Tar.symlink(`${at}`, long))
      }
      for (const [kind, entries] of Object.entries(archives)) {
        const tar = Stream.pipeThroughChannel(entries, Tar.encode())
        assert.strictEqual(yield* tagOfReason(ImageArchive.fromStream(tar)), "InvalidArchive", kind)
        const file = yield* fileOf(Bytes.concat(yield* run(tar)))
        assert.strictEqual(yield* tagOfReason(ImageArchive.read(file)), "InvalidArchive", kind)
      }
    })
  )

  it.effect("in a pipe is read as a stream, not as a file, since pipes have no positions", () =>
    Effect.gen(function* () {
      const pipe = `${yield* fileOf(yield* written(yield* seeded, "v1"))}.pipe`
      execFileSync("mkfifo", [pipe])
      const error = yield* Effect.flip(ImageArchive.read(pipe))
      assert.strictEqual(error.reason._tag, "UnsupportedArchive")
      assert.include(error.message, "ImageArchive.fromStream")
    })
  )
})

layer(platform)("what is written", (it) => {
  it.effect("in a Docker archive is one image with its short names", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64"], [])
      yield* store.putManifest(amd64, { tags: ["v1", "latest"] })
      const bytes = yield* written(store, ["v1", "latest"], { format: "docker", name: "docker.io/library/alpine" })
      const json = (yield* entriesOf(bytes)).find(({ name }) => name === "manifest.json")
      assert.deepStrictEqual(JSON.parse(new TextDecoder().decode(json?.bytes)), [
        {
          Config: blob(layerOf("{}").digest),
          RepoTags: ["alpine:v1", "alpine:latest"],
          Layers: [blob(layerOf("base").digest), blob(layerOf("amd64").digest)]
        }
      ])
    })
  )

  it.effect("in an OCI archive has the full name for containerd as well, if there is one", () =>
    Effect.gen(function* () {
      const store = yield* seeded
      const bytes = yield* written(store, "v1", { name: "shop/api" })
      const archive = yield* ImageArchive.read(yield* fileOf(bytes))
      for (const reference of ["v1", "shop/api:v1", "docker.io/shop/api:v1"]) {
        assert.isTrue(Option.isSome(yield* archive.resolve(reference)), reference)
      }
      assert.deepStrictEqual(yield* run(archive.tags), ["v1"])
    })
  )

  it.effect("of a Docker archive into another keeps its full names", () =>
    Effect.gen(function* () {
      const archive = yield* ImageArchive.read(yield* fileOf(yield* tarOf(dockerForms.docker24)))
      const names = ["api:latest", "shop/api:v1"]
      // Another name is for tags alone.
      const bytes = yield* written(archive, names, { format: "docker", name: "other" })
      const json = (yield* entriesOf(bytes)).find(({ name }) => name === "manifest.json")
      assert.deepStrictEqual(
        JSON.parse(new TextDecoder().decode(json?.bytes)).map((one: { RepoTags: unknown }) => one.RepoTags),
        [names]
      )
      const again = yield* ImageArchive.read(yield* fileOf(bytes))
      for (const name of names) assert.isTrue(Option.isSome(yield* again.resolve(name)), name)
    })
  )

  it.effect("of an index into a Docker archive is the image of a platform, which must be chosen", () =>
    Effect.gen(function* () {
      const platforms = index(forPlatform(amd64, "amd64"), forPlatform(arm64, "arm64"))
      const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64])
      yield* store.putManifest(platforms, { tags: ["v1"] })
      const error = yield* Effect.flip(written(store, "v1", { format: "docker" }))
      assert.strictEqual(error._tag, "ArchiveError")
      assert.include(error.message, "its platforms are linux/amd64, linux/arm64")
      const chosen = yield* written(store, "v1", { format: "docker", platform: "linux/arm64" })
      const archive = yield* ImageArchive.read(yield* fileOf(chosen))
      assert.strictEqual(Option.getOrThrow(yield* archive.resolve("v1")).digest, arm64.descriptor.digest)
      assert.isFalse(yield* archive.has(layerOf("amd64")))
      yield* store.putManifest(index(amd64.descriptor, arm64.descriptor), { tags: ["plain"] })
      const plain = yield* Effect.flip(written(store, "plain", { format: "docker" }))
      assert.include(plain.message, "name one by its digest")
      const missing = yield* Effect.flip(written(store, "v1", { platform: "linux/s390x" }))
      assert.strictEqual(missing._tag, "PlatformNotFound")
    })
  )

  it.effect("of an image by its number has no name: docker refuses tags that begin with @", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64"], [])
      yield* store.putManifest(amd64, { tags: ["v1"] })
      const archive = yield* ImageArchive.read(yield* fileOf(yield* written(store, "v1")))
      for (const format of ["oci", "docker"] as const) {
        const bytes = yield* written(archive, "@0", { format, name: "shop/api" })
        const image = yield* ImageArchive.read(yield* fileOf(bytes))
        assert.deepStrictEqual(yield* Stream.runCollect(image.tags), [], format)
        assert.isTrue(Option.isSome(yield* image.resolve("@0")), format)
      }
    })
  )

  it.effect("into a Docker archive cannot be an artifact without an image", () =>
    Effect.gen(function* () {
      const report = attachment("report", amd64.descriptor)
      const store = yield* holding(["base", "amd64", "report"], [amd64])
      yield* store.putManifest(report, { tags: ["report"] })
      yield* written(store, "report")
      assert.strictEqual(yield* tagOfReason(written(store, "nowhere")), "NotFound")
      assert.strictEqual(yield* tagOfReason(written(store, [])), "NotFound")
    })
  )

  it.effect("to a pipe, a device or a folder does not replace it", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const base = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-archive-" })
      execFileSync("mkfifo", [`${base}/pipe`])
      yield* files.symlink("/dev/null", `${base}/device`)
      yield* files.makeDirectory(`${base}/folder`)
      const store = yield* seeded
      for (const name of ["pipe", "device", "folder"]) {
        const error = yield* Effect.flip(ImageArchive.save(store, "v1", `${base}/${name}`))
        assert.include(error.message, "ImageArchive.write", name)
      }
      const types = yield* Effect.forEach(["pipe", "device", "folder"], (name) => files.lstat(`${base}/${name}`))
      assert.deepStrictEqual(
        types.map(({ type }) => type),
        ["FIFO", "SymbolicLink", "Directory"]
      )
    })
  )

  it.effect("to a file appears complete or not at all", () =>
    Effect.gen(function* () {
      const store = yield* seeded
      const files = yield* FileSystem.FileSystem
      const file = yield* fileOf(encode("before"), "image.tar")
      const failed = yield* Effect.exit(ImageArchive.save({ ...store, blob: failing(store) }, "v1", file))
      assert.strictEqual(failed._tag, "Failure")
      assert.strictEqual(yield* files.readFileString(file), "before")
      yield* ImageArchive.save(store, "v1", file)
      assert.deepStrictEqual(new Uint8Array(yield* files.readFile(file)), yield* written(store, "v1"))
      const folder = file.slice(0, file.lastIndexOf("/"))
      assert.deepStrictEqual(yield* files.readDirectory(folder), ["image.tar"])
    })
  )

  for (const name of ["a".repeat(255), "é".repeat(127), "🎈".repeat(63)]) {
    it.effect(`to a file whose name has ${Buffer.byteLength(name)} bytes appears complete or not at all`, () =>
      Effect.gen(function* () {
        const store = yield* seeded
        const files = yield* FileSystem.FileSystem
        const folder = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-archive-" })
        yield* Effect.flip(ImageArchive.save({ ...store, blob: failing(store) }, "v1", `${folder}/${name}`))
        assert.deepStrictEqual(yield* files.readDirectory(folder), [])
        yield* ImageArchive.save(store, "v1", `${folder}/${name}`)
        assert.deepStrictEqual(yield* files.readDirectory(folder), [name])
      })
    )
  }

  it.effect("to a file whose name is too long fails before anything is read", () =>
    Effect.gen(function* () {
      const store = yield* seeded
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-archive-" })
      const unread = { ...store, blob: () => assert.fail("a blob is read") }
      const error = yield* Effect.flip(ImageArchive.save(unread, "v1", `${folder}/${"a".repeat(256)}`))
      assert.include(error.message, "a".repeat(256))
      assert.deepStrictEqual(yield* files.readDirectory(folder), [])
    })
  )

  for (const size of [1000, 16 * 1024, 300_000]) {
    it.effect(`to a file has the bytes of a store that overwrites its pieces of ${size} bytes once it may`, () =>
      Effect.gen(function* () {
        const texts = ["a", "b"].map((letter) => letter.repeat(400_001))
        const store = yield* holding(texts, [image(...texts)])
        yield* store.putManifest(image(...texts), { tags: ["v1"] })
        const file = yield* fileOf(encode("before"), "image.tar")
        yield* ImageArchive.save(overwriting(store, size), "v1", file)
        const files = yield* FileSystem.FileSystem
        assert.isTrue(Buffer.from(yield* files.readFile(file)).equals(yield* written(store, "v1")))
      })
    )
  }

  it.effect("replaces no file without overwrite, not even one that appears meanwhile or a dangling link", () =>
    Effect.gen(function* () {
      const store = yield* seeded
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-archive-" })
      const file = `${folder}/image.tar`
      const late: typeof store = {
        ...store,
        blob: (blob) => ({
          ...store.blob(blob),
          read: (from) =>
            Stream.unwrap(Effect.as(Effect.orDie(files.writeFileString(file, "mine")), store.blob(blob).read(from)))
        })
      }
      const error = yield* Effect.flip(ImageArchive.save(late, "v1", file, { overwrite: false }))
      assert.include(error.message, "it exists already")
      assert.strictEqual(yield* files.readFileString(file), "mine")
      yield* files.symlink(`${folder}/nothing`, `${folder}/link`)
      yield* Effect.flip(ImageArchive.save(store, "v1", `${folder}/link`, { overwrite: false }))
      assert.deepStrictEqual((yield* files.readDirectory(folder)).toSorted(), ["image.tar", "link"])
    })
  )

  it.effect("replaces the target of a link, and keeps its mode", () =>
    Effect.gen(function* () {
      const store = yield* seeded
      const files = yield* FileSystem.FileSystem
      const file = yield* fileOf(encode("before"), "image.tar")
      yield* files.chmod(file, 0o640)
      yield* files.symlink(file, `${file}.link`)
      yield* ImageArchive.save(store, "v1", `${file}.link`)
      assert.strictEqual((yield* files.lstat(`${file}.link`)).type, "SymbolicLink")
      assert.deepStrictEqual(new Uint8Array(yield* files.readFile(file)), yield* written(store, "v1"))
      assert.strictEqual((yield* files.stat(file)).mode & 0o777, 0o640)
    })
  )
})
