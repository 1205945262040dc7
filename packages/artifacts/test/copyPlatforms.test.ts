/**
 * Copies of some platforms of an index.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import type * as Platform from "@effect-acr/client/Platform"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Copy from "../src/Copy.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import { attachment, blobOf, holding, image, rawOf } from "./support/artifacts.ts"

const armV6 = image("base", "v6")
const armV7 = image("base", "v7")
const arm64 = image("base", "arm64")
const amd64 = image("base", "amd64")
const attestation = image("attestation")
const windows2019 = image("windows 2019")
const windows2022 = image("windows 2022")

const on = ({ descriptor }: Manifest.Raw, platform: Platform.Platform): Descriptor => ({ ...descriptor, platform })
const linux = (architecture: string, variant?: string): Platform.Platform => ({
  os: "linux",
  architecture,
  ...(variant === undefined ? {} : { variant })
})
const attests = ({ descriptor }: Manifest.Raw, subject: Manifest.Raw): Descriptor => ({
  ...descriptor,
  platform: { os: "unknown", architecture: "unknown" },
  annotations: {
    "vnd.docker.reference.digest": subject.descriptor.digest,
    "vnd.docker.reference.type": "attestation-manifest"
  }
})

const indexOf = (...manifests: ReadonlyArray<Descriptor>) =>
  rawOf(MediaType.ociImageIndex, {
    schemaVersion: 2,
    mediaType: MediaType.ociImageIndex,
    manifests,
    annotations: { kept: "as it is" },
    "com.example.unknown": { kept: true }
  })

const wide = indexOf(
  on(amd64, linux("amd64")),
  on(armV6, linux("arm", "v6")),
  on(armV7, linux("arm", "v7")),
  on(arm64, linux("arm64")),
  on(windows2019, { os: "windows", architecture: "amd64", "os.version": "10.0.17763.1" }),
  on(windows2022, { os: "windows", architecture: "amd64", "os.version": "10.0.20348.1" }),
  attests(attestation, arm64)
)
const images = [armV6, armV7, arm64, amd64, attestation, windows2019, windows2022]
const names = { armV6, armV7, arm64, amd64, attestation, windows2019, windows2022 }

const source = (...indexes: ReadonlyArray<Manifest.Raw>) =>
  Effect.gen(function* () {
    const layers = ["base", "v6", "v7", "arm64", "amd64", "attestation", "windows 2019", "windows 2022"]
    const store = yield* holding(layers, [...images, ...indexes])
    const last = indexes.at(-1)
    if (last !== undefined) yield* store.putManifest(last, { tags: ["v1"] })
    return store
  })

/** Which of the images a store has. */
const held = (store: MemoryStore.MemoryStore) =>
  Effect.map(
    Effect.filter(Object.entries(names), ([, { descriptor }]) =>
      Effect.map(store.resolve(descriptor.digest), Option.isSome)
    ),
    (found) => found.map(([name]) => name)
  )

const readIndex = (store: MemoryStore.MemoryStore, tagOrDigest: string) =>
  Effect.gen(function* () {
    const descriptor = Option.getOrThrow(yield* store.resolve(tagOrDigest))
    const { bytes } = Option.getOrThrow(yield* store.manifest(descriptor))
    const view = Manifest.view(descriptor.mediaType, new TextDecoder().decode(bytes))
    if (view._tag !== "ImageIndex") return assert.fail("it is no index")
    return { view, text: new TextDecoder().decode(bytes) }
  })

