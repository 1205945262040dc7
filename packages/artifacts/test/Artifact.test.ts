/**
 * Indexes that are made of images: their platforms, their bytes, and what they refuse.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Artifact from "../src/Artifact.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import { attachment, blobOf, index, rawOf } from "./support/artifacts.ts"

interface Format {
  readonly manifest: MediaType.MediaType
  readonly config: MediaType.MediaType
}

const oci: Format = { manifest: MediaType.ociImageManifest, config: MediaType.ociImageConfig }
const docker: Format = { manifest: MediaType.dockerManifest, config: MediaType.dockerImageConfig }

/** Puts an image with a configuration. */
const put = (store: MemoryStore.MemoryStore, tag: string, config: object | string, format: Format = oci) =>
  Effect.gen(function* () {
    const text = typeof config === "string" ? config : JSON.stringify(config)
    const blob = blobOf(format.config, text)
    yield* store.putBlob(blob, BlobSource.fromString(text))
    const manifest = Manifest.image({ config: blob, layers: [] })
    const raw = rawOf(format.manifest, Manifest.format({ ...manifest, mediaType: format.manifest }))
    yield* store.putManifest(raw, { tags: [tag] })
    return raw
  })

const amd64 = { os: "linux", architecture: "amd64" }
const arm64 = { os: "linux", architecture: "arm64", variant: "v8" }
const windows = {
  os: "windows",
  architecture: "amd64",
  "os.version": "10.0.17763.1",
  "os.features": ["win32k"]
}

/** What the store has under a tag. */
const documentAt = (store: MemoryStore.MemoryStore, tag: string) =>
  Effect.gen(function* () {
    const found = yield* Effect.fromOption(yield* store.resolve(tag))
    const { bytes } = yield* Effect.fromOption(yield* store.manifest(found))
    const document: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return { found, document }
  })

const entry = ({ digest, mediaType, size }: Descriptor, platform?: object) => ({
  mediaType,
  digest,
  size,
  ...(platform === undefined ? {} : { platform })
})

/** The reason why no index is made, and the image that it names. */
const refused = (store: MemoryStore.MemoryStore, images: ReadonlyArray<string>, options?: Artifact.IndexOptions) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(Artifact.index(store, images, options))
    assert.isTrue(Option.isNone(yield* store.resolve("made")))
    return error._tag === "ArtifactError" ? [error.reason._tag, error.image] : [error._tag]
  })

