/**
 * Graphs as trees of text, and what several graphs store.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Graph from "../src/Graph.ts"
import { amd64, arm64, attachment, both, config, holding, image, index, layer } from "./support/artifacts.ts"

const on = (manifest: Manifest.Raw, os: string, architecture: string, more: object = {}): Descriptor => ({
  ...manifest.descriptor,
  platform: { os, architecture, ...more }
})

const short = (digest: string): string => Digest.hex(Digest.Digest.make(digest)).slice(0, 12)

/** A tree with the names of manifests and blobs in place of their digests. */
const named = (tree: string, known: { readonly [name: string]: Descriptor }): string =>
  Object.entries(known).reduce(
    (text, [name, { digest }]) => text.replaceAll(digest, `<${name}, whole>`).replaceAll(short(digest), `<${name}>`),
    tree
  )

const tree = (blobs: ReadonlyArray<string>, manifests: ReadonlyArray<Manifest.Raw>, root: Manifest.Raw) =>
  Effect.gen(function* () {
    const store = yield* holding(blobs, [...manifests, root])
    return Graph.format(yield* Graph.read(store, root.descriptor, { referrers: {} }))
  })

const common = { config, base: layer("base"), amd64Layer: layer("amd64"), arm64Layer: layer("arm64") }

describe("a graph as a tree", () => {
  it.effect("has platforms, attestations, layers, and referrers under their subjects", () =>
    Effect.gen(function* () {
      const attestation = image("provenance")
      const root = index(on(amd64, "linux", "amd64"), on(arm64, "linux", "arm64", { variant: "v8" }), {
        ...on(attestation, "unknown", "unknown"),
        annotations: {
          "vnd.docker.reference.type": "attestation-manifest",
          "vnd.docker.reference.digest": amd64.descriptor.digest
        }
      })
      const sbom = attachment("sbom", amd64.descriptor)
      const signature = attachment("signature", sbom.descriptor, "application/vnd.example.signature")
      const known = {
        ...common,
        amd64: amd64.descriptor,
        arm64: arm64.descriptor,
        attestation: attestation.descriptor,
        provenance: layer("provenance"),
        root: root.descriptor,
        sbom: sbom.descriptor,
        signature: signature.descriptor
      }
      const text = yield* tree(
        ["base", "amd64", "arm64", "provenance"],
        [amd64, arm64, attestation, sbom, signature],
        root
      )
      assert.strictEqual(
        named(text, known),
        `<root, whole>  application/vnd.oci.image.index.v1+json  883 B
├── linux/amd64  <amd64>  application/vnd.oci.image.manifest.v1+json  539 B
│   ├── <config>  application/vnd.oci.image.config.v1+json  2 B
│   ├── <base>  application/vnd.oci.image.layer.v1.tar  4 B
│   ├── <amd64Layer>  application/vnd.oci.image.layer.v1.tar  5 B
│   └── referrer  <sbom>  application/spdx+json  478 B
│       ├── <config>  application/vnd.oci.image.config.v1+json  2 B
│       └── referrer  <signature>  application/vnd.example.signature  495 B
│           └── <config>  application/vnd.oci.image.config.v1+json  2 B
├── linux/arm64/v8  <arm64>  application/vnd.oci.image.manifest.v1+json  539 B
│   ├── <config>  application/vnd.oci.image.config.v1+json  2 B
│   ├── <base>  application/vnd.oci.image.layer.v1.tar  4 B
│   └── <arm64Layer>  application/vnd.oci.image.layer.v1.tar  5 B
└── attestation of <amd64>  <attestation>  application/vnd.oci.image.manifest.v1+json  393 B
    ├── <config>  application/vnd.oci.image.config.v1+json  2 B
    └── <provenance>  application/vnd.oci.image.layer.v1.tar  10 B`
      )
    })
  )

  it.effect("shows a manifest with two parents once, and marks it afterwards", () =>
    Effect.gen(function* () {
      const inner = index(on(amd64, "linux", "amd64"))
      const root = index(inner.descriptor, on(amd64, "windows", "amd64", { "os.version": "10.0.17763.1" }))
      const text = yield* tree(["base", "amd64"], [amd64, inner], root)
      assert.strictEqual(
        named(text, { ...common, amd64: amd64.descriptor, inner: inner.descriptor, root: root.descriptor }),
        `<root, whole>  application/vnd.oci.image.index.v1+json  469 B
├── <inner>  application/vnd.oci.image.index.v1+json  289 B
│   └── linux/amd64  <amd64>  application/vnd.oci.image.manifest.v1+json  539 B
│       ├── <config>  application/vnd.oci.image.config.v1+json  2 B
│       ├── <base>  application/vnd.oci.image.layer.v1.tar  4 B
│       └── <amd64Layer>  application/vnd.oci.image.layer.v1.tar  5 B
└── windows/amd64  10.0.17763.1  <amd64>  application/vnd.oci.image.manifest.v1+json  539 B  (shown above)`
      )
    })
  )

  it.effect("names the subject of a root", () =>
    Effect.gen(function* () {
      const sbom = attachment("sbom", amd64.descriptor)
      const text = yield* tree([], [], sbom)
      assert.include(text.split("\n")[0], `about ${short(amd64.descriptor.digest)}`)
    })
  )

  it.effect("escapes control characters, and cuts long text", () =>
    Effect.gen(function* () {
      const root = index(on(amd64, "li\u001b[2J\nnux\u202e", "a".repeat(300), { "os.version": "\\u{1b}\u009b" }))
      const text = yield* tree(["base", "amd64"], [amd64], root)
      const line = text.split("\n")[1] ?? ""
      assert.isTrue(line.startsWith("└── li\\u{1b}[2J\\u{a}nux\\u{202e}/aaa"), line)
      assert.include(line, `${"a".repeat(100)}…  \\\\u{1b}\\u{9b}  `)
      assert.strictEqual(text.split("\n").length, 5)
      assert.isBelow(line.length, 400)
    })
  )
})

