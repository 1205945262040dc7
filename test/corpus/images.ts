/**
 * Images: Docker's formats, layers of all kinds, and what programs write that leave fields empty.
 */
import { type CorpusDocument, image, index, pointer, sha256, types, unread } from "./corpus.ts"

const dockerConfig = pointer(types.dockerConfig, 7023)
const dockerLayers = [pointer(types.dockerLayer, 32_654), pointer(types.dockerLayer, 16_724)]

const docker: ReadonlyArray<CorpusDocument> = [
  image(
    "Docker, an image of schema 2",
    { mediaType: types.dockerImage, config: dockerConfig, layers: dockerLayers },
    3
  ),
  index(
    "Docker, a manifest list",
    {
      mediaType: types.dockerList,
      manifests: [
        pointer(types.dockerImage, 7143, { platform: { architecture: "ppc64le", os: "linux" } }),
        pointer(types.dockerImage, 7682, { platform: { architecture: "amd64", os: "linux", features: ["sse4"] } }),
        pointer(types.dockerImage, 1125, {
          platform: {
            architecture: "amd64",
            os: "windows",
            "os.version": "10.0.20348.2113",
            "os.features": ["win32k"]
          }
        })
      ]
    },
    3
  )
]

/** Schema 1, as Docker wrote it: with an indentation of three, and histories that are JSON in text. */
const schema1 = JSON.stringify(
  {
    schemaVersion: 1,
    name: "library/hello-world",
    tag: "latest",
    architecture: "amd64",
    fsLayers: [{ blobSum: pointer(types.dockerLayer, 974).digest }, { blobSum: pointer(types.dockerLayer, 32).digest }],
    history: [
      { v1Compatibility: '{"id":"e45a5af5","parent":"31cbccb5","created":"2015-08-06T23:53:22Z","os":"linux"}' },
      { v1Compatibility: '{"id":"31cbccb5","created":"2015-08-06T23:53:22Z"}' }
    ]
  },
  undefined,
  3
)

/** Signatures stand behind the last field, and say where the signed text goes on. */
const signed = (text: string): string => {
  const formatLength = text.length - "\n}".length
  const format = { formatLength, formatTail: Buffer.from("\n}").toString("base64url"), time: "2015-08-07T00:00:00Z" }
  const signature = {
    header: { jwk: { crv: "P-256", kid: "ABCD:EFGH", kty: "EC", x: "eA", y: "eQ" }, alg: "ES256" },
    signature: "c2lnbmF0dXJl",
    protected: Buffer.from(JSON.stringify(format)).toString("base64url")
  }
  return `${text.slice(0, formatLength)},\n   "signatures": ${JSON.stringify([signature], undefined, 3).replaceAll("\n", "\n   ")}\n}`
}

const schema1Problem = { _tag: "UnknownManifest", problem: "a Docker manifest of schema 1, which is obsolete" } as const
const signedProblem = {
  _tag: "UnknownManifest",
  problem: "a signed Docker manifest of schema 1, which is obsolete"
} as const

const obsolete: ReadonlyArray<CorpusDocument> = [
  { name: "Docker, an image of schema 1", contentType: types.schema1, text: schema1, view: schema1Problem },
  {
    name: "Docker, a signed image of schema 1",
    contentType: types.schema1Signed,
    text: signed(schema1),
    digested: schema1,
    view: signedProblem
  },
  {
    name: "Docker, a signed image of schema 1 as JSON",
    contentType: "application/json; charset=utf-8",
    text: signed(schema1),
    mediaType: types.schema1Signed,
    digested: schema1,
    view: signedProblem
  }
]

const config = pointer(types.config, 1469)

