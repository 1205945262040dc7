/**
 * Findings of a validation, in stores with one fault each.
 */
import { createHash } from "node:crypto"
import { gzipSync } from "node:zlib"
import * as BlobSource from "@effect-acr/client/BlobSource"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { NodeCompression } from "@effect-acr/node"
import { assert, describe, layer as provided } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Reader } from "../src/ContentStore.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import * as Validation from "../src/Validation.ts"
import { amd64, arm64, attachment, both, holding, layer, rawOf } from "./support/artifacts.ts"

const digestOf = (bytes: Uint8Array) => Digest.Digest.make(`sha256:${createHash("sha256").update(bytes).digest("hex")}`)

const text = (content: string) => new TextEncoder().encode(content)

const described = (mediaType: MediaType.MediaType, bytes: Uint8Array): Descriptor => ({
  mediaType,
  digest: digestOf(bytes),
  size: bytes.length
})

/** An image with one layer, whose configuration names the `diff_ids`. */
const imageOf = Effect.fnUntraced(function* (
  content: Uint8Array,
  diffIds: ReadonlyArray<string>,
  mediaType = MediaType.ociImageLayerGzip
) {
  const store = MemoryStore.make()
  const config = text(
    JSON.stringify({ architecture: "amd64", os: "linux", rootfs: { type: "layers", diff_ids: diffIds } })
  )
  const configured = described(MediaType.ociImageConfig, config)
  const layered = described(mediaType, content)
  const raw = rawOf(
    MediaType.ociImageManifest,
    Manifest.format(Manifest.image({ config: configured, layers: [layered] }))
  )
  yield* store.putBlob(configured, BlobSource.fromBytes(config))
  yield* store.putBlob(layered, BlobSource.fromBytes(content))
  yield* store.putManifest(raw)
  return { store, root: raw.descriptor, layered }
})

/** A store whose blobs may not match their digests. */
const withBlobs = <E>(store: Reader<E>, blobs: Readonly<Record<string, Uint8Array>>): Reader<E> => ({
  ...store,
  blob: (pointer) => {
    const bytes = blobs[pointer.digest]
    return bytes === undefined ? store.blob(pointer) : BlobSource.fromBytes(bytes)
  }
})

const problems = ({ findings }: Validation.ValidationReport) => findings.map(({ digest, problem }) => [problem, digest])

