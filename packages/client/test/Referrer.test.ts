/**
 * Manifests as referrers, and the tag of a subject's referrers.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Option from "effect/Option"
import * as Digest from "../src/Digest.ts"
import type * as Manifest from "../src/Manifest.ts"
import * as MediaType from "../src/MediaType.ts"
import * as Referrer from "../src/Referrer.ts"
import { sha256 } from "./support/content.ts"

const subject = { mediaType: MediaType.ociImageManifest, digest: sha256("the subject"), size: 11 }
const spdx = "application/spdx+json"
const config = { mediaType: "application/vnd.example.config+json", digest: sha256("{}"), size: 2 }

const raw = (document: object | string, mediaType: string = MediaType.ociImageManifest): Manifest.Raw => {
  const bytes = new TextEncoder().encode(typeof document === "string" ? document : JSON.stringify(document))
  const digest = Digest.Digest.make(sha256(bytes))
  return { bytes, descriptor: { mediaType: MediaType.MediaType.make(mediaType), digest, size: bytes.length } }
}

/** A manifest as a referrer, without the digest and the size, which are those of its own descriptor. */
const read = (document: object | string, mediaType?: string) => {
  const manifest = raw(document, mediaType)
  return Option.map(Referrer.fromManifest(manifest), ({ descriptor, subject }) => {
    const { digest, size, ...said } = descriptor
    assert.deepStrictEqual({ digest, size }, { digest: manifest.descriptor.digest, size: manifest.descriptor.size })
    return { subject, ...said }
  })
}

describe("a manifest with a subject", () => {
  it("is a referrer with its artifact type and its annotations", () => {
    const annotations = { created: "today" }
    assert.deepStrictEqual<unknown>(
      read({ subject, artifactType: spdx, config, annotations }),
      Option.some({ subject: subject.digest, mediaType: MediaType.ociImageManifest, artifactType: spdx, annotations })
    )
  })

  for (const mediaType of [
    MediaType.ociImageManifest,
    MediaType.ociImageIndex,
    MediaType.ociArtifactManifest,
    MediaType.orasArtifactManifest
  ]) {
    it(`is a referrer as ${mediaType}`, () => {
      assert.deepStrictEqual<unknown>(
        read({ subject, artifactType: spdx }, mediaType),
        Option.some({ subject: subject.digest, mediaType, artifactType: spdx })
      )
    })
  }

  it("is recognized by its type, without parameters and in any case", () => {
    const mediaType = "Application/vnd.oci.image.index.v1+json"
    assert.deepStrictEqual<unknown>(
      read({ subject }, `${mediaType}; charset=utf-8`),
      Option.some({ subject: subject.digest, mediaType })
    )
  })

  it("without an artifact type has that of its configuration if it is an image, and none if it is an index", () => {
    assert.strictEqual<unknown>(Option.getOrThrow(read({ subject, config })).artifactType, config.mediaType)
    assert.isUndefined(Option.getOrThrow(read({ subject, config }, MediaType.ociImageIndex)).artifactType)
  })

  it("has an artifact type that is only a word as other clients list it", () => {
    assert.strictEqual<unknown>(
      Option.getOrThrow(read({ subject, config, artifactType: "report" })).artifactType,
      "report"
    )
  })

  const odd: ReadonlyArray<readonly [what: string, fields: object]> = [
    ["an artifact type that is none", { artifactType: "no type" }],
    ["an artifact type that is no text", { artifactType: 7 }],
    ["a configuration that is none", { config: "{}" }],
    ["a configuration of no type", { config: { mediaType: 7 } }],
    ["annotations that are none", { annotations: "many" }],
    ["an annotation that is no text", { annotations: { created: "today", count: 7 } }],
    ["no annotations", { annotations: null }],
    ["empty annotations", { annotations: {} }],
    ["layers that are none", { layers: 7 }]
  ]
  for (const [what, fields] of odd) {
    it(`and ${what} is a referrer without them`, () => {
      assert.deepStrictEqual<unknown>(
        read({ subject, ...fields }),
        Option.some({ subject: subject.digest, mediaType: MediaType.ociImageManifest })
      )
    })
  }
})

describe("no referrer is", () => {
  const none: ReadonlyArray<readonly [what: string, document: object | string, mediaType?: string]> = [
    ["a manifest without a subject", { config }],
    ["a manifest with null as its subject", { subject: null }],
    ["a manifest whose subject has no digest", { subject: { size: 1 } }],
    ["a manifest whose subject has a digest that is none", { subject: { ...subject, digest: "sha256:0" } }],
    ["a manifest of docker's, which has no subject", { subject }, MediaType.dockerManifest],
    ["a list of docker's", { subject }, MediaType.dockerManifestList],
    ["something else", { subject }, "application/json"],
    ["a text that is no JSON", "{"],
    ["a list", []]
  ]
  for (const [what, document, mediaType] of none) {
    it(what, () => {
      assert.deepStrictEqual<unknown>(read(document, mediaType), Option.none())
    })
  }
})

describe("the tag of referrers", () => {
  it("is made of the algorithm and the hash", () => {
    const digest = Digest.Digest.make(sha256("the subject"))
    assert.strictEqual<string>(Referrer.tag(digest), digest.replace(":", "-"))
  })

  it("is cut where a hash has more than 64 digits", () => {
    const digest = Digest.Digest.make(`sha512:${"0123456789abcdef".repeat(8)}`)
    assert.strictEqual<string>(Referrer.tag(digest), `sha512-${"0123456789abcdef".repeat(4)}`)
  })

  it("is recognised, and names its subject unless it has half of the hash", () => {
    const digest = Digest.Digest.make(sha256("the subject"))
    const tag = Referrer.tag(digest)
    const half = Referrer.tag(Digest.Digest.make(`sha512:${"0123456789abcdef".repeat(8)}`))
    assert.deepStrictEqual([tag, half, `${tag}.sig`, "v1"].map(Referrer.isTag), [true, true, false, false])
    assert.deepStrictEqual(Referrer.taggedSubject(tag), Option.some(digest))
    assert.deepStrictEqual(Referrer.taggedSubject(half), Option.none())
    assert.deepStrictEqual(Referrer.taggedSubject("v1"), Option.none())
  })

  it("may name a list if it names an index, and not by its own digest", () => {
    const index = { digest: Digest.Digest.make(sha256("the list")), mediaType: MediaType.ociImageIndex }
    const tag = Referrer.tag(Digest.Digest.make(sha256("the subject")))
    assert.isTrue(Referrer.mayBeList(tag, index))
    assert.isFalse(Referrer.mayBeList(tag, { ...index, mediaType: MediaType.ociImageManifest }))
    assert.isFalse(Referrer.mayBeList("v1", index))
    assert.isFalse(Referrer.mayBeList(Referrer.tag(index.digest), index))
  })
})
