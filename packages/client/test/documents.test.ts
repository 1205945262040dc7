/**
 * Manifests, configurations and ACR's records: what other programs wrote survives being read here.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Digest from "../src/Digest.ts"
import * as ImageConfig from "../src/ImageConfig.ts"
import * as Manifest from "../src/Manifest.ts"
import * as MediaType from "../src/MediaType.ts"
import { atOnce } from "./support/atOnce.ts"
import { behindOAuth, json, registry } from "./support/registry.ts"

const digest = Digest.Digest.make(`sha256:${"a".repeat(64)}`)

const config = { mediaType: "application/vnd.oci.image.config.v1+json", digest, size: 2 }
const layer = {
  mediaType: "application/vnd.oci.image.layer.v1.tar+gzip",
  digest,
  size: 1024,
  annotations: { "org.opencontainers.image.title": "a file" },
  "org.example.unknown": [1, { two: null }]
}
const image = {
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  artifactType: "application/vnd.example+type",
  config,
  layers: [layer],
  subject: { ...config, data: "e30=" },
  annotations: { "org.example": "ünïcode" },
  unknown: { deep: [[[1.5]]] }
}
const index = {
  schemaVersion: 2,
  mediaType: "application/vnd.oci.image.index.v1+json",
  manifests: [
    {
      ...config,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      platform: { architecture: "arm", os: "linux", variant: "v7", "os.features": ["a"], novel: true }
    }
  ],
  novel: 1
}

const parse = (mediaType: MediaType.MediaType, document: unknown) => Manifest.parse(mediaType, JSON.stringify(document))

describe("a manifest", () => {
  it("of an image keeps all it holds", () => {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(Result.getOrThrow(parse(MediaType.ociImageManifest, image)))), {
      _tag: "ImageManifest",
      ...image
    })
  })

  it("of an index keeps all it holds", () => {
    assert.deepStrictEqual(JSON.parse(JSON.stringify(Result.getOrThrow(parse(MediaType.ociImageIndex, index)))), {
      _tag: "ImageIndex",
      ...index
    })
  })

  it("of Docker reads the same", () => {
    const docker = { ...image, mediaType: MediaType.dockerManifest }
    assert.strictEqual(Result.getOrThrow(parse(MediaType.dockerManifest, docker))._tag, "ImageManifest")
    const list = { ...index, mediaType: MediaType.dockerManifestList }
    assert.strictEqual(Result.getOrThrow(parse(MediaType.dockerManifestList, list))._tag, "ImageIndex")
  })

  it("takes null for what is not there", () => {
    const manifest = Result.getOrThrow(
      parse(MediaType.ociImageManifest, { schemaVersion: 2, config, layers: null, annotations: null, subject: null })
    )
    assert.deepStrictEqual(manifest, { _tag: "ImageManifest", schemaVersion: 2, config: manifestConfig, layers: [] })
  })

  it("of another type is its bytes alone", () => {
    const mediaType = MediaType.MediaType.make("application/vnd.example+json")
    assert.deepStrictEqual(Result.getOrThrow(Manifest.parse(mediaType, "not JSON at all")), {
      _tag: "UnknownManifest",
      mediaType
    })
  })

  const refused: ReadonlyArray<readonly [string, MediaType.MediaType, unknown]> = [
    ["is both image and index, as image", MediaType.ociImageManifest, { ...image, manifests: [] }],
    ["is both image and index, as index", MediaType.ociImageIndex, { ...index, layers: [] }],
    ["says to be of another type", MediaType.ociImageManifest, { ...image, mediaType: MediaType.ociImageIndex }],
    ["has no configuration", MediaType.ociImageManifest, { schemaVersion: 2, layers: [] }],
    ["is of schema 1", MediaType.ociImageManifest, { ...image, schemaVersion: 1 }],
    ["has a negative size", MediaType.ociImageManifest, { ...image, config: { ...config, size: -1 } }],
    ["has a broken size", MediaType.ociImageManifest, { ...image, config: { ...config, size: 1.5 } }],
    ["has a size of words", MediaType.ociImageManifest, { ...image, config: { ...config, size: "1" } }],
    ["has a size beyond all numbers", MediaType.ociImageManifest, { ...image, config: { ...config, size: 2 ** 62 } }],
    [
      "has a digest that is a path",
      MediaType.ociImageManifest,
      { ...image, config: { ...config, digest: "sha256:../../x" } }
    ],
    ["has numbers for annotations", MediaType.ociImageManifest, { ...image, annotations: { a: 1 } }],
    ["is a list", MediaType.ociImageIndex, []],
    ["is null", MediaType.ociImageIndex, null]
  ]
  it.each(refused)("that %s is refused", (_, mediaType, document) => {
    assert.isTrue(Result.isFailure(parse(mediaType, document)))
  })

  it.each(["", "{", "[".repeat(100_000), '"'.repeat(100_001)])("that is no JSON is refused", (text) => {
    assert.isTrue(Result.isFailure(atOnce(() => Manifest.parse(MediaType.ociImageManifest, text))))
  })

  it("that was made here is read as it was written", () => {
    const made = Manifest.image({
      config: manifestConfig,
      layers: [{ ...manifestConfig, size: 0 }],
      annotations: { a: "b" }
    })
    assert.deepStrictEqual(Manifest.parse(MediaType.ociImageManifest, Manifest.format(made)), Result.succeed(made))
    assert.notInclude(Manifest.format(made), "_tag")
    const list = Manifest.index({ manifests: [{ ...manifestConfig, mediaType: MediaType.ociImageManifest }] })
    assert.deepStrictEqual(Manifest.parse(MediaType.ociImageIndex, Manifest.format(list)), Result.succeed(list))
  })
})

const manifestConfig = { mediaType: MediaType.ociImageConfig, digest, size: 2 }

describe("an image's configuration", () => {
  const document = {
    architecture: "amd64",
    os: "linux",
    created: "2023-03-07T02:03:10.5343706Z",
    config: { Env: ["PATH=/bin"], Cmd: null, Labels: { a: "b" }, Healthcheck: { Test: ["CMD"] } },
    rootfs: { type: "layers", diff_ids: [digest] },
    history: [{ created_by: "make", empty_layer: true }],
    moby: { "buildkit.buildinfo.v1": "…" }
  }

  it("keeps what it holds, and takes null for absent", () => {
    const parsed = Result.getOrThrow(ImageConfig.parse(JSON.stringify(document)))
    const { Cmd: _, ...rest } = document.config
    assert.deepStrictEqual(JSON.parse(ImageConfig.format(parsed)), { ...document, config: rest })
  })

  it.each(["", "{}", "null", '{"architecture":1}', '{"os":"linux","architecture":"amd64","rootfs":null}'])(
    "of %j is refused",
    (text) => {
      assert.isTrue(Result.isFailure(ImageConfig.parse(text)))
    }
  )
})

describe("ACR's records", () => {
  const record = {
    digest,
    imageSize: 5325,
    createdTime: "2023-03-07T02:03:10.5343706Z",
    lastUpdateTime: "2023-03-07T02:03:11Z",
    architecture: "amd64",
    os: "linux",
    mediaType: "application/vnd.docker.distribution.manifest.v2+json",
    changeableAttributes: { deleteEnabled: false, writeEnabled: true, novelEnabled: true },
    references: null,
    quarantineState: "Passed",
    novel: { deep: [1, null] }
  }
  const answering = (extra: object) =>
    registry(
      behindOAuth("s", () =>
        json({
          registry: "myregistry.azurecr.io",
          imageName: "alpine",
          manifests: [{ ...record, ...extra }],
          novel: 1
        })
      )
    )

  const manifests = Effect.flatMap(ContainerRegistry, (registry) => Stream.runCollect(registry.manifests("alpine")))

  it.effect("are read with unknown fields, absent tags, null lists and seven digits", () =>
    Effect.gen(function* () {
      const [properties] = yield* manifests
      assert.deepStrictEqual(properties, {
        registryLoginServer: "myregistry.azurecr.io",
        repositoryName: properties?.repositoryName ?? assert.fail(),
        digest,
        sizeInBytes: 5325,
        mediaType: MediaType.dockerManifest,
        architecture: "amd64",
        operatingSystem: "linux",
        createdOn: DateTime.makeUnsafe("2023-03-07T02:03:10.534Z"),
        lastUpdatedOn: DateTime.makeUnsafe("2023-03-07T02:03:11Z"),
        tags: [],
        relatedArtifacts: [],
        canDelete: false,
        canWrite: true,
        canList: true,
        canRead: true,
        raw: record
      })
    }).pipe(Effect.provide(answering({})))
  )

  for (const [name, extra] of [
    ["no attributes", { changeableAttributes: undefined }],
    ["null for attributes", { changeableAttributes: null }],
    ["null for each attribute", { changeableAttributes: { deleteEnabled: null, writeEnabled: null } }]
  ] as const) {
    it.effect(`with ${name} allow everything`, () =>
      Effect.gen(function* () {
        const [properties] = yield* manifests
        assert.deepInclude(properties, { canDelete: true, canWrite: true, canList: true, canRead: true })
      }).pipe(Effect.provide(answering(extra)))
    )
  }

  for (const [name, extra] of [
    ["empty strings for platform and media type", { architecture: "", os: "", mediaType: null }],
    ["null for platform", { architecture: null, os: null }]
  ] as const) {
    it.effect(`with ${name} are read`, () =>
      Effect.gen(function* () {
        assert.strictEqual((yield* manifests).length, 1)
      }).pipe(Effect.provide(answering(extra)))
    )
  }
})
