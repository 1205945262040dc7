/**
 * Manifests that deviate: the bytes are always returned, and the parsed manifest has what can be read or says why not.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Digest from "../src/Digest.ts"
import type * as Manifest from "../src/Manifest.ts"
import * as MediaType from "../src/MediaType.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { content, sha256 } from "./support/content.ts"
import { Journal } from "./support/registry.ts"

const digest = `sha256:${"5f".repeat(32)}`
const config = { mediaType: MediaType.ociImageConfig, digest, size: 7023 }
const layer = { mediaType: MediaType.ociImageLayerGzip, digest, size: 32_654 }
const child = { mediaType: MediaType.ociImageManifest, digest, size: 7143 }

const image = { schemaVersion: 2, mediaType: MediaType.ociImageManifest, config, layers: [layer] }
const index = { schemaVersion: 2, mediaType: MediaType.ociImageIndex, manifests: [child] }

/** The manifest of a registry that answers with a text, requested by the text's digest. */
const pulled = (text: string, contentType: string | undefined) =>
  Effect.flatMap(RegistryContent, (service) => service.manifest("alpine", sha256(text))).pipe(
    Effect.provide(
      content(() => {
        const response = new Response(new TextEncoder().encode(text))
        if (contentType !== undefined) response.headers.set("content-type", contentType)
        return response
      })
    )
  )

const assertWhole = ({ bytes, descriptor }: Manifest.Content, text: string) => {
  assert.strictEqual(new TextDecoder().decode(bytes), text)
  assert.strictEqual(String(descriptor.digest), sha256(text))
  assert.strictEqual(descriptor.size, Buffer.byteLength(text))
}

/** The problem of a manifest. */
const problemOf = ({ manifest }: Manifest.Content): string =>
  manifest._tag === "UnknownManifest" ? manifest.problem : manifest._tag

describe("a manifest with an odd field is read without it", () => {
  const readable: ReadonlyArray<readonly [what: string, document: object, view: object]> = [
    ["an empty artifact type", { ...image, artifactType: "" }, image],
    ["an empty media type of its own", { ...image, mediaType: "" }, { schemaVersion: 2, config, layers: [layer] }],
    ["an annotation that is null", { ...image, annotations: { a: null, b: "" } }, { ...image, annotations: { b: "" } }],
    ["no version", { ...image, schemaVersion: undefined }, image],
    ["null for a version", { ...image, schemaVersion: null }, image],
    ["0 for a version", { ...image, schemaVersion: 0 }, image],
    ["a subject without a value", { ...image, subject: { mediaType: "", digest: "", size: 0 } }, image],
    [
      "an annotation of a layer that is null",
      { ...image, layers: [{ ...layer, annotations: { a: null } }] },
      {
        ...image,
        layers: [{ ...layer, annotations: {} }]
      }
    ],
    ["an empty platform", { ...index, manifests: [{ ...child, platform: {} }] }, index],
    [
      "a platform without values",
      { ...index, manifests: [{ ...child, platform: { architecture: "", os: "", "os.features": null } }] },
      index
    ],
    [
      "half a platform",
      { ...index, manifests: [{ ...child, platform: { architecture: "amd64", variant: "" } }] },
      { ...index, manifests: [{ ...child, platform: { architecture: "amd64", os: "" } }] }
    ],
    [
      "an empty artifact type of a child",
      { ...index, artifactType: "", manifests: [{ ...child, artifactType: "" }] },
      index
    ],
    [
      "a layer whose media type has a parameter",
      { ...image, layers: [{ ...layer, mediaType: "text/plain; charset=utf-8" }] },
      { ...image, layers: [{ ...layer, mediaType: "text/plain; charset=utf-8" }] }
    ],
    [
      "a media type of its own with a parameter",
      { ...image, mediaType: `${MediaType.ociImageManifest}; charset=utf-8` },
      { ...image, mediaType: `${MediaType.ociImageManifest}; charset=utf-8` }
    ]
  ]
  for (const [what, document, view] of readable) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const mediaType = "manifests" in document ? MediaType.ociImageIndex : MediaType.ociImageManifest
        const text = JSON.stringify(document)
        const got = yield* pulled(text, mediaType)
        assertWhole(got, text)
        assert.strictEqual(got.descriptor.mediaType, mediaType)
        const { _tag, ...manifest } = got.manifest
        assert.strictEqual(_tag, "manifests" in document ? "ImageIndex" : "ImageManifest", problemOf(got))
        assert.deepStrictEqual<object>(manifest, view)
      })
    )
  }
})