const layers: ReadonlyArray<CorpusDocument> = [
  image("podman, layers in zstd, one of them in chunks", {
    config,
    layers: [
      pointer(types.zstd, 3_208_942),
      pointer(types.zstd, 3_208_943, {
        annotations: {
          "io.github.containers.zstd-chunked.manifest-checksum": sha256("table of contents"),
          "io.github.containers.zstd-chunked.manifest-position": "3129211:77811:541318:1"
        }
      })
    ]
  }),
  image("eStargz, layers that can be read in parts", {
    config,
    layers: [
      pointer(types.gzip, 2_818_413, {
        annotations: {
          "containerd.io/snapshot/stargz/toc.digest": sha256("table of contents"),
          "io.containers.estargz.uncompressed-size": "7628800"
        }
      })
    ]
  }),
  image(
    "Docker, a Windows image whose base layer is foreign",
    {
      mediaType: types.dockerImage,
      config: dockerConfig,
      layers: [
        pointer("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", 1_718_332_879, {
          urls: ["https://mcr.example/v2/windows/nanoserver/blobs/sha256:0"]
        }),
        ...dockerLayers
      ]
    },
    3
  ),
  image("OCI, layers that may not be distributed", {
    config,
    layers: ["tar", "tar+gzip", "tar+zstd"].map((form, size) =>
      pointer(`application/vnd.oci.image.layer.nondistributable.v1.${form}`, size, { urls: ["https://example.com/"] })
    )
  })
]

const bare = { schemaVersion: 2, config, layers: [pointer(types.gzip, 32_654)] }
const child = pointer(types.image, 7143)

const sparse: ReadonlyArray<CorpusDocument> = [
  image("umoci, an image that does not name its media type", { ...bare, mediaType: undefined }),
  {
    ...image("a file server, an image that does not name its media type", { ...bare, mediaType: undefined }),
    contentType: "application/octet-stream",
    mediaType: types.image
  },
  {
    ...image("a proxy, a Docker image under the type of JSON", {
      mediaType: types.dockerImage,
      config: dockerConfig,
      layers: dockerLayers
    }),
    contentType: "application/json",
    mediaType: types.dockerImage
  },
  {
    ...index("a server without types, an index", { manifests: [child] }),
    contentType: undefined,
    mediaType: types.index
  },
  {
    name: "a program in Go that writes fields that are not set, an image",
    contentType: types.image,
    text: JSON.stringify({
      schemaVersion: 2,
      mediaType: "",
      artifactType: "",
      config: { ...config, urls: null, annotations: null, data: null, platform: null, artifactType: "" },
      layers: null,
      subject: { mediaType: "", digest: "", size: 0 },
      annotations: null
    }),
    view: { _tag: "ImageManifest", fields: { schemaVersion: 2, config, layers: [] } }
  },
  {
    name: "a program in Go that writes fields that are not set, an index",
    contentType: types.index,
    text: JSON.stringify({
      schemaVersion: 0,
      mediaType: types.index,
      manifests: [
        { ...child, platform: {} },
        { ...child, platform: { architecture: "", os: "" } },
        {
          ...child,
          platform: { architecture: "arm64", os: "linux", "os.version": "", "os.features": null, variant: "" }
        }
      ]
    }),
    view: {
      _tag: "ImageIndex",
      fields: {
        schemaVersion: 2,
        mediaType: types.index,
        manifests: [child, child, { ...child, platform: { architecture: "arm64", os: "linux" } }]
      }
    }
  },
  unread(
    "Azure's client for Python, an image whose descriptors are written with its own names",
    types.image,
    {
      schemaVersion: 2,
      config: { mediaType: "application/vnd.acme.rocket.config", digest: sha256("config"), sizeInBytes: 171 },
      layers: [{ mediaType: types.gzip, digest: sha256("layer"), sizeInBytes: 8 }]
    },
    `Missing key at ["config"]["size"]`
  ),
  unread(
    "a builder that names layers by another algorithm, an image",
    types.image,
    { ...bare, layers: [{ mediaType: types.gzip, digest: `blake3:${"0a".repeat(32)}`, size: 8 }] },
    `Expected a digest, sha256:<64 hexadecimal digits> or sha512:<128 hexadecimal digits> at ["layers"][0]["digest"]`
  ),
  unread(
    "an attacker, an image that is an index as well",
    types.image,
    { ...bare, mediaType: types.image, manifests: [child] },
    `Expected a manifest without "manifests", which its media type does not have`
  )
]

export const images = [...docker, ...obsolete, ...layers, ...sparse]
