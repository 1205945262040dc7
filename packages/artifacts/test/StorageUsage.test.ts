/**
 * The storage of a store, and of its artifacts.
 */
import * as MediaType from "@effect-acr/client/MediaType"
import * as Effect from "effect/Effect"
import { assert, describe, it } from "@effect/vitest"
import * as StorageUsage from "../src/StorageUsage.ts"
import { amd64, arm64, attachment, both, holding, index } from "./support/artifacts.ts"

const blobs = ["base", "amd64", "arm64"]

describe("the usage of storage", () => {
  it.effect("counts shared content once, and the content of each tag alone, the largest first", () =>
    Effect.gen(function* () {
      const store = yield* holding(blobs, [])
      yield* store.putManifest(amd64, { tags: ["v1", "amd"] })
      yield* store.putManifest(arm64, { tags: ["v2"] })
      const { contents, roots, sharedBytes, totalBytes } = yield* StorageUsage.read(store)
      assert.strictEqual(sharedBytes, "{}base".length)
      assert.strictEqual(totalBytes, amd64.bytes.length + arm64.bytes.length + "{}baseamd64arm64".length)
      assert.deepStrictEqual(
        roots.map(({ digest, ownBytes, tags }) => [digest, ownBytes, tags]),
        [
          [amd64.descriptor.digest, amd64.bytes.length + "amd64".length, ["v1", "amd"]],
          [arm64.descriptor.digest, arm64.bytes.length + "arm64".length, ["v2"]]
        ]
      )
      const sizes = contents.map(({ descriptor }) => descriptor.size)
      assert.deepStrictEqual(
        sizes,
        sizes.toSorted((left, right) => right - left)
      )
      assert.strictEqual(
        sizes.reduce((sum, size) => sum + size, 0),
        totalBytes
      )
    })
  )

  it.effect("counts an image for which an index states no media type, and finds nothing", () =>
    Effect.gen(function* () {
      const store = yield* holding(blobs, [amd64])
      const odd = index({ ...amd64.descriptor, mediaType: MediaType.octetStream })
      yield* store.putManifest(odd, { tags: ["v1"] })
      const { findings, totalBytes } = yield* StorageUsage.read(store)
      assert.strictEqual(totalBytes, odd.bytes.length + amd64.bytes.length + "{}baseamd64".length)
      assert.deepStrictEqual(findings, [])
    })
  )

  it.effect("counts referrers with their subject, and reads each manifest once", () =>
    Effect.gen(function* () {
      const sbom = attachment("sbom", amd64.descriptor)
      const store = yield* holding(blobs, [])
      yield* store.putManifest(amd64)
      yield* store.putManifest(arm64)
      yield* store.putManifest(sbom)
      yield* store.putManifest(both, { tags: ["v1"] })
      yield* store.putManifest(amd64, { tags: ["amd"] })
      const reads: Array<string> = []
      const counting: typeof store = {
        ...store,
        manifest: (wanted) => {
          reads.push(wanted.digest)
          return store.manifest(wanted)
        }
      }
      const { roots, totalBytes } = yield* StorageUsage.read(counting)
      const manifests = [amd64, arm64, both, sbom].reduce((sum, { bytes }) => sum + bytes.length, 0)
      assert.strictEqual(totalBytes, manifests + "{}baseamd64arm64".length)
      assert.deepStrictEqual(
        roots.map(({ tags }) => tags),
        [["v1"], ["amd"]]
      )
      assert.strictEqual(reads.length, 4)
    })
  )

  it.effect("reports missing manifests, and counts the rest", () =>
    Effect.gen(function* () {
      const store = yield* holding(blobs, [amd64, arm64])
      yield* store.putManifest(both, { tags: ["v1"] })
      yield* store.remove(arm64.descriptor)
      const { findings, totalBytes } = yield* StorageUsage.read(store)
      assert.deepStrictEqual(
        findings.map(({ digest, problem }) => [problem, digest]),
        [["Missing", arm64.descriptor.digest]]
      )
      assert.strictEqual(totalBytes, both.bytes.length + amd64.bytes.length + "{}baseamd64".length)
    })
  )

  it.effect("of one artifact leaves out all others", () =>
    Effect.gen(function* () {
      const store = yield* holding(blobs, [])
      yield* store.putManifest(amd64, { tags: ["v1"] })
      yield* store.putManifest(arm64, { tags: ["v2"] })
      const { roots, totalBytes } = yield* StorageUsage.ofArtifact(store, amd64.descriptor)
      assert.strictEqual(totalBytes, amd64.bytes.length + "{}baseamd64".length)
      assert.strictEqual(roots.length, 1)
    })
  )
})
