/**
 * Manifests and indexes: OCI image specification, manifest.md and image-index.md.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Annotations from "../src/Annotations.ts"
import * as Digest from "../src/Digest.ts"
import * as Manifest from "../src/Manifest.ts"
import * as MediaType from "../src/MediaType.ts"
import { atOnce } from "./support/atOnce.ts"

const seeded = { arbitrary: { seed: 1, runs: 100 } }

const digest = Digest.Digest.make(`sha256:${"5f".repeat(32)}`)
const config = { mediaType: MediaType.ociImageConfig, digest, size: 7023 }
const layer = { mediaType: MediaType.ociImageLayerGzip, digest, size: 32_654 }
const child = { mediaType: MediaType.ociImageManifest, digest, size: 7143 }

const parse = (mediaType: MediaType.MediaType, document: unknown) => Manifest.parse(mediaType, JSON.stringify(document))

/** The problem of a document. */
const complaint = (mediaType: MediaType.MediaType, document: unknown): string =>
  Result.match(parse(mediaType, document), { onSuccess: ({ _tag }) => _tag, onFailure: ({ message }) => message })

describe("a manifest of an image", () => {
  it("has all of its fields, and unknown ones at any depth", () => {
    // The example of manifest.md, with an artifact's fields, a foreign layer and unknown fields.
    const written = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: "application/vnd.example+type",
      config: { ...config, novel: true },
      layers: [
        layer,
        { ...layer, mediaType: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", urls: ["https://x"] }
      ],
      subject: { ...child, annotations: { a: "b" } },
      annotations: { "com.example.key1": "value1" },
      "org.example.novel": [{ deep: [null] }],
      tag: "v1"
    }
    assert.deepStrictEqual<object>(Result.getOrThrow(parse(MediaType.ociImageManifest, written)), {
      _tag: "ImageManifest",
      ...written
    })
  })

  it.each([undefined, null, ""])("may have a subject whose media type is %j, which other clients copy", (mediaType) => {
    const text = JSON.stringify({ schemaVersion: 2, config, layers: [], subject: { ...child, mediaType } })
    const manifest = Result.getOrThrow(Manifest.parse(MediaType.ociImageManifest, text))
    assert.deepInclude(manifest, { _tag: "ImageManifest", subject: { ...child, mediaType: MediaType.octetStream } })
  })

  it("need not state its media type", () => {
    for (const mediaType of [MediaType.ociImageManifest, MediaType.dockerManifest]) {
      assert.deepStrictEqual(
        parse(mediaType, { schemaVersion: 2, config, layers: [layer] }),
        Result.succeed({ _tag: "ImageManifest", schemaVersion: 2, config, layers: [layer] })
      )
    }
  })

  const image = { schemaVersion: 2, config, layers: [layer] }
  const complaints: ReadonlyArray<readonly [string, object, string]> = [
    ["version 1", { schemaVersion: 1 }, `Expected 2\n  at ["schemaVersion"]`],
    ["a version in words", { schemaVersion: "2" }, `Expected 2\n  at ["schemaVersion"]`],
    ["no configuration", { config: undefined }, `Missing key\n  at ["config"]`],
    ["no media type", { mediaType: "image" }, `Expected a media type: type/subtype\n  at ["mediaType"]`],
    [
      "an index's media type",
      { mediaType: MediaType.ociImageIndex },
      "Expected a manifest whose mediaType field agrees with its content type"
    ],
    [
      "a media type of its own",
      { mediaType: "application/json" },
      "Expected a manifest whose mediaType field agrees with its content type"
    ],
    ["manifests", { manifests: [child] }, `Expected a manifest without "manifests", which its media type does not have`]
  ]
  it.each(complaints)("with %s is refused", (_, change, expected) => {
    assert.strictEqual(complaint(MediaType.ociImageManifest, { ...image, ...change }), expected)
  })

  it("with null for manifests, which is none, is read", () => {
    const manifest = Result.getOrThrow(
      Manifest.parse(MediaType.ociImageManifest, JSON.stringify({ ...image, manifests: null }))
    )
    assert.strictEqual(manifest._tag, "ImageManifest")
  })

  it.each([undefined, null, ""])(
    "with a media type of a layer that is %j, which other clients copy, is read",
    (mediaType) => {
      const layers = [{ ...layer, mediaType }]
      const manifest = Result.getOrThrow(parse(MediaType.ociImageManifest, { ...image, layers }))
      assert.deepStrictEqual(
        Manifest.references(manifest).blobs.map((blob) => blob.mediaType),
        [config.mediaType, MediaType.octetStream]
      )
    }
  )

  it("says which of its layers is wrong", () => {
    const layers = [layer, layer, { ...layer, digest: "sha256:.." }]
    assert.strictEqual(
      complaint(MediaType.ociImageManifest, { ...image, layers }),
      "Expected a digest, sha256:<64 hexadecimal digits> or sha512:<128 hexadecimal digits>\n" +
        `  at ["layers"][2]["digest"]`
    )
  })

  it("cannot get missing fields from a prototype", () => {
    const text = JSON.stringify(image).replace("{", `{"__proto__":{"mediaType":"a/b","manifests":[],"annotations":{}},`)
    const manifest = Result.getOrThrow(Manifest.parse(MediaType.ociImageManifest, text))
    assert.strictEqual(manifest._tag, "ImageManifest")
    assert.isFalse("mediaType" in manifest)
    assert.isFalse("annotations" in manifest)
  })
})

