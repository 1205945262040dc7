/**
 * Manifests through the service: the requested bytes arrive unchanged.
 */
import { createHash } from "node:crypto"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Digest from "../src/Digest.ts"
import * as Manifest from "../src/Manifest.ts"
import * as MediaType from "../src/MediaType.ts"
import { type PutManifestOptions, RegistryContent } from "../src/RegistryContent.ts"
import type { RegistryError } from "../src/RegistryError.ts"
import { content, sha256 } from "./support/content.ts"
import { Journal, type Script } from "./support/registry.ts"

const descriptor = {
  mediaType: MediaType.ociImageConfig,
  digest: Digest.Digest.make(`sha256:${"a".repeat(64)}`),
  size: 2
}

/** In a layout that this library would not write. */
const odd = `{ "schemaVersion": 2,\n\t"unknown": {"x": 1.0, "y": [null]},
  "layers" : [], "config": ${JSON.stringify({ ...descriptor, data: "e30=", extra: true })},
  "subject": ${JSON.stringify({ ...descriptor, mediaType: MediaType.ociImageManifest })},
  "annotations": {"ü": "\\u00fc"}, "artifactType": "application/x.example", "mediaType": "${MediaType.ociImageManifest}" }\n`

const answering =
  (text: string | ReadableStream, headers: { readonly [name: string]: string } = {}): Script =>
  ({ method }) =>
    new Response(method === "HEAD" ? null : text, {
      headers: { "content-type": MediaType.ociImageManifest, ...headers }
    })

const get = (reference: string) => Effect.flatMap(RegistryContent, (content) => content.manifest("alpine", reference))

const reasonOf = <R>(effect: Effect.Effect<unknown, RegistryError, R>) =>
  Effect.map(Effect.flip(Effect.asVoid(effect)), ({ reason }) => reason._tag)

describe("a pulled manifest", () => {
  it.effect("keeps its bytes, and is parsed", () =>
    Effect.gen(function* () {
      const { bytes, descriptor: own, manifest } = yield* get("v1")
      assert.strictEqual(new TextDecoder().decode(bytes), odd)
      assert.deepStrictEqual(
        { ...own },
        {
          mediaType: MediaType.ociImageManifest,
          digest: Digest.Digest.make(sha256(odd)),
          size: Buffer.byteLength(odd)
        }
      )
      assert.strictEqual(manifest._tag, "ImageManifest")
      if (manifest._tag !== "ImageManifest") return
      assert.strictEqual(manifest.artifactType, "application/x.example")
      assert.deepNestedPropertyVal(manifest, "unknown", { x: 1, y: [null] })
      assert.deepNestedPropertyVal(manifest, "config.extra", true)
      assert.strictEqual(manifest.annotations?.["ü"], "ü")
    }).pipe(Effect.provide(content(answering(odd, { "docker-content-digest": sha256(odd) }))))
  )

  it.effect("is requested with all media types", () =>
    Effect.gen(function* () {
      yield* get("v1")
      const [request] = yield* Journal
      for (const type of [
        MediaType.ociImageManifest,
        MediaType.ociImageIndex,
        MediaType.dockerManifest,
        MediaType.dockerManifestList,
        "*/*"
      ]) {
        assert.include(request?.accept, type)
      }
    }).pipe(Effect.provide(content(answering(odd))))
  )

  it.effect("of an unknown type is its bytes", () =>
    Effect.gen(function* () {
      const { bytes, manifest } = yield* get("v1")
      assert.deepStrictEqual(manifest, {
        _tag: "UnknownManifest",
        mediaType: MediaType.MediaType.make("application/x-other"),
        problem: "its media type is not that of an image or an index"
      })
      assert.strictEqual(new TextDecoder().decode(bytes), "\u0000 not JSON")
    }).pipe(Effect.provide(content(answering("\u0000 not JSON", { "content-type": "application/x-other; charset=x" }))))
  )

  it.effect("is the requested one, whatever digest the registry states", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get(sha256(odd))).descriptor.digest, sha256(odd))
    }).pipe(Effect.provide(content(answering(odd, { "docker-content-digest": sha256("a lie") }))))
  )

  it.effect("that is not the requested one is refused, whatever digest the registry states", () =>
    Effect.gen(function* () {
      const wanted = sha256("another")
      assert.strictEqual(yield* reasonOf(get(wanted)), "ContentMismatch")
    }).pipe(Effect.provide(content(answering(odd, { "docker-content-digest": sha256("another") }))))
  )

  it.effect("by tag that does not match the stated digest is refused", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* reasonOf(get("v1")), "ContentMismatch")
    }).pipe(Effect.provide(content(answering(odd, { "docker-content-digest": sha256("another") }))))
  )

  it.effect("by tag whose stated digest is invalid has that of its bytes", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* get("v1")).descriptor.digest, sha256(odd))
    }).pipe(Effect.provide(content(answering(odd, { "docker-content-digest": "sha256:../../etc/passwd" }))))
  )

  it.effect("of more than 4 MiB is refused, having read little more", () => {
    let taken = 0
    const endless = new ReadableStream({
      pull(controller) {
        taken += 65_536
        controller.enqueue(new Uint8Array(65_536).fill(0x20))
      }
    })
    return Effect.gen(function* () {
      assert.strictEqual(yield* reasonOf(get("v1")), "TooLarge")
      assert.isAtMost(taken, 4 * 1024 * 1024 + 4 * 65_536)
    }).pipe(Effect.provide(content(answering(endless))))
  })
})