describe("a manifest that cannot be read has its bytes and the problem", () => {
  const digests = "Expected a digest, sha256:<64 hexadecimal digits> or sha512:<128 hexadecimal digits>"
  const unreadable: ReadonlyArray<readonly [what: string, text: string, problem: string]> = [
    [
      "a digest of an unknown algorithm",
      JSON.stringify({ ...image, layers: [layer, { ...layer, digest: `blake3:${"a".repeat(64)}` }] }),
      `${digests} at ["layers"][1]["digest"]`
    ],
    [
      "a descriptor without a size",
      JSON.stringify({ ...image, config: { mediaType: config.mediaType, digest, sizeInBytes: 2 } }),
      `Missing key at ["config"]["size"]`
    ],
    [
      "a subject without a digest",
      JSON.stringify({ ...image, subject: { mediaType: child.mediaType, size: 2 } }),
      `Missing key at ["subject"]["digest"]`
    ],
    ["no configuration", JSON.stringify({ ...image, config: undefined }), `Missing key at ["config"]`],
    ["null for a configuration", JSON.stringify({ ...image, config: null }), `Expected object at ["config"]`],
    ["another version", JSON.stringify({ ...image, schemaVersion: 3 }), `Expected 2 at ["schemaVersion"]`],
    [
      "a number for an annotation",
      JSON.stringify({ ...image, annotations: { secret: 1 } }),
      `Expected string at ["annotations"]["…"]`
    ],
    ["a text of HTML", "<html></html>", "Expected JSON"],
    ["no text at all", "", "Expected JSON"],
    ["a list", "[]", "Expected object"],
    [
      "layers and manifests",
      JSON.stringify({ ...image, manifests: [child] }),
      `Expected a manifest without "manifests", which its media type does not have`
    ],
    [
      "a media type of its own that contradicts the registry's",
      JSON.stringify({ ...image, mediaType: MediaType.ociImageIndex }),
      "Expected a manifest whose mediaType field agrees with its content type"
    ]
  ]
  for (const [what, text, problem] of unreadable) {
    it.effect(what, () =>
      Effect.gen(function* () {
        const got = yield* pulled(text, MediaType.ociImageManifest)
        assertWhole(got, text)
        assert.strictEqual(got.descriptor.mediaType, MediaType.ociImageManifest)
        assert.strictEqual(problemOf(got), problem)
      })
    )
  }
})

describe("a manifest with a generic media type has its own", () => {
  const v1 = { schemaVersion: 1, name: "a", tag: "b", fsLayers: [], history: [] }
  const { mediaType: _, ...bareImage } = image
  const { mediaType: __, ...bareIndex } = index
  const documents: ReadonlyArray<readonly [what: string, document: unknown, mediaType: string, tag: string]> = [
    ["an image", image, MediaType.ociImageManifest, "ImageManifest"],
    ["an index", index, MediaType.ociImageIndex, "ImageIndex"],
    ["a Docker manifest", { ...image, mediaType: MediaType.dockerManifest }, MediaType.dockerManifest, "ImageManifest"],
    ["an image that does not name its type", bareImage, MediaType.ociImageManifest, "ImageManifest"],
    ["an index that does not name its type", bareIndex, MediaType.ociImageIndex, "ImageIndex"],
    ["an artifact of another type", { mediaType: "application/x.other" }, "application/x.other", "UnknownManifest"],
    ["schema 1", v1, "application/vnd.docker.distribution.manifest.v1+json", "UnknownManifest"],
    [
      "schema 1 with signatures",
      { ...v1, signatures: [{}] },
      "application/vnd.docker.distribution.manifest.v1+prettyjws",
      "UnknownManifest"
    ],
    [
      "an image that states the type of an index",
      { ...image, mediaType: MediaType.ociImageIndex },
      MediaType.ociImageIndex,
      "UnknownManifest"
    ]
  ]
  for (const contentType of [
    "application/json",
    "application/json; charset=utf-8",
    "Application/Octet-Stream",
    "binary/octet-stream",
    "text/plain; charset=utf-8",
    "nonsense",
    undefined
  ]) {
    for (const [what, document, mediaType, tag] of documents) {
      it.effect(`${what} as ${contentType}`, () =>
        Effect.gen(function* () {
          const text = JSON.stringify(document)
          const got = yield* pulled(text, contentType)
          assertWhole(got, text)
          assert.strictEqual(String(got.descriptor.mediaType), mediaType)
          assert.strictEqual(got.manifest._tag, tag, problemOf(got))
        })
      )
    }
  }

  it.effect("and without one, that of its answer", () =>
    Effect.gen(function* () {
      for (const text of ["", "{}", "[]", "null", "{", '{"mediaType":7}']) {
        const got = yield* pulled(text, "application/json")
        assertWhole(got, text)
        assert.strictEqual(got.descriptor.mediaType, "application/json")
        assert.strictEqual(problemOf(got), "its media type is not that of an image or an index")
        const bare = yield* pulled(text, undefined)
        assertWhole(bare, text)
        assert.strictEqual(bare.descriptor.mediaType, MediaType.octetStream)
      }
    })
  )

  it.effect("and any other media type of the answer counts", () =>
    Effect.gen(function* () {
      const text = JSON.stringify(image)
      const got = yield* pulled(text, "application/x.other")
      assertWhole(got, text)
      assert.strictEqual(got.descriptor.mediaType, "application/x.other")
      assert.strictEqual(got.manifest._tag, "UnknownManifest")
    })
  )

  it.effect("also when a tag is resolved, which takes a GET", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent
      const text = JSON.stringify(image)
      assert.deepStrictEqual<object>(
        { ...(yield* service.resolve("alpine", "v1")) },
        { mediaType: MediaType.ociImageManifest, digest: Digest.Digest.make(sha256(text)), size: text.length }
      )
      assert.deepStrictEqual(
        (yield* Journal).map(({ method }) => method),
        ["HEAD", "GET"]
      )
    }).pipe(
      Effect.provide(
        content(({ method }) => {
          const text = JSON.stringify(image)
          return new Response(method === "HEAD" ? null : text, {
            headers: {
              "content-type": "application/json",
              "content-length": String(text.length),
              "docker-content-digest": sha256(text)
            }
          })
        })
      )
    )
  )
})

