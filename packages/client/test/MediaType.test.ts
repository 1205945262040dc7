/**
 * Media types: RFC 6838, section 4.2, and the types that the OCI and Docker specifications name.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as MediaType from "../src/MediaType.ts"
import { atOnce } from "./support/atOnce.ts"

/** The characters of ASCII that satisfy a rule. */
const ascii = (rule: (character: string) => boolean): string =>
  Array.from({ length: 128 }, (_, code) => String.fromCharCode(code))
    .filter(rule)
    .join("")

const isMediaType = (text: string): boolean => Result.isSuccess(MediaType.parse(text))

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
const sorted = (characters: string): string => Array.from(characters).toSorted().join("")

describe("a media type", () => {
  it("has a type and a subtype that begin with a letter or a digit", () => {
    assert.strictEqual(
      ascii((character) => isMediaType(`${character}/b`)),
      alphanumeric
    )
    assert.strictEqual(
      ascii((character) => isMediaType(`a/${character}`)),
      alphanumeric
    )
  })

  it("has the other characters of a restricted name after the first", () => {
    const restricted = sorted(`${alphanumeric}!#$&-^_.+`)
    assert.strictEqual(
      ascii((character) => isMediaType(`a${character}/b`)),
      restricted
    )
    assert.strictEqual(
      ascii((character) => isMediaType(`a/b${character}c`)),
      // With one more, after which a parameter follows.
      sorted(`${restricted};`)
    )
  })

  const examples: ReadonlyArray<readonly [string, boolean]> = [
    ["application/vnd.cncf.helm.config.v1+json", true],
    ["application/vnd.cncf.helm.chart.content.v1.tar+gzip", true],
    ["application/vnd.dev.cosign.simplesigning.v1+json", true],
    ["application/vnd.in-toto+json", true],
    ["application/vnd.docker.distribution.manifest.v1+prettyjws", true],
    ["text/html", true],
    ["text/html;charset=utf-8", true],
    ["text/plain; charset=utf-8", true],
    ['multipart/mixed ; boundary="a b"', true],
    ["text/html;", true],
    [`a/b;${"c".repeat(255)}`, true],
    [`a/b;${"c".repeat(256)}`, false],
    ["text/html; charset=utf-8\r\nx-injected: 1", false],
    ["text/html; charset=\u00fc", false],
    ["text/html ", false],
    [" text/html", false],
    ["text/html\r\nx-injected: 1", false],
    ["text/html,text/plain", false],
    ["application/*", false],
    [`${"a".repeat(127)}/${"b".repeat(127)}`, true],
    [`${"a".repeat(128)}/b`, false],
    [`a/${"b".repeat(128)}`, false]
  ]
  it.each(examples)("%j: %s", (text, valid) => {
    assert.strictEqual(isMediaType(text), valid)
  })

  it("has an essence, which has no parameters", () => {
    const essences: ReadonlyArray<readonly [string, string]> = [
      ["text/plain", "text/plain"],
      ["text/plain;", "text/plain"],
      ["text/plain ; charset=utf-8;a=b", "text/plain"]
    ]
    for (const [text, essence] of essences) {
      assert.strictEqual(String(MediaType.essence(MediaType.MediaType.make(text))), essence)
    }
  })

  it("that is refused says what is expected, and does not repeat the input", () => {
    assert.strictEqual(
      Result.match(MediaType.parse("the secret"), { onSuccess: String, onFailure: ({ message }) => message }),
      "Expected a media type: type/subtype"
    )
  })

  it("of the specifications is spelled as there", () => {
    const constants: { readonly [name: string]: string } = {
      ociImageManifest: MediaType.ociImageManifest,
      ociImageIndex: MediaType.ociImageIndex,
      ociImageConfig: MediaType.ociImageConfig,
      ociImageLayer: MediaType.ociImageLayer,
      ociImageLayerGzip: MediaType.ociImageLayerGzip,
      ociImageLayerZstd: MediaType.ociImageLayerZstd,
      ociEmpty: MediaType.ociEmpty,
      dockerManifest: MediaType.dockerManifest,
      dockerManifestList: MediaType.dockerManifestList,
      dockerSchema1Manifest: MediaType.dockerSchema1Manifest,
      dockerSchema1SignedManifest: MediaType.dockerSchema1SignedManifest,
      ociArtifactManifest: MediaType.ociArtifactManifest,
      dockerImageConfig: MediaType.dockerImageConfig,
      dockerImageLayerGzip: MediaType.dockerImageLayerGzip,
      octetStream: MediaType.octetStream
    }
    assert.deepStrictEqual(constants, {
      ociImageManifest: "application/vnd.oci.image.manifest.v1+json",
      ociImageIndex: "application/vnd.oci.image.index.v1+json",
      ociImageConfig: "application/vnd.oci.image.config.v1+json",
      ociImageLayer: "application/vnd.oci.image.layer.v1.tar",
      ociImageLayerGzip: "application/vnd.oci.image.layer.v1.tar+gzip",
      ociImageLayerZstd: "application/vnd.oci.image.layer.v1.tar+zstd",
      ociEmpty: "application/vnd.oci.empty.v1+json",
      dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
      dockerManifestList: "application/vnd.docker.distribution.manifest.list.v2+json",
      dockerSchema1Manifest: "application/vnd.docker.distribution.manifest.v1+json",
      dockerSchema1SignedManifest: "application/vnd.docker.distribution.manifest.v1+prettyjws",
      ociArtifactManifest: "application/vnd.oci.artifact.manifest.v1+json",
      dockerImageConfig: "application/vnd.docker.container.image.v1+json",
      dockerImageLayerGzip: "application/vnd.docker.image.rootfs.diff.tar.gzip",
      octetStream: "application/octet-stream"
    })
  })

  it.prop(
    "is read as it is, and has one slash",
    [MediaType.MediaType],
    ([mediaType]) => {
      assert.deepStrictEqual(MediaType.parse(mediaType), Result.succeed(mediaType))
      assert.strictEqual(mediaType.split("/").length, 2)
    },
    { arbitrary: { seed: 1, runs: 200 } }
  )

  it.each(["a", "a/", "-", "_", "+", "/", "a/b;", "a/b,"])("of a megabyte of %j is refused at once", (piece) => {
    for (const length of [100_000, 1_000_000]) {
      const long = piece.repeat(length / piece.length)
      for (const text of [long, `${long}!`, `a/${long}`, `${long}/b`]) assert.isFalse(atOnce(() => isMediaType(text)))
    }
  })
})
