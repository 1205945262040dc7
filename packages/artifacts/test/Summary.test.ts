/**
 * Summaries of images, indexes and other artifacts.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Summary from "../src/Summary.ts"
import {
  amd64,
  arm64,
  attachment,
  blobOf,
  both,
  forPlatform,
  holding,
  index,
  layer,
  rawOf
} from "./support/artifacts.ts"

const sizes = (...descriptors: ReadonlyArray<Descriptor>) => descriptors.reduce((sum, { size }) => sum + size, 0)

describe("a summary", () => {
  const sbom = attachment("sbom", amd64.descriptor)
  const signature = attachment("signature", amd64.descriptor, "application/vnd.example.signature")
  const second = attachment("second", amd64.descriptor, "application/vnd.example.signature")
  const all = holding(["base", "amd64", "arm64"], [amd64, arm64, both, sbom, signature, second])

  it.effect("of an image has its layers, its configuration and its referrers by type", () =>
    Effect.gen(function* () {
      const text = JSON.stringify({ architecture: "arm64", os: "linux", config: { Entrypoint: ["/app"] } })
      const config = blobOf(MediaType.ociImageConfig, text)
      const image = rawOf(
        MediaType.ociImageManifest,
        Manifest.format(Manifest.image({ config, layers: [layer("base")], annotations: { key: "value" } }))
      )
      const about = attachment("about", image.descriptor)
      const store = yield* all
      yield* store.putBlob(config, BlobSource.fromString(text))
      yield* store.putManifest(image)
      yield* store.putManifest(about)
      const summary = yield* Summary.read(store, image.descriptor)
      assert.strictEqual(summary.kind, "image")
      assert.deepStrictEqual(summary.platform, { os: "linux", architecture: "arm64" })
      assert.deepStrictEqual(summary.imageConfig?.config?.Entrypoint, ["/app"])
      assert.deepStrictEqual(summary.annotations, { key: "value" })
      assert.deepStrictEqual(summary.layers, [layer("base")])
      assert.strictEqual(summary.totalBytes, sizes(image.descriptor, config, layer("base")))
      assert.deepStrictEqual(summary.referrers, [{ artifactType: "application/spdx+json", count: 1 }])
    })
  )

  it.effect("counts referrers of each type", () =>
    Effect.gen(function* () {
      const { referrers } = yield* Summary.read(yield* all, amd64.descriptor)
      assert.deepStrictEqual(
        referrers.toSorted((left, right) => left.count - right.count),
        [
          { artifactType: "application/spdx+json", count: 1 },
          { artifactType: "application/vnd.example.signature", count: 2 }
        ]
      )
    })
  )

  it.effect("of an index has its images with what each holds, and counts shared layers once", () =>
    Effect.gen(function* () {
      const platforms = index(forPlatform(amd64, "amd64"), forPlatform(arm64, "arm64"))
      const store = yield* all
      yield* store.putManifest(platforms)
      const { entries, kind, totalBytes } = yield* Summary.read(store, platforms.descriptor)
      assert.strictEqual(kind, "index")
      assert.deepStrictEqual(
        entries.map(({ descriptor, totalBytes }) => [descriptor.platform?.architecture, totalBytes]),
        [
          ["amd64", sizes(amd64.descriptor) + "{}baseamd64".length],
          ["arm64", sizes(arm64.descriptor) + "{}basearm64".length]
        ]
      )
      const manifests = sizes(platforms.descriptor, amd64.descriptor, arm64.descriptor)
      assert.strictEqual(totalBytes, manifests + "{}baseamd64arm64".length)
    })
  )

  it.effect("of an index that lacks an image leaves out the size of that image", () =>
    Effect.gen(function* () {
      const store = yield* all
      yield* store.remove(arm64.descriptor)
      const { entries } = yield* Summary.read(store, both.descriptor)
      assert.deepStrictEqual(
        entries.map((entry) => "totalBytes" in entry),
        [true, false]
      )
    })
  )

  it.effect("of a referrer has its type and its subject", () =>
    Effect.gen(function* () {
      const { artifactType, kind, subject } = yield* Summary.read(yield* all, sbom.descriptor)
      assert.deepStrictEqual(
        { artifactType, kind, subject },
        { kind: "artifact", artifactType: "application/spdx+json", subject: amd64.descriptor.digest }
      )
    })
  )

  it.effect("of an unreadable manifest has the kind unknown", () =>
    Effect.gen(function* () {
      const odd = rawOf(MediaType.dockerSchema1Manifest, { schemaVersion: 1 })
      const store = yield* all
      yield* store.putManifest(odd)
      const { kind, totalBytes } = yield* Summary.read(store, odd.descriptor)
      assert.deepStrictEqual([kind, totalBytes], ["unknown", odd.bytes.length])
    })
  )

  it.effect("of a missing manifest fails", () =>
    Effect.gen(function* () {
      const store = yield* all
      yield* store.remove(amd64.descriptor)
      const error = yield* Effect.flip(Summary.read(store, amd64.descriptor))
      assert.strictEqual(error._tag === "GraphError" && error.problem, "Missing")
    })
  )
})