/** The part of a signature that states where the signed text continues. */
const protectedOf = (formatLength: number, formatTail = "\n}") =>
  Buffer.from(JSON.stringify({ formatLength, formatTail: Buffer.from(formatTail).toString("base64url") })).toString(
    "base64url"
  )

describe("a signed Docker manifest of schema 1", () => {
  const payload = '{\n   "schemaVersion": 1,\n   "name": "a",\n   "tag": "b",\n   "fsLayers": [],\n   "history": []\n}'
  const length = payload.length - 2
  const signed = (text: string, header = protectedOf(length)) =>
    `${text.slice(0, length)},\n   "signatures": [\n      {"signature": "c2ln", "protected": "${header}"}\n   ]\n}`
  const mediaType = "application/vnd.docker.distribution.manifest.v1+prettyjws"

  const get = (reference: string, text: string, headers: { readonly [name: string]: string } = {}) =>
    Effect.flatMap(RegistryContent, (service) => service.manifest("alpine", reference)).pipe(
      Effect.provide(content(() => new Response(text, { headers: { "content-type": mediaType, ...headers } })))
    )

  it.effect("has the digest of the signed text, and the problem names its format", () =>
    Effect.gen(function* () {
      for (const [reference, headers] of [
        [sha256(payload), {}],
        ["v1", { "docker-content-digest": sha256(payload) }],
        ["v1", {}],
        ["v1", { "content-type": "application/json" }],
        ["v1", { "content-type": "application/vnd.docker.distribution.manifest.v1+json" }]
      ] as const) {
        const { bytes, descriptor, manifest } = yield* get(reference, signed(payload), headers)
        assert.strictEqual(new TextDecoder().decode(bytes), signed(payload))
        assert.deepStrictEqual<object>(
          { ...descriptor },
          {
            mediaType: MediaType.MediaType.make(mediaType),
            digest: Digest.Digest.make(sha256(payload)),
            size: signed(payload).length
          }
        )
        assert.strictEqual(manifest._tag, "UnknownManifest")
        assert.include(manifest._tag === "UnknownManifest" ? manifest.problem : "", "schema 1")
      }
    })
  )

  it.effect("may have the digest of its bytes, as some registries count", () =>
    Effect.gen(function* () {
      const { descriptor } = yield* get(sha256(signed(payload)), signed(payload))
      assert.strictEqual(String(descriptor.digest), sha256(signed(payload)))
    })
  )

  const forged: ReadonlyArray<readonly [string, string]> = [
    ["another content", signed(payload.replace('"b"', '"c"'))],
    ["a field beside the signatures", signed(payload).replace(',\n   "signatures"', ', "tag": "evil", "signatures"')],
    ["a field after the signatures", signed(payload).replace(/\n\}$/, ', "tag": "evil"\n}')],
    [
      "a part of its content hidden in a signature",
      `{"schemaVersion": 1, "signatures": [{"protected": "${protectedOf(1, payload.slice(1))}"}]}`
    ],
    [
      "only a part of its content hidden in a signature",
      `{ "signatures": [{"protected": "${protectedOf(1, payload.slice(1))}"}]}`
    ],
    ["a length that is too long", signed(payload, protectedOf(1e9))],
    ["an invalid signature", signed(payload, "???")],
    ["a signature of another kind", signed(payload, Buffer.from("[]").toString("base64url"))]
  ]
  for (const [what, text] of forged) {
    it.effect(`with ${what} is a ContentMismatch`, () =>
      Effect.gen(function* () {
        const { reason } = yield* Effect.flip(get(sha256(payload), text))
        assert.strictEqual(reason._tag, "ContentMismatch")
      })
    )
  }

  it.effect("is put under that digest", () =>
    Effect.gen(function* () {
      const service = yield* RegistryContent
      const {
        descriptor: { digest }
      } = yield* service.putManifest("alpine", signed(payload), { mediaType })
      assert.strictEqual(String(digest), sha256(payload))
      const [request] = yield* Journal
      assert.strictEqual(request?.body, signed(payload))
      assert.isTrue(request?.url.pathname.endsWith(sha256(payload)))
    }).pipe(
      Effect.provide(
        content(() => new Response(null, { status: 201, headers: { "docker-content-digest": sha256(payload) } }))
      )
    )
  )
})