describe("an index of images", () => {
  it.effect("has the platforms of their configurations, in the order given", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const first = yield* put(store, "windows", windows)
      const second = yield* put(store, "amd64", amd64)
      const third = yield* put(store, "arm64", arm64)
      const subject = second.descriptor
      const made = yield* Artifact.index(store, ["windows", second.descriptor.digest, "arm64"], {
        tags: ["made", "latest"],
        annotations: { "org.example.build": "7" },
        artifactType: MediaType.MediaType.make("application/vnd.example.release"),
        subject
      })
      const { document, found } = yield* documentAt(store, "made")
      assert.deepStrictEqual(document, {
        schemaVersion: 2,
        mediaType: MediaType.ociImageIndex,
        artifactType: "application/vnd.example.release",
        manifests: [entry(first.descriptor, windows), entry(second.descriptor, amd64), entry(third.descriptor, arm64)],
        subject: entry(subject),
        annotations: { "org.example.build": "7" }
      })
      assert.strictEqual(found.digest, made.digest)
      assert.deepStrictEqual((yield* documentAt(store, "latest")).found.digest, made.digest)
    })
  )

  it.effect("has images that differ by variant or by version of the operating system", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const platforms = [amd64, { ...amd64, variant: "v3" }, windows, { ...windows, "os.version": "10.0.20348.1" }]
      const images = yield* Effect.forEach(platforms, (platform, number) => put(store, `image-${number}`, platform))
      yield* Artifact.index(store, ["image-0", "image-1", "image-2", "image-3"], { tags: ["made"] })
      assert.deepInclude((yield* documentAt(store, "made")).document, {
        manifests: images.map(({ descriptor }, number) => entry(descriptor, platforms[number]))
      })
    })
  )

  it.effect("is the same bytes each time", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      yield* put(store, "amd64", amd64)
      // The order of the fields in a configuration is not that of the index.
      yield* put(store, "windows", Object.fromEntries(Object.entries(windows).toReversed()))
      const made = yield* Artifact.index(store, ["amd64", "windows"])
      assert.strictEqual(made.digest, (yield* Artifact.index(store, ["amd64", "windows"])).digest)
      assert.notStrictEqual(made.digest, (yield* Artifact.index(store, ["windows", "amd64"])).digest)
    })
  )

  it.effect("takes the entries of an index, with their attestations", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const image = yield* put(store, "amd64", amd64)
      const other = yield* put(store, "arm64", arm64)
      const attestation = yield* put(store, "attestation", { os: "unknown", architecture: "unknown" })
      const unknown = { os: "unknown", architecture: "unknown" }
      const attested = {
        ...entry(attestation.descriptor, unknown),
        mediaType: attestation.descriptor.mediaType,
        digest: attestation.descriptor.digest,
        platform: unknown,
        annotations: { "vnd.docker.reference.digest": image.descriptor.digest }
      }
      // The first entry lacks its platform, which its configuration has.
      const built = index(image.descriptor, attested)
      yield* store.putManifest(built, { tags: ["built"] })
      const nested = index(built.descriptor)
      yield* store.putManifest(nested, { tags: ["nested"] })
      yield* Artifact.index(store, ["nested", "arm64"], { tags: ["made"] })
      const { document } = yield* documentAt(store, "made")
      assert.deepInclude(document, {
        manifests: [
          entry(image.descriptor, amd64),
          { ...entry(attestation.descriptor, unknown), annotations: attested.annotations },
          entry(other.descriptor, arm64)
        ]
      })
    })
  )

  it.effect("may be a Docker manifest list, of Docker images only", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const image = yield* put(store, "amd64", amd64, docker)
      yield* put(store, "oci", arm64)
      assert.deepStrictEqual(yield* refused(store, ["amd64", "oci"], { mediaType: "docker", tags: ["made"] }), [
        "NotAnImage",
        "oci"
      ])
      const made = yield* Artifact.index(store, ["amd64"], { mediaType: "docker", tags: ["made"] })
      assert.strictEqual(made.mediaType, MediaType.dockerManifestList)
      assert.deepStrictEqual((yield* documentAt(store, "made")).document, {
        schemaVersion: 2,
        mediaType: MediaType.dockerManifestList,
        manifests: [entry(image.descriptor, amd64)]
      })
    })
  )

  it.effect("fails with the image that cannot be in it", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const image = yield* put(store, "amd64", amd64)
      yield* put(store, "again", { ...amd64, variant: "v1", author: "another build" })
      yield* put(store, "nowhere", { architecture: "amd64" })
      yield* put(store, "broken", "no JSON")
      yield* put(store, "odd", "{}", { ...oci, config: MediaType.ociEmpty })
      yield* store.putManifest(rawOf(MediaType.dockerSchema1Manifest, { schemaVersion: 1 }), { tags: ["old"] })

      const made = { tags: ["made"] }
      assert.deepStrictEqual(yield* refused(store, ["amd64", "missing"], made), ["NotFound", "missing"])
      assert.deepStrictEqual(yield* refused(store, ["amd64", "again"], made), ["DuplicatePlatform", "again"])
      assert.deepStrictEqual(yield* refused(store, ["amd64", image.descriptor.digest], made), [
        "DuplicatePlatform",
        image.descriptor.digest
      ])
      assert.deepStrictEqual(yield* refused(store, ["nowhere"], made), ["NoPlatform", "nowhere"])
      for (const name of ["broken", "odd", "old"]) {
        assert.deepStrictEqual(yield* refused(store, [name], made), ["NotAnImage", name])
      }
    })
  )

  it.effect("fails if an image of a nested index is missing", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      const missing = attachment("missing", (yield* put(store, "amd64", amd64)).descriptor)
      yield* store.putManifest(index(missing.descriptor), { tags: ["index"], isSparse: true })
      assert.deepStrictEqual(yield* refused(store, ["index"], { tags: ["made"] }), ["NotFound", "index"])
    })
  )

  it.effect("reads each nested index once", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      let inner = yield* put(store, "amd64", amd64)
      for (let level = 1; level < 12; level++) {
        inner = index(inner.descriptor, inner.descriptor, inner.descriptor)
        yield* store.putManifest(inner, { tags: ["deep"] })
      }
      let reads = 0
      const counting: MemoryStore.MemoryStore = {
        ...store,
        manifest: (manifest) => {
          reads++
          return store.manifest(manifest)
        }
      }
      yield* Artifact.index(counting, ["deep"], { tags: ["made"] })
      assert.strictEqual(reads, 12)
    })
  )

  it.effect("is not made of an empty list, so that no tag names an empty index", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      assert.deepStrictEqual(yield* refused(store, [], { tags: ["made"] }), ["NoImages", ""])
    })
  )

  it.effect("does not read a configuration of more than 4 MiB", () =>
    Effect.gen(function* () {
      const store = MemoryStore.make()
      yield* put(store, "large", JSON.stringify({ ...amd64, author: "a".repeat(4 * 1024 * 1024) }))
      let reads = 0
      const counting: MemoryStore.MemoryStore = {
        ...store,
        blob: (blob) => {
          reads += 1
          return store.blob(blob)
        }
      }
      assert.deepStrictEqual(yield* refused(counting, ["large"]), ["NotAnImage", "large"])
      assert.strictEqual(reads, 0)
    })
  )
})