describe("what graphs store", () => {
  it.effect("is each content once, with its roots and the manifests that name it", () =>
    Effect.gen(function* () {
      const other = index(amd64.descriptor)
      const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64, both, other])
      const graphs = yield* Effect.forEach([both, other, both], ({ descriptor }) => Graph.read(store, descriptor))
      const storage = Graph.storage(graphs)

      const use = ({ digest }: Descriptor) => {
        const found = storage.contents.filter(({ descriptor }) => descriptor.digest === digest)
        return found.map(({ kind, manifests, roots }) => [kind, roots, manifests])
      }
      assert.deepStrictEqual(use(layer("base")), [["blob", 2, 2]])
      assert.deepStrictEqual(use(layer("arm64")), [["blob", 1, 1]])
      assert.deepStrictEqual(use(amd64.descriptor), [["manifest", 2, 2]])
      assert.deepStrictEqual(use(both.descriptor), [["manifest", 1, 0]])

      const shared = amd64.bytes.length + "{}baseamd64".length
      const ownOfBoth = both.bytes.length + arm64.bytes.length + "arm64".length
      assert.strictEqual(storage.sharedBytes, shared)
      assert.strictEqual(storage.totalBytes, shared + ownOfBoth + other.bytes.length)
      assert.deepStrictEqual(storage.roots, [
        { root: both.descriptor.digest, totalBytes: shared + ownOfBoth, ownBytes: ownOfBoth },
        { root: other.descriptor.digest, totalBytes: shared + other.bytes.length, ownBytes: other.bytes.length }
      ])
    })
  )

  it("is empty without graphs", () => {
    assert.deepStrictEqual(Graph.storage([]), { contents: [], roots: [], totalBytes: 0, sharedBytes: 0 })
  })
})