describe("an index", () => {
  it("has all of its fields, and unknown ones at any depth", () => {
    // The example of image-index.md, an attestation as BuildKit stores it, a nested index, and unknown fields.
    const written = {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.index.v1+json",
      manifests: [
        { ...child, platform: { architecture: "ppc64le", os: "linux" } },
        {
          ...child,
          annotations: { "vnd.docker.reference.type": "attestation-manifest" },
          platform: { architecture: "unknown", os: "unknown", novel: 1 }
        },
        { ...child, mediaType: "application/vnd.oci.image.index.v1+json", artifactType: "a/b" },
        { ...child, mediaType: "application/vnd.novel" }
      ],
      artifactType: "application/vnd.example+type",
      subject: child,
      annotations: { "com.example.key1": "value1" },
      novel: {}
    }
    assert.deepStrictEqual<object>(Result.getOrThrow(parse(MediaType.ociImageIndex, written)), {
      _tag: "ImageIndex",
      ...written
    })
  })

  it("may be empty, in each of the ways to write that", () => {
    for (const manifests of [undefined, null, []]) {
      assert.deepStrictEqual(
        parse(MediaType.dockerManifestList, { schemaVersion: 2, manifests }),
        Result.succeed({ _tag: "ImageIndex", schemaVersion: 2, manifests: [] })
      )
    }
  })

  const complaints: ReadonlyArray<readonly [string, object, string]> = [
    ["version 1", { schemaVersion: 1 }, `Expected 2\n  at ["schemaVersion"]`],
    [
      "an image's media type",
      { mediaType: MediaType.ociImageManifest },
      "Expected a manifest whose mediaType field agrees with its content type"
    ],
    ["layers", { layers: [layer] }, `Expected a manifest without "layers", which its media type does not have`]
  ]
  it.each(complaints)("with %s is refused", (_, change, expected) => {
    const index = { schemaVersion: 2, manifests: [child] }
    assert.strictEqual(complaint(MediaType.ociImageIndex, { ...index, ...change }), expected)
  })
})

describe("a manifest of another type", () => {
  const others: ReadonlyArray<readonly [name: string, problem: string]> = [
    [MediaType.dockerSchema1Manifest, "a Docker manifest of schema 1, which is obsolete"],
    [MediaType.dockerSchema1SignedManifest, "a signed Docker manifest of schema 1, which is obsolete"],
    [MediaType.ociArtifactManifest, "an OCI artifact manifest, which was withdrawn from the specification"],
    ["application/json", "its media type is not that of an image or an index"],
    ["application/octet-stream", "its media type is not that of an image or an index"],
    ["text/plain; charset=utf-8", "its media type is not that of an image or an index"],
    ["foo", "its media type is not that of an image or an index"]
  ]
  it.each(others)("%s is not parsed", (name, problem) => {
    // As in the descriptor of an author, whose media type may be only a word.
    const mediaType = MediaType.MediaType.make(name, { disableChecks: true })
    for (const text of ["", "{}", '{"schemaVersion":1}', "\0", "[".repeat(1_000_000)]) {
      assert.deepStrictEqual(
        atOnce(() => Manifest.parse(mediaType, text)),
        Result.succeed(Manifest.UnknownManifest.make({ mediaType, problem }))
      )
    }
  })
})

describe("what a manifest refers to", () => {
  const subject = { ...child, size: 1 }

  it("are the blobs of an image: its configuration, then its layers", () => {
    assert.deepStrictEqual(Manifest.references(Manifest.image({ config, layers: [layer, layer], subject })), {
      manifests: [],
      blobs: [config, layer, layer]
    })
  })

  it("are the manifests of an index", () => {
    assert.deepStrictEqual(Manifest.references(Manifest.index({ manifests: [child], subject })), {
      manifests: [child],
      blobs: []
    })
  })

  it("are blobs if a cache of BuildKit lists layers and their configuration in an index", () => {
    const blobs = [
      layer,
      { ...layer, mediaType: MediaType.ociImageLayerZstd },
      { ...layer, mediaType: MediaType.dockerImageLayerGzip },
      { ...layer, mediaType: MediaType.MediaType.make("application/vnd.buildkit.cacheconfig.v0") }
    ]
    const other = { ...child, mediaType: MediaType.MediaType.make("application/vnd.example.manifest.v1") }
    const manifests = [child, { ...child, mediaType: MediaType.dockerSchema1SignedManifest }, other]
    assert.deepStrictEqual(Manifest.references(Manifest.index({ manifests: [...blobs, ...manifests] })), {
      manifests,
      blobs
    })
  })

  it("is unknown for one that is not parsed", () => {
    assert.deepStrictEqual(Manifest.references(Manifest.view(MediaType.octetStream, "")), {
      manifests: [],
      blobs: []
    })
  })
})

