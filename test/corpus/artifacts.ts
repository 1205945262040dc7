/**
 * Artifacts that are no images: charts, modules, caches, files, and the formats that were tried for them.
 */
import { emptyConfig, image, index, pointer, type CorpusDocument, types, unread } from "./corpus.ts"

const subject = pointer(types.image, 7143)
const chart = "application/vnd.cncf.helm.chart"
const cacheConfig = pointer("application/vnd.buildkit.cacheconfig.v0", 1204)

const cacheLayer = (size: number) =>
  pointer(types.gzip, size, {
    annotations: {
      "buildkit/createdat": "2026-03-04T05:06:07.891234567Z",
      "containerd.io/uncompressed": pointer(types.gzip, size + 1).digest
    }
  })

const title = (name: string, more: object = {}) => ({
  annotations: { "org.opencontainers.image.title": name, ...more }
})

export const artifacts: ReadonlyArray<CorpusDocument> = [
  image("Helm, a chart with its provenance", {
    config: pointer("application/vnd.cncf.helm.config.v1+json", 135),
    layers: [pointer(`${chart}.provenance.v1.prov`, 1015), pointer(`${chart}.content.v1.tar+gzip`, 3713)],
    annotations: {
      "org.opencontainers.image.description": "A chart",
      "org.opencontainers.image.title": "api",
      "org.opencontainers.image.version": "1.4.0+build.7"
    }
  }),
  image("Flux, the manifests of a folder", {
    config: pointer("application/vnd.cncf.flux.config.v1+json", 233),
    layers: [pointer("application/vnd.cncf.flux.content.v1.tar+gzip", 1023)],
    annotations: {
      "org.opencontainers.image.created": "2026-04-05T06:07:08Z",
      "org.opencontainers.image.revision": "main@sha1:3f5e25c9a1b2c3d4e5f60718293a4b5c6d7e8f90",
      "org.opencontainers.image.source": "https://git.example/contoso/deploy"
    }
  }),
  image("WASM, a component", {
    config: pointer("application/vnd.wasm.config.v0+json", 322),
    layers: [pointer("application/wasm", 2_097_152)]
  }),
  image("WASM, a module as wasm-to-oci stores it", {
    config: pointer("application/vnd.wasm.config.v1+json", 2),
    layers: [pointer("application/vnd.wasm.content.layer.v1+wasm", 1_624_962, title("module.wasm"))]
  }),
  image("BuildKit, a cache of all stages as an image", {
    config: cacheConfig,
    layers: [cacheLayer(32_654), cacheLayer(16_724), cacheLayer(73_109)]
  }),
  index("BuildKit, a cache as an index, whose manifests are layers and a configuration", {
    manifests: [cacheLayer(32_654), cacheLayer(16_724), cacheConfig]
  }),
  image("oras, a file with an artifact type", {
    artifactType: "application/vnd.contoso.report.v1",
    config: emptyConfig,
    layers: [pointer("application/json", 42, title("report.json"))],
    annotations: { "org.opencontainers.image.created": "2026-05-06T07:08:09Z" }
  }),
  image("oras, a file whose media type has a parameter, and a folder", {
    artifactType: "application/vnd.unknown.artifact.v1",
    config: emptyConfig,
    layers: [
      pointer("text/plain; charset=utf-8", 12, title("notes.txt")),
      pointer(
        types.gzip,
        512,
        title("site", { "io.deis.oras.content.digest": emptyConfig.digest, "io.deis.oras.content.unpack": "true" })
      )
    ]
  }),
  image("oras before 1.0, a file under a configuration of an unknown kind", {
    mediaType: undefined,
    config: { mediaType: "application/vnd.unknown.config.v1+json", digest: emptyConfig.digest, size: 2 },
    layers: [pointer("application/vnd.oci.image.layer.v1.tar", 12, title("hello.txt"))]
  }),
  image("oras, an artifact without files", {
    artifactType: "application/vnd.contoso.note.v1",
    config: emptyConfig,
    layers: [emptyConfig],
    subject,
    annotations: { "com.contoso.note": "tested" }
  }),
  unread(
    "oras, the artifact manifest that OCI withdrew",
    "application/vnd.oci.artifact.manifest.v1+json",
    {
      mediaType: "application/vnd.oci.artifact.manifest.v1+json",
      artifactType: "application/vnd.contoso.report.v1",
      blobs: [pointer("application/json", 42, title("report.json"))],
      subject,
      annotations: { "org.opencontainers.artifact.created": "2022-11-12T13:14:15Z" }
    },
    "an OCI artifact manifest, which was withdrawn from the specification"
  ),
  unread(
    "oras, the artifact manifest of its own that came before",
    "application/vnd.cncf.oras.artifact.manifest.v1+json",
    {
      mediaType: "application/vnd.cncf.oras.artifact.manifest.v1+json",
      artifactType: "signature/example",
      blobs: [pointer("application/json", 42)],
      subject
    },
    "its media type is not that of an image or an index"
  ),
  image("SOCI, an index of the layers of an image", {
    artifactType: "application/vnd.amazon.soci.index.v1+json",
    config: { mediaType: "application/vnd.amazon.soci.index.v1+json", digest: emptyConfig.digest, size: 2 },
    layers: [
      pointer("application/octet-stream", 1_046_800, {
        annotations: {
          "com.amazon.soci.image-layer-digest": pointer(types.gzip, 1).digest,
          "com.amazon.soci.image-layer-mediaType": types.gzip
        }
      })
    ],
    subject,
    annotations: { "com.amazon.soci.build-tool-identifier": "AWS SOCI CLI v0.1" }
  }),
  image("ModelPack, a model", {
    artifactType: "application/vnd.cncf.model.manifest.v1+json",
    config: pointer("application/vnd.cncf.model.config.v1+json", 301),
    layers: [
      pointer("application/vnd.cncf.model.weight.v1.raw", 16_060_522_496, {
        annotations: { "org.cncf.model.filepath": "model.safetensors" }
      })
    ]
  })
]
