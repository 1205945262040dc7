/**
 * Descriptors: OCI image specification, descriptor.md.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Descriptor from "../src/Descriptor.ts"
import * as Digest from "../src/Digest.ts"
import * as MediaType from "../src/MediaType.ts"
import { atOnce } from "./support/atOnce.ts"

const Json = Schema.fromJsonString(Descriptor.Descriptor)
const decode = Schema.decodeUnknownResult(Json)
const encode = Schema.encodeSync(Json)

/** The empty descriptor of the specification: the content `{}`. */
const empty = {
  mediaType: "application/vnd.oci.empty.v1+json",
  digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
  size: 2,
  data: "e30="
}

describe("a descriptor", () => {
  it("has the fields of the specification, and keeps unknown ones at any depth", () => {
    const written = {
      ...empty,
      urls: ["https://example.com/layer", "not a url"],
      annotations: { "org.opencontainers.image.title": "a file" },
      artifactType: "application/vnd.example+json",
      platform: { architecture: "arm64", os: "linux", "os.features": [], novel: [1] },
      "org.example.novel": { deep: [null, { one: 1.5 }] },
      novel: null
    }
    const descriptor = Result.getOrThrow(decode(JSON.stringify(written)))
    assert.deepStrictEqual<object>(descriptor, written)
    assert.deepStrictEqual<unknown>(JSON.parse(encode(descriptor)), written)
  })

  it("reads null as absent", () => {
    const { data: _, ...required } = empty
    const written = { urls: null, annotations: null, data: null, platform: null, artifactType: null, ...required }
    assert.deepStrictEqual(
      decode(JSON.stringify(written)),
      Result.succeed({
        mediaType: MediaType.ociEmpty,
        digest: Digest.Digest.make(empty.digest),
        size: 2
      })
    )
  })

  it.each([0, 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER])("may be of %d bytes", (size) => {
    const descriptor = Result.getOrThrow(decode(JSON.stringify({ ...empty, size })))
    assert.strictEqual(descriptor.size, size)
  })

  const refused: ReadonlyArray<readonly [string, string, unknown]> = [
    ["size", "-1", -1],
    ["size", "1.5", 1.5],
    ["size", "a text", "2"],
    ["size", "null", null],
    ["size", "more than a number can count", Number.MAX_SAFE_INTEGER + 1],
    ["digest", "null", null],
    ["digest", "of an unknown algorithm", `blake3:${"a".repeat(64)}`],
    ["digest", "that is a path", "sha256:../../etc/passwd"],
    ["mediaType", "empty", ""],
    ["mediaType", "null", null],
    ["mediaType", "of two lines", "application/json; charset=utf-8\n"],
    ["mediaType", "of two words", "a layer"],
    ["artifactType", "of two words", "a layer"],
    ["urls", "a text", "https://example.com"],
    ["urls", "a list of null", [null]],
    ["annotations", "a list", []],
    ["annotations", "of numbers", { a: 1 }],
    ["data", "a number", 1],
    ["platform", "a text", "linux/amd64"]
  ]
  it.each(refused)("whose %s is %s is refused", (field, _, value) => {
    assert.isTrue(Result.isFailure(decode(JSON.stringify({ ...empty, [field]: value }))))
  })

  it.each(["mediaType", "artifactType"])("may have a %s that is only a word, which other clients write", (field) => {
    const written = { ...empty, [field]: "layer; v=1" }
    const descriptor = Result.getOrThrow(decode(JSON.stringify(written)))
    assert.deepStrictEqual<object>(descriptor, written)
    assert.include(["layer", empty.mediaType], MediaType.essence(descriptor.mediaType))
  })

  it.each(["mediaType", "digest", "size"])("without %s is refused", (field) => {
    assert.isTrue(Result.isFailure(decode(JSON.stringify({ ...empty, [field]: undefined }))))
  })

  it.each(["", "null", "[]", "1", '"a"', "{", "{}"])("that is %j is refused", (text) => {
    assert.isTrue(Result.isFailure(decode(text)))
  })

  it.prop(
    "is read as it was written",
    [
      Schema.Struct({
        mediaType: MediaType.MediaType,
        digest: Digest.Digest,
        size: Schema.Natural,
        urls: Schema.optionalKey(Schema.Array(Schema.String)),
        annotations: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
        artifactType: Schema.optionalKey(MediaType.MediaType)
      })
    ],
    ([descriptor]) => {
      assert.deepStrictEqual(decode(encode(descriptor)), Result.succeed(descriptor))
    },
    { arbitrary: { seed: 1, runs: 200 } }
  )

  it.each(["a/", "a", "-", "_", "sha256:", '"', "\\"])(
    "with a megabyte of %j in each field is read at once",
    (piece) => {
      for (const length of [100_000, 1_000_000]) {
        const long = piece.repeat(length / piece.length)
        for (const field of ["mediaType", "digest", "artifactType"]) {
          assert.isTrue(Result.isFailure(atOnce(() => decode(JSON.stringify({ ...empty, [field]: long })))))
        }
        const descriptor = atOnce(() => decode(JSON.stringify({ ...empty, data: long, urls: [long] })))
        assert.strictEqual(Result.getOrThrow(descriptor).data, long)
      }
    }
  )
})