provided(NodeCompression.layer)("a validation", (it) => {
  const all = holding(["base", "amd64", "arm64"], [amd64, arm64, both])

  describe("of a complete artifact", () => {
    it.effect("counts what it read, and finds nothing", () =>
      Effect.gen(function* () {
        const content = gzipSync(text("files"))
        const { root, store } = yield* imageOf(content, [digestOf(text("files"))])
        const report = yield* Validation.validate(store, root)
        assert.deepStrictEqual(report.findings, [])
        assert.deepStrictEqual([report.manifests, report.blobs, report.skipped], [1, 2, []])
      })
    )

    it.effect("reads each blob once, although two images share it", () =>
      Effect.gen(function* () {
        const store = yield* all
        const reads: Array<string> = []
        const counting: typeof store = {
          ...store,
          blob: (pointer) => {
            reads.push(pointer.digest)
            return store.blob(pointer)
          }
        }
        yield* Validation.validate(counting, both.descriptor)
        assert.strictEqual(new Set(reads).size, reads.length)
        assert.strictEqual(reads.length, 4)
      })
    )
  })

  describe("finds", () => {
    it.effect("a missing manifest, and continues", () =>
      Effect.gen(function* () {
        const store = yield* all
        const without: typeof store = {
          ...store,
          manifest: (wanted) =>
            wanted.digest === amd64.descriptor.digest ? Effect.succeedNone : store.manifest(wanted)
        }
        const report = yield* Validation.validate(without, both.descriptor)
        assert.deepStrictEqual(report.findings[0], {
          problem: "Missing",
          kind: "manifest",
          digest: amd64.descriptor.digest,
          path: [both.descriptor.digest],
          description: "it is not there"
        })
        assert.strictEqual(report.manifests, 2)
      })
    )

    it.effect("a blob that is missing", () =>
      Effect.gen(function* () {
        const store = yield* all
        const gone: typeof store = {
          ...store,
          blob: (pointer) =>
            pointer.digest === layer("base").digest ? MemoryStore.make().blob(pointer) : store.blob(pointer)
        }
        const report = yield* Validation.validate(gone, amd64.descriptor)
        assert.deepInclude(problems(report), ["Missing", layer("base").digest])
      })
    )

    it.effect("bytes that do not match the digest, and a wrong size", () =>
      Effect.gen(function* () {
        const files = text("files")
        const { layered, root, store } = yield* imageOf(files, [digestOf(files)], MediaType.ociImageLayer)
        const same = yield* Validation.validate(withBlobs(store, { [layered.digest]: text("FILES") }), root)
        assert.deepStrictEqual(problems(same), [["DigestDiffers", layered.digest]])
        const longer = yield* Validation.validate(withBlobs(store, { [layered.digest]: text("more files") }), root)
        assert.deepStrictEqual(problems(longer), [
          ["SizeDiffers", layered.digest],
          ["DigestDiffers", layered.digest]
        ])
      })
    )

    it.effect("a layer that does not match the configuration", () =>
      Effect.gen(function* () {
        const { layered, root, store } = yield* imageOf(gzipSync(text("files")), [digestOf(text("others"))])
        const { findings } = yield* Validation.validate(store, root)
        assert.deepStrictEqual(
          findings.map(({ actual, digest, expected, problem }) => ({ actual, digest, expected, problem })),
          [
            {
              problem: "DiffIdDiffers",
              digest: layered.digest,
              expected: digestOf(text("others")),
              actual: digestOf(text("files"))
            }
          ]
        )
      })
    )

    it.effect("a configuration with a wrong number of layers", () =>
      Effect.gen(function* () {
        const { root, store } = yield* imageOf(gzipSync(text("files")), [])
        const { findings } = yield* Validation.validate(store, root)
        assert.deepStrictEqual(
          findings.map(({ actual, expected, kind, problem }) => [problem, kind, expected, actual]),
          [["DiffIdDiffers", "config", "1", "0"]]
        )
      })
    )

    it.effect("a truncated compression, although its digest is right", () =>
      Effect.gen(function* () {
        const content = gzipSync(text("files")).subarray(0, 15)
        const { layered, root, store } = yield* imageOf(content, [digestOf(text("files"))])
        const report = yield* Validation.validate(store, root)
        assert.deepStrictEqual(problems(report), [["Unreadable", layered.digest]])
      })
    )

    it.effect("a compression that contradicts the media type", () =>
      Effect.gen(function* () {
        const files = text("files")
        const { layered, root, store } = yield* imageOf(files, [digestOf(files)], MediaType.ociImageLayerZstd)
        const report = yield* Validation.validate(store, root)
        assert.deepStrictEqual(problems(report), [["MediaTypeDiffers", layered.digest]])
      })
    )

    it.effect("a size and a media type that contradict the index", () =>
      Effect.gen(function* () {
        const { root, store } = yield* imageOf(text("files"), [digestOf(text("files"))], MediaType.ociImageLayer)
        const wrong = { ...root, size: root.size + 1, mediaType: MediaType.dockerManifest }
        const index = rawOf(MediaType.ociImageIndex, Manifest.format(Manifest.index({ manifests: [wrong] })))
        yield* store.putManifest(index)
        const report = yield* Validation.validate(store, index.descriptor)
        assert.deepStrictEqual(problems(report), [
          ["SizeDiffers", root.digest],
          ["MediaTypeDiffers", root.digest]
        ])
      })
    )

    it.effect("a referrer whose content is missing, unless referrers are left out", () =>
      Effect.gen(function* () {
        const store = yield* all
        const sbom = attachment("sbom", amd64.descriptor)
        const listing: typeof store = {
          ...store,
          referrers: (subject) =>
            subject === amd64.descriptor.digest ? Stream.make(sbom.descriptor) : store.referrers(subject)
        }
        const report = yield* Validation.validate(listing, both.descriptor)
        assert.deepInclude(problems(report), ["Missing", sbom.descriptor.digest])
        const without = yield* Validation.validate(listing, both.descriptor, { referrers: false })
        assert.notDeepInclude(problems(without), ["Missing", sbom.descriptor.digest])
      })
    )
  })

  it.effect("fails if the store cannot be read, since that says nothing of the content", () =>
    Effect.gen(function* () {
      const store = yield* all
      const broken: Reader<"offline"> = {
        ...store,
        resolve: () => Effect.fail("offline"),
        manifest: () => Effect.fail("offline"),
        blob: () => ({ ...BlobSource.fromBytes(new Uint8Array()), sizeBytes: Effect.succeed(0) }),
        has: () => Effect.fail("offline"),
        tags: Stream.fail("offline"),
        untagged: Stream.fail("offline"),
        referrers: () => Stream.fail("offline")
      }
      const failed = yield* Effect.flip(Validation.validate(broken, both.descriptor))
      assert.strictEqual(failed, "offline")
      assert.isTrue(Option.isSome(yield* store.manifest(both.descriptor)))
    })
  )
})