describe("a resolved tag", () => {
  const resolve = Effect.flatMap(RegistryContent, (content) => content.resolve("alpine", "v1"))

  it.effect("takes one HEAD", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        { ...(yield* resolve) },
        {
          mediaType: MediaType.ociImageManifest,
          digest: Digest.Digest.make(sha256(odd)),
          size: 5
        }
      )
      assert.deepStrictEqual(
        (yield* Journal).map(({ method }) => method),
        ["HEAD"]
      )
    }).pipe(Effect.provide(content(answering(odd, { "docker-content-digest": sha256(odd), "content-length": "5" }))))
  )

  it.effect("takes the manifest itself if the registry does not state its digest", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* resolve).digest, sha256(odd))
      assert.deepStrictEqual(
        (yield* Journal).map(({ method }) => method),
        ["HEAD", "GET"]
      )
    }).pipe(Effect.provide(content(answering(odd))))
  )
})

describe("a HEAD with missing headers", () => {
  const resolve = Effect.flatMap(RegistryContent, (content) => content.resolve("alpine", "v1"))
  const own = { mediaType: MediaType.ociImageManifest, digest: Digest.Digest.make(sha256(odd)), size: odd.length + 1 }

  const sparse: ReadonlyArray<readonly [string, { readonly [name: string]: string }]> = [
    [
      "a length of 0",
      { "content-type": MediaType.ociImageManifest, "docker-content-digest": own.digest, "content-length": "0" }
    ],
    ["no length", { "content-type": MediaType.ociImageManifest, "docker-content-digest": own.digest }],
    ["no type", { "docker-content-digest": own.digest, "content-length": "5" }],
    ["no digest", { "content-type": MediaType.ociImageManifest, "content-length": "5" }],
    [
      "another's digest",
      { "content-type": MediaType.ociImageManifest, "docker-content-digest": "md5:1", "content-length": "5" }
    ]
  ]
  for (const [what, headers] of sparse) {
    it.effect(`(${what}) is followed by a GET`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual({ ...(yield* resolve) }, own)
        assert.deepStrictEqual(
          (yield* Journal).map(({ method }) => method),
          ["HEAD", "GET"]
        )
      }).pipe(
        Effect.provide(
          content(({ method }) =>
            method === "HEAD"
              ? new Response(null, { headers })
              : new Response(odd, { headers: { "content-type": MediaType.ociImageManifest } })
          )
        )
      )
    )
  }
})

const put = (manifest: Parameters<RegistryContent["Service"]["putManifest"]>[1], options?: PutManifestOptions) =>
  Effect.flatMap(RegistryContent, (content) => content.putManifest("alpine", manifest, options))

const created: Script = ({ url }) =>
  new Response(null, {
    status: 201,
    headers: {
      location: url.pathname,
      "docker-content-digest": sha256(odd),
      "oci-subject": descriptor.digest
    }
  })