describe("a copy of some platforms", () => {
  it.effect("rewrites the index, and reports it", () =>
    Effect.gen(function* () {
      const from = yield* source(wide)
      const target = MemoryStore.make("target")
      const report = yield* Copy.run(from, target, "v1", { platforms: ["linux/arm64"] })
      assert.strictEqual(report.source, wide.descriptor.digest)
      assert.notStrictEqual(report.root, wide.descriptor.digest)
      assert.sameMembers(yield* held(target), ["arm64", "attestation"])
      const { text, view } = yield* readIndex(target, "v1")
      assert.deepStrictEqual(
        view.manifests.map(({ digest }) => digest),
        [arm64.descriptor.digest, attestation.descriptor.digest]
      )
      // What the index says besides stays.
      assert.include(text, `"annotations":{"kept":"as it is"}`)
      assert.include(text, `"com.example.unknown":{"kept":true}`)
      const skipped = report.nodes.filter(({ outcome }) => outcome === "skipped")
      assert.sameMembers(
        skipped.map(({ digest }) => digest),
        [amd64, armV6, armV7, windows2019, windows2022].map(({ descriptor }) => descriptor.digest)
      )
      assert.isTrue(skipped.every(({ reason }) => reason === "platform"))
    })
  )

  it.effect("produces the same index each time", () =>
    Effect.gen(function* () {
      const from = yield* source(wide)
      const options: Copy.Options = { platforms: ["linux/arm64"] }
      const target = MemoryStore.make("target")
      const first = yield* Copy.run(from, target, "v1", options)
      const second = yield* Copy.run(from, target, "v1", options)
      assert.strictEqual(second.root, first.root)
      assert.deepStrictEqual(second.tags, [{ tag: "v1", outcome: "unchanged", previous: first.root }])
      assert.strictEqual(Copy.totals(second).sent.nodes, 0)
    })
  )

  it.effect("keeps the index unchanged if it may be sparse", () =>
    Effect.gen(function* () {
      const from = yield* source(wide)
      const target = MemoryStore.make("target")
      const report = yield* Copy.run(from, target, "v1", { platforms: ["linux/arm64"], index: "sparse" })
      assert.deepStrictEqual([report.source, report.root], [wide.descriptor.digest, wide.descriptor.digest])
      assert.sameMembers(yield* held(target), ["arm64", "attestation"])
      assert.strictEqual(Copy.totals(report).skipped.nodes, 5)
    })
  )

  for (const repository of ["", "shop/api"]) {
    it.effect(`adds platforms to a sparse index: ${repository === "" ? "folder" : repository}`, () =>
      Effect.gen(function* () {
        const from = yield* source(wide)
        const target: MemoryStore.MemoryStore = {
          ...MemoryStore.make("target"),
          origin: { place: "registry.example", repository }
        }
        yield* Copy.run(from, target, "v1", { platforms: ["linux/arm64"], index: "sparse" })
        yield* Copy.run(from, target, "v1", { platforms: ["linux/amd64"], index: "sparse" })
        assert.sameMembers(yield* held(target), ["arm64", "attestation", "amd64"])
        // What a registry has under the tag is trusted.
        yield* Copy.run(from, target, "v1", repository === "" ? {} : { trust: "walk" })
        assert.sameMembers(yield* held(target), Object.keys(names))
      })
    )
  }

  it.effect("fails with what the target lacks if it refuses a sparse index, and sends nothing more", () =>
    Effect.gen(function* () {
      const from = yield* source(wide)
      const target = MemoryStore.make("target")
      const strict: MemoryStore.MemoryStore = {
        ...target,
        putManifest: (manifest, options = {}) => target.putManifest(manifest, { ...options, isSparse: false })
      }
      const error = yield* Effect.flip(Copy.run(from, strict, "v1", { platforms: ["linux/arm64"], index: "sparse" }))
      assert.deepStrictEqual([error.side, error.cause._tag], ["target", "MissingContent"])
      assert.sameMembers(yield* held(target), ["arm64", "attestation"])
      assert.isTrue(Option.isNone(yield* target.resolve("v1")))
    })
  )

  for (const [wanted, expected] of [
    [["linux/arm/v7"], ["armV7"]],
    [["linux/arm/v6"], ["armV6"]],
    [["linux/arm"], ["armV7"]],
    [["linux/aarch64"], ["arm64", "attestation"]],
    [["linux/arm64/v8"], ["arm64", "attestation"]],
    [["windows/amd64"], ["windows2019", "windows2022"]],
    [[{ os: "windows", architecture: "amd64", "os.version": "10.0.20348" }], ["windows2022"]],
    [
      ["linux/amd64", "linux/arm/v6"],
      ["amd64", "armV6"]
    ]
  ] as const) {
    it.effect(`takes of ${JSON.stringify(wanted)}: ${expected.join(", ")}`, () =>
      Effect.gen(function* () {
        const target = MemoryStore.make("target")
        yield* Copy.run(yield* source(wide), target, "v1", { platforms: wanted })
        assert.sameMembers(yield* held(target), [...expected])
      })
    )
  }

  for (const platform of ["linux/s390x", "unknown/unknown", "linux/arm/v5", "no platform"]) {
    it.effect(`fails if there is none for ${platform}, and names those that there are`, () =>
      Effect.gen(function* () {
        const target = MemoryStore.make("target")
        const error = yield* Effect.flip(Copy.run(yield* source(wide), target, "v1", { platforms: [platform] }))
        assert.deepStrictEqual([error.side, error.cause._tag], ["source", "PlatformNotFound"])
        assert.include(error.message, platform)
        if (platform !== "no platform") assert.include(error.message, "linux/arm/v7")
        assert.deepStrictEqual(yield* held(target), [])
      })
    )
  }

  it.effect("fails if the list of platforms is empty, and tags no empty index", () =>
    Effect.gen(function* () {
      const target = MemoryStore.make("target")
      const { cause } = yield* Effect.flip(Copy.run(yield* source(wide), target, "v1", { platforms: [] }))
      assert.deepInclude(cause, { _tag: "PlatformNotFound", wanted: [] })
      assert.isTrue(Option.isNone(yield* target.resolve("v1")))
    })
  )

  it.effect("follows nested indexes, and leaves out those that become empty", () =>
    Effect.gen(function* () {
      const arms = indexOf(on(armV6, linux("arm", "v6")), on(armV7, linux("arm", "v7")))
      const windows = indexOf(on(windows2022, { os: "windows", architecture: "amd64" }))
      const outer = indexOf(on(amd64, linux("amd64")), arms.descriptor, windows.descriptor)
      const target = MemoryStore.make("target")
      const report = yield* Copy.run(yield* source(arms, windows, outer), target, "v1", { platforms: ["linux/arm/v7"] })
      assert.deepStrictEqual(yield* held(target), ["armV7"])
      const { view } = yield* readIndex(target, "v1")
      const [inner, ...others] = view.manifests
      assert.lengthOf(others, 0)
      const nested = yield* readIndex(target, inner?.digest ?? "")
      assert.deepStrictEqual(
        nested.view.manifests.map(({ digest }) => digest),
        [armV7.descriptor.digest]
      )
      assert.includeMembers(
        report.nodes.filter(({ outcome }) => outcome === "skipped").map(({ digest }) => digest),
        [windows.descriptor.digest, armV6.descriptor.digest]
      )
    })
  )

  it.effect("does not copy referrers of the original index for a rewritten one, but those of its images", () =>
    Effect.gen(function* () {
      const from = yield* source(wide)
      const ofIndex = attachment("of the index", wide.descriptor)
      const ofImage = attachment("of the image", arm64.descriptor)
      yield* from.putManifest(ofIndex)
      yield* from.putManifest(ofImage)
      const target = MemoryStore.make("target")
      yield* Copy.run(from, target, "v1", { platforms: ["linux/arm64"] })
      assert.isTrue(Option.isNone(yield* target.resolve(ofIndex.descriptor.digest)))
      assert.isTrue(Option.isSome(yield* target.resolve(ofImage.descriptor.digest)))
    })
  )

  it.effect("reads the configuration of an image outside of an index", () =>
    Effect.gen(function* () {
      const config = JSON.stringify({ os: "linux", architecture: "arm64", rootfs: { type: "layers", diff_ids: [] } })
      const alone = rawOf(
        MediaType.ociImageManifest,
        Manifest.format(Manifest.image({ config: blobOf(MediaType.ociImageConfig, config), layers: [] }))
      )
      const from = yield* holding([config], [alone])
      yield* from.putManifest(alone, { tags: ["v1"] })
      const target = MemoryStore.make("target")
      const report = yield* Copy.run(from, target, "v1", { platforms: ["linux/arm64", "linux/amd64"] })
      assert.strictEqual(report.root, alone.descriptor.digest)
      const error = yield* Effect.flip(Copy.run(from, target, "v1", { platforms: ["linux/amd64"] }))
      assert.strictEqual(
        error.message,
        "the copy failed at the source: no image for linux/amd64: there are linux/arm64"
      )
    })
  )

  it.effect("explains the format of a platform if one is invalid", () =>
    Effect.gen(function* () {
      const config = JSON.stringify({ os: "linux", architecture: "arm64", rootfs: { type: "layers", diff_ids: [] } })
      const alone = rawOf(
        MediaType.ociImageManifest,
        Manifest.format(Manifest.image({ config: blobOf(MediaType.ociImageConfig, config), layers: [] }))
      )
      const from = yield* holding([config], [alone])
      yield* from.putManifest(alone, { tags: ["v1"] })
      const error = yield* Effect.flip(Copy.run(from, MemoryStore.make("target"), "v1", { platforms: ["arm64"] }))
      assert.strictEqual(
        error.message,
        'the copy failed at the source: "arm64" is no platform: expected os/architecture, such as linux/arm64'
      )
    })
  )
})