describe("a new manifest", () => {
  it("of an image is written as compact JSON", () => {
    assert.strictEqual(
      Manifest.format(
        Manifest.image({
          config: { mediaType: MediaType.ociEmpty, digest, size: 2, data: "e30=" },
          layers: [layer],
          artifactType: MediaType.MediaType.make("application/vnd.example"),
          annotations: { [Annotations.title]: "a\n" }
        })
      ),
      '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",' +
        '"artifactType":"application/vnd.example",' +
        `"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"${digest}","size":2,"data":"e30="},` +
        `"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"${digest}","size":32654}],` +
        '"annotations":{"org.opencontainers.image.title":"a\\n"}}'
    )
  })

  it("of an index is written as compact JSON", () => {
    assert.strictEqual(
      Manifest.format(Manifest.index({ manifests: [{ ...child, platform: { os: "linux", architecture: "amd64" } }] })),
      '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",' +
        `"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"${digest}","size":7143,` +
        '"platform":{"architecture":"amd64","os":"linux"}}]}'
    )
  })

  const Made = Schema.Struct({
    mediaType: MediaType.MediaType,
    digest: Digest.Digest,
    size: Schema.Natural,
    annotations: Schema.optionalKey(Annotations.Annotations)
  })

  it.prop(
    "of an image is read as it was written",
    [
      Schema.Struct({
        config: Made,
        layers: Schema.Array(Made),
        artifactType: Schema.optionalKey(MediaType.MediaType),
        subject: Schema.optionalKey(Made),
        annotations: Schema.optionalKey(Annotations.Annotations)
      })
    ],
    ([parts]) => {
      const made = Manifest.image(parts)
      assert.deepStrictEqual(Manifest.parse(MediaType.ociImageManifest, Manifest.format(made)), Result.succeed(made))
    },
    seeded
  )

  it.prop(
    "of an index is read as it was written, and as nothing else",
    [Schema.Struct({ manifests: Schema.Array(Made), subject: Schema.optionalKey(Made) })],
    ([parts]) => {
      const made = Manifest.index(parts)
      const text = Manifest.format(made)
      assert.deepStrictEqual(Manifest.parse(MediaType.ociImageIndex, text), Result.succeed(made))
      assert.isTrue(Result.isFailure(Manifest.parse(MediaType.ociImageManifest, text)))
    },
    seeded
  )
})

describe("a hostile text", () => {
  const texts: ReadonlyArray<readonly [string, (length: number) => string]> = [
    ["brackets", (length) => "[".repeat(length)],
    ["lists in lists", (length) => "[".repeat(length / 2) + "]".repeat(length / 2)],
    ["objects in objects", (length) => '{"layers":'.repeat(length / 10)],
    ["quotes", (length) => '"'.repeat(length)],
    ["backslashes", (length) => `"${"\\".repeat(length)}"`],
    ["slashes", (length) => "a/".repeat(length / 2)],
    ["dashes", (length) => "-".repeat(length)],
    ["digits", (length) => "1".repeat(length)],
    ["spaces", (length) => " ".repeat(length)],
    ["a media type", (length) => JSON.stringify({ schemaVersion: 2, mediaType: "a/".repeat(length / 2) })],
    ["invalid layers", (length) => JSON.stringify({ schemaVersion: 2, config, layers: Array(length / 10).fill(0) })]
  ]
  it.each(texts)("of %s is refused at once", (_, text) => {
    for (const mediaType of [MediaType.ociImageManifest, MediaType.dockerManifestList]) {
      for (const length of [100_000, 1_000_000]) {
        assert.isTrue(Result.isFailure(atOnce(() => Manifest.parse(mediaType, text(length)))))
      }
    }
  })

  it("may have deep values in an unknown field, which are kept and not followed", () => {
    const deep = "[".repeat(100_000) + "]".repeat(100_000)
    const text = JSON.stringify({ schemaVersion: 2, config, layers: [] }).replace("{", `{"novel":${deep},`)
    const manifest = Result.getOrThrow(atOnce(() => Manifest.parse(MediaType.ociImageManifest, text)))
    assert.strictEqual(manifest._tag, "ImageManifest")
  })

  it("may have very many layers, which are read", () => {
    const layers = Array.from({ length: 1000 }, (_, size) => ({ ...layer, size }))
    const manifest = Result.getOrThrow(
      atOnce(() => parse(MediaType.ociImageManifest, { schemaVersion: 2, config, layers }))
    )
    assert.deepStrictEqual(manifest._tag === "ImageManifest" ? manifest.layers : [], layers)
  })
})