describe("a pushed manifest", () => {
  it.effect("as bytes is sent unchanged, with its own media type and digest", () =>
    Effect.gen(function* () {
      const {
        descriptor: { digest, mediaType }
      } = yield* put(new TextEncoder().encode(odd))
      assert.deepStrictEqual([String(digest), mediaType], [sha256(odd), MediaType.ociImageManifest])
      const [request] = yield* Journal
      assert.strictEqual(request?.body, odd)
      assert.strictEqual(request?.contentType, MediaType.ociImageManifest)
      assert.isTrue(request?.url.pathname.endsWith(`/manifests/${sha256(odd)}`))
    }).pipe(Effect.provide(content(created)))
  )

  it.effect("that was pulled has its original bytes, media type and algorithm", () =>
    Effect.gen(function* () {
      const bytes = new TextEncoder().encode("no JSON")
      const mediaType = MediaType.MediaType.make("application/x.example")
      const digest = Digest.Digest.make(`sha512:${createHash("sha512").update(bytes).digest("hex")}`)
      const pulled: Manifest.Content = {
        bytes,
        descriptor: { mediaType, digest, size: bytes.length },
        manifest: Manifest.view(mediaType, "no JSON")
      }
      assert.deepStrictEqual((yield* put(pulled)).descriptor, pulled.descriptor)
      const [request] = yield* Journal
      assert.strictEqual(request?.body, "no JSON")
      assert.strictEqual(request?.contentType, mediaType)
      assert.isTrue(request?.url.pathname.endsWith(`/manifests/${digest}`))
    }).pipe(Effect.provide(content(() => new Response(null, { status: 201 }))))
  )

  it.effect("with several tags is put under each", () =>
    Effect.gen(function* () {
      yield* put(odd, { tag: "a", tags: ["b", "c"], mediaType: "application/x.example+json" })
      const journal = yield* Journal
      assert.deepStrictEqual(
        journal.map(({ contentType, url }) => [url.pathname.split("/").at(-1), contentType]),
        ["a", "b", "c"].map((tag) => [tag, "application/x.example+json"])
      )
    }).pipe(Effect.provide(content(created)))
  )

  it.effect("under several tags, of which one is refused, says which it has", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(
        put(odd, { tags: ["a", "b", "locked", "c"], mediaType: "application/x.example+json" })
      )
      assert.strictEqual(error.completed, `${sha256(odd)} was put as a, b`)
      const first = yield* Effect.flip(put(odd, { tags: ["locked", "c"], mediaType: "application/x.example+json" }))
      assert.isUndefined(first.completed)
    }).pipe(
      Effect.provide(content(({ url }) => new Response(null, { status: url.pathname.endsWith("/locked") ? 405 : 201 })))
    )
  )

  describe("under a sha512 digest and tags", () => {
    const digest = `sha512:${createHash("sha512").update(odd).digest("hex")}`

    /** Stores manifests like distribution: under the name that they are put by and, by a tag, under sha256. */
    const keeping = (accepts: (reference: string) => boolean): Script => {
      const kept = new Set<string>()
      return ({ method, url }) => {
        const reference = url.pathname.split("/").at(-1) ?? ""
        if (method !== "PUT") return new Response(null, { status: kept.has(reference) ? 200 : 404 })
        if (accepts(reference)) kept.add(reference)
        kept.add(sha256(odd))
        const headers = { "docker-content-digest": sha256(odd), "oci-subject": descriptor.digest }
        return new Response(null, { status: 201, headers })
      }
    }

    it.effect("is put by digest, then under each tag, so that the result resolves", () =>
      Effect.gen(function* () {
        const registry = yield* RegistryContent
        const { descriptor: result } = yield* put(odd, { tags: ["a", "b"], algorithm: "sha512" })
        assert.strictEqual(String(result.digest), digest)
        assert.deepStrictEqual(
          (yield* Journal).filter(({ method }) => method === "PUT").map(({ url }) => url.pathname.split("/").at(-1)),
          [digest, "a", "b"]
        )
        const there = yield* Effect.exit(registry.manifest("alpine", result.digest))
        assert.notInclude(String(there), "NotFound")
      }).pipe(Effect.provide(content(keeping(() => true))))
    )

    it.effect("fails if the registry silently stores it under sha256", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* reasonOf(put(odd, { tag: "a", algorithm: "sha512" })), "NotFound")
      }).pipe(Effect.provide(content(keeping((reference) => !reference.startsWith("sha512:")))))
    )
  })

  it.effect("for which the registry states another digest is a mismatch", () =>
    Effect.gen(function* () {
      assert.strictEqual(yield* reasonOf(put(`${odd} `)), "ContentMismatch")
    }).pipe(Effect.provide(content(created)))
  )

  it.effect("without a media type, or with an invalid name, is not sent", () =>
    Effect.gen(function* () {
      for (const attempt of [put("{}"), put("not JSON"), put(odd, { tag: "-x" }), put(odd, { mediaType: "x" })]) {
        assert.strictEqual(yield* reasonOf(attempt), "InvalidRequest")
      }
      assert.deepStrictEqual(yield* Journal, [])
    }).pipe(Effect.provide(content(created)))
  )

  it.effect("of Manifest.image or Manifest.index has the media type of its kind", () =>
    Effect.gen(function* () {
      const made = Manifest.index({ manifests: [{ ...descriptor, mediaType: MediaType.ociImageManifest }] })
      const error = yield* Effect.flip(put(made, { tag: "v1" }))
      const [request] = yield* Journal
      assert.strictEqual(error.reason._tag, "ContentMismatch")
      assert.strictEqual(request?.contentType, MediaType.ociImageIndex)
      assert.strictEqual(request?.body, Manifest.format(made))
    }).pipe(Effect.provide(content(created)))
  )
})
