/**
 * Seeds of images and other artifacts: what is in the registry afterwards, as requests show it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as Tar from "effect/encoding/Tar"
import * as HttpBody from "effect/http/HttpBody"
import { TestClock } from "effect/testing"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import * as SeedImage from "../src/SeedImage.ts"
import { ask, askAsAdmin, emulator } from "./support/ask.ts"
import { digestOf } from "./support/content.ts"
import { folder } from "./support/folder.ts"

const Document = Schema.fromJsonString(
  Schema.StructWithRest(
    Schema.Struct({
      mediaType: Schema.optionalKey(Schema.String),
      artifactType: Schema.optionalKey(Schema.String),
      subject: Schema.optionalKey(Schema.Struct({ digest: Schema.String })),
      annotations: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
      config: Schema.optionalKey(Schema.Struct({ mediaType: Schema.String, digest: Schema.String })),
      layers: Schema.optionalKey(
        Schema.Array(
          Schema.Struct({
            mediaType: Schema.String,
            digest: Schema.String,
            size: Schema.Natural,
            annotations: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
          })
        )
      ),
      manifests: Schema.optionalKey(
        Schema.Array(
          Schema.Struct({
            mediaType: Schema.String,
            digest: Schema.String,
            artifactType: Schema.optionalKey(Schema.String),
            platform: Schema.optionalKey(
              Schema.Struct({
                os: Schema.String,
                architecture: Schema.String,
                variant: Schema.optionalKey(Schema.String)
              })
            ),
            annotations: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
          })
        )
      )
    }),
    [Schema.Record(Schema.String, Schema.Unknown)]
  )
)

const decodeDocument = Schema.decodeEffect(Document)

const read = (path: string) =>
  Effect.flatMap(askAsAdmin("GET", path), ({ status, text }) => {
    assert.strictEqual(status, 200, `${path}: ${text}`)
    return decodeDocument(text)
  })

const manifest = (reference: string, repository = "a") => read(`/v2/${repository}/manifests/${reference}`)

const referrersOf = (digest: string) => Effect.map(read(`/v2/a/referrers/${digest}`), ({ manifests = [] }) => manifests)

/** The bytes of a blob, which the registry serves itself. */
const blob = (digest: string | undefined, repository = "a") =>
  Effect.map(askAsAdmin("GET", `/v2/${repository}/blobs/${digest}`), ({ text }) => text)

const properties = (path: string) => Effect.map(askAsAdmin("GET", `/acr/v1/${path}`), ({ text }) => text)

const Emulator = emulator({ blobs: "direct" })

const seed = (image: SeedImage.SeedImage) => Effect.flatMap(AcrEmulator.AcrEmulator, (service) => service.seed(image))

const failureOf = (image: SeedImage.SeedImage) =>
  Effect.map(Effect.flip(seed(image)), (error) => {
    assert.strictEqual(error._tag, "SeedError")
    return error.message
  })

/** Names in an archive, as a container tool unpacks it. */
const namesIn = (content: string) =>
  Stream.succeed(new TextEncoder().encode(content)).pipe(
    Stream.pipeThroughChannel(Tar.decode<never>()),
    Stream.mapEffect(({ body, header }) => Effect.as(Stream.runDrain(body), header.path)),
    Stream.runCollect
  )

const release: SeedImage.SeedImage = {
  repository: "a",
  tags: ["1.4.0", "latest"],
  platforms: ["linux/amd64", "linux/arm/v7"],
  layers: [{ sizeInBytes: 100_001 }, { files: { "b/c.txt": "c", a: "a" } }, "as it is"],
  labels: { version: "1.4.0" },
  env: { MODE: "test" },
  entrypoint: ["/app", "serve"],
  annotations: { note: "of the index" },
  attestations: true,
  signatures: ["cosign-tag", "cosign-bundle"],
  referrers: [
    {
      artifactType: "application/spdx+json",
      layers: [{ title: "sbom.json", content: "{}", mediaType: "application/json" }],
      annotations: { note: "of the SBOM" },
      referrers: [{ artifactType: "application/vnd.contoso.signature" }]
    }
  ]
}

const digests = (millis: number) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(millis)
    return yield* Effect.forEach([release, { repository: "a", tags: ["v1"], pushedAt: Duration.hours(1) }], seed)
  }).pipe(Effect.provide(Emulator))

const problemOf = (json: unknown) =>
  Result.match(SeedImage.decode(json), {
    onSuccess: () => "none",
    onFailure: ({ message }) => message
  })

describe("a seed", () => {
  it.effect("is one small image if it has only a name", () =>
    Effect.gen(function* () {
      const digest = yield* seed({ repository: "a", tags: ["v1"] })
      const { config, layers = [], mediaType } = yield* manifest("v1")
      assert.strictEqual(mediaType, "application/vnd.oci.image.manifest.v1+json")
      assert.lengthOf(layers, 1)
      assert.isBelow(layers[0]?.size ?? 0, 4096)
      assert.deepStrictEqual(yield* namesIn(yield* blob(layers[0]?.digest)), ["seed.txt"])
      assert.include(yield* blob(config?.digest), '"architecture":"amd64"')
      assert.strictEqual(digestOf((yield* askAsAdmin("GET", "/v2/a/manifests/v1")).text), digest)
    }).pipe(Effect.provide(Emulator))
  )

  it.effect("can be a release", () =>
    Effect.gen(function* () {
      const digest = yield* seed(release)
      const index = yield* manifest("1.4.0")
      assert.deepStrictEqual(index.annotations, { note: "of the index" })
      const { manifests: [amd64, arm, first, second] = [] } = index
      assert.deepStrictEqual(
        [amd64?.platform, arm?.platform],
        [
          { os: "linux", architecture: "amd64" },
          { os: "linux", architecture: "arm", variant: "v7" }
        ]
      )
      assert.deepStrictEqual(
        [first, second].map((entry) => [entry?.platform?.architecture, entry?.annotations]),
        [amd64, arm].map((entry) => [
          "unknown",
          {
            "vnd.docker.reference.digest": entry?.digest ?? "",
            "vnd.docker.reference.type": "attestation-manifest"
          }
        ])
      )
      const statement = (yield* manifest(first?.digest ?? "")).layers?.[0]
      assert.strictEqual(statement?.mediaType, "application/vnd.in-toto+json")
      assert.include(yield* blob(statement?.digest), amd64?.digest.replace("sha256:", "") ?? "?")

      const { config, layers = [] } = yield* manifest(arm?.digest ?? "")
      assert.deepStrictEqual(
        layers.map(({ size }) => size),
        [100_001, 4 * 512 + 1024, 8]
      )
      assert.deepStrictEqual(yield* namesIn(yield* blob(layers[1]?.digest)), ["a", "b/c.txt"])
      assert.strictEqual(yield* blob(layers[2]?.digest), "as it is")
      const described = yield* blob(config?.digest)
      for (const part of ['"variant":"v7"', '{"version":"1.4.0"}', '["MODE=test"]', '["/app","serve"]']) {
        assert.include(described, part)
      }

      const tag = `sha256-${digest.replace("sha256:", "")}.sig`
      const signature = (yield* manifest(tag)).layers?.[0]
      assert.strictEqual(signature?.mediaType, "application/vnd.dev.cosign.simplesigning.v1+json")
      assert.include(yield* blob(signature?.digest), digest)

      const [bundle, sbom, ...others] = yield* referrersOf(digest)
      assert.deepStrictEqual(others, [])
      assert.strictEqual(bundle?.artifactType, "application/vnd.dev.sigstore.bundle.v0.3+json")
      assert.deepStrictEqual(
        [sbom?.artifactType, sbom?.annotations],
        ["application/spdx+json", { note: "of the SBOM" }]
      )
      const { layers: files = [] } = yield* manifest(sbom?.digest ?? "")
      assert.deepStrictEqual(files[0]?.annotations, { "org.opencontainers.image.title": "sbom.json" })
      assert.deepStrictEqual(
        (yield* referrersOf(sbom?.digest ?? "")).map(({ artifactType }) => artifactType),
        ["application/vnd.contoso.signature"]
      )
    }).pipe(Effect.provide(Emulator))
  )

  it.effect("can be an artifact that is no image, and an image in Docker's format", () =>
    Effect.gen(function* () {
      yield* seed({
        repository: "a",
        tags: ["chart"],
        artifactType: "application/vnd.contoso.chart",
        layers: [{ sizeInBytes: 3000 }, new Uint8Array([0xff])]
      })
      const { artifactType, config, layers = [] } = yield* manifest("chart")
      assert.deepStrictEqual(
        [artifactType, config?.mediaType],
        ["application/vnd.contoso.chart", "application/vnd.oci.empty.v1+json"]
      )
      assert.deepStrictEqual(
        layers.map(({ mediaType, size }) => [mediaType, size]),
        [
          ["application/octet-stream", 3000],
          ["application/octet-stream", 1]
        ]
      )

      yield* seed({ repository: "a", tags: ["list"], format: "docker", platforms: ["linux/amd64", "linux/arm64"] })
      const { manifests = [], mediaType } = yield* manifest("list")
      assert.strictEqual(mediaType, "application/vnd.docker.distribution.manifest.list.v2+json")
      const image = yield* manifest(manifests[0]?.digest ?? "")
      assert.deepStrictEqual(
        [image.mediaType, image.config?.mediaType, image.layers?.[0]?.mediaType],
        [
          "application/vnd.docker.distribution.manifest.v2+json",
          "application/vnd.docker.container.image.v1+json",
          "application/vnd.docker.image.rootfs.diff.tar"
        ]
      )
    }).pipe(Effect.provide(Emulator))
  )

  it.effect("locks its tags, its manifest and its repository, and what was unlocked since stays so", () =>
    Effect.gen(function* () {
      const locked: SeedImage.SeedImage = {
        repository: "a",
        tags: ["v1"],
        locks: { tags: { deleteEnabled: false }, manifest: { writeEnabled: false }, repository: { listEnabled: false } }
      }
      const digest = yield* seed(locked)
      assert.include(yield* properties("a/_tags/v1"), '"deleteEnabled":false,"writeEnabled":true')
      assert.include(yield* properties(`a/_manifests/${digest}`), '"deleteEnabled":true,"writeEnabled":false')
      assert.include(yield* properties("a"), '"listEnabled":false')

      for (const path of ["a/_tags/v1", `a/_manifests/${digest}`, "a"]) {
        const body = '{"deleteEnabled":true,"writeEnabled":true,"listEnabled":true}'
        assert.strictEqual((yield* askAsAdmin("PATCH", `/acr/v1/${path}`, { body })).status, 200)
      }
      yield* seed(locked)
      for (const path of ["a/_tags/v1", `a/_manifests/${digest}`, "a"]) {
        assert.notMatch(yield* properties(path), /Enabled":false/)
      }
    }).pipe(Effect.provide(Emulator))
  )

  it.effect("was pushed at a time, or so long before now", () =>
    Effect.gen(function* () {
      yield* TestClock.setTime(Date.parse("2026-03-04T00:00:00Z"))
      yield* seed({ repository: "a", tags: ["at"], pushedAt: DateTime.makeUnsafe("2026-01-02T03:04:05Z") })
      assert.include(yield* properties("a/_tags/at"), '"lastUpdateTime":"2026-01-02T03:04:05.')
      yield* seed({ repository: "a", tags: ["ago"], pushedAt: Duration.days(3) })
      assert.include(yield* properties("a/_tags/ago"), '"createdTime":"2026-03-01T00:00:00.')
      yield* seed({ repository: "a", tags: ["now"] })
      assert.include(yield* properties("a/_tags/now"), '"createdTime":"2026-03-04T00:00:00.')
    }).pipe(Effect.provide(Emulator))
  )
})

describe("the digests of seeds", () => {
  it.effect("are the same at any time, and on any machine", () =>
    Effect.gen(function* () {
      const found = yield* digests(1e12)
      assert.deepStrictEqual(yield* digests(2e12), found)
      assert.deepStrictEqual(found.map(String), [
        "sha256:3228eb9eac5470cdd4aa277c24f63dcf2fe768b227ae2901434844ab82a156cb",
        "sha256:c32b5bf49f3441d5c8777b412b20fcfa7edeb333ee72bc6f9642d4694045a1c9"
      ])
    })
  )

  it.effect("differ by repository, tags and platform, unless the layers are given", () =>
    Effect.gen(function* () {
      const small = [
        { repository: "a", tags: ["v1"] },
        { repository: "a", tags: ["v2"] },
        { repository: "b", tags: ["v1"] },
        { repository: "a", tags: ["v1"], platforms: ["linux/arm64"], onTag: "overwrite" as const },
        { repository: "a", tags: ["v3"], layers: [{ sizeInBytes: 5000 }] },
        { repository: "a", tags: ["v4"], layers: [{ sizeInBytes: 5000 }] }
      ]
      const found = yield* Effect.forEach(small, seed)
      assert.strictEqual(new Set(found).size, small.length)
      const layers = ["promoted"]
      assert.strictEqual(
        yield* seed({ repository: "staging", tags: ["v1"], layers }),
        yield* seed({ repository: "production", tags: ["stable"], layers })
      )
    }).pipe(Effect.provide(Emulator))
  )
})

describe("seeding what is there", () => {
  const everything = Effect.gen(function* () {
    const paths = ["a", "a/_tags", "a/_manifests"]
    const { loginServer } = yield* AcrEmulator.AcrEmulator
    const found = yield* Effect.forEach(paths, properties)
    return found.map((text) => text.replaceAll(loginServer, "registry"))
  })

  it.effect("changes nothing, also in a folder that was kept", () =>
    Effect.gen(function* () {
      const directory = yield* folder
      const Kept = emulator({ directory, blobs: "direct" })
      const before = yield* Effect.gen(function* () {
        yield* seed(release)
        const once = yield* everything
        yield* TestClock.adjust("1 hour")
        yield* seed(release)
        assert.deepStrictEqual(yield* everything, once)
        return once
      }).pipe(Effect.provide(Kept))
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(yield* Effect.andThen(seed(release), everything).pipe(Effect.provide(Kept)), before)
    })
  )

  it.effect("leaves a tag that names another image by now, and does not bring back what it named", () =>
    Effect.gen(function* () {
      const image = { repository: "a", tags: ["v1"] }
      const digest = yield* seed(image)
      const other = yield* seed({ repository: "a", tags: ["other"] })
      const pushed = yield* askAsAdmin("GET", "/v2/a/manifests/other")
      const put = yield* askAsAdmin("PUT", "/v2/a/manifests/v1", {
        body: HttpBody.text(pushed.text, "application/vnd.oci.image.manifest.v1+json")
      })
      assert.strictEqual(put.status, 201)
      assert.strictEqual((yield* askAsAdmin("DELETE", `/v2/a/manifests/${digest}`)).status, 202)
      const before = yield* everything
      assert.strictEqual(yield* seed(image), digest)
      assert.deepStrictEqual(yield* everything, before)

      assert.strictEqual(yield* seed({ ...image, onTag: "overwrite" }), digest)
      assert.include(yield* properties("a/_tags/v1"), digest)
      assert.notInclude(yield* properties("a/_tags/v1"), other)
    }).pipe(Effect.provide(Emulator))
  )

  it.effect("adds the tags and the referrers that are missing", () =>
    Effect.gen(function* () {
      const layers = ["one"]
      const digest = yield* seed({ repository: "a", tags: ["v1"], layers })
      yield* seed({
        repository: "a",
        tags: ["v1", "v2"],
        layers,
        referrers: [{ artifactType: "application/vnd.contoso.report" }]
      })
      assert.include(yield* properties("a/_tags/v2"), digest)
      assert.lengthOf(yield* referrersOf(digest), 1)

      const other = yield* seed({ repository: "a", tags: ["v2", "v3"], layers: ["another"] })
      assert.include(yield* properties("a/_tags/v2"), digest)
      assert.include(yield* properties("a/_tags/v3"), other)
    }).pipe(Effect.provide(Emulator))
  )

  it.effect("restores what is in the trash", () =>
    Effect.gen(function* () {
      const digest = yield* seed(release)
      assert.strictEqual((yield* askAsAdmin("DELETE", "/acr/v1/a")).status, 202)
      assert.strictEqual(yield* seed(release), digest)
      assert.include(yield* properties("a/_tags/latest"), digest)
      assert.lengthOf(yield* referrersOf(digest), 2)
    }).pipe(Effect.provide(emulator({ blobs: "direct", softDelete: {} })))
  )
})

describe("a seed that cannot be", () => {
  it.effect("is named with its problem", () =>
    Effect.gen(function* () {
      assert.match(
        yield* failureOf({ repository: "No/Name", tags: ["v1"] }),
        /^cannot seed No\/Name:v1: Expected a repository name[^]*at \["repository"\]$/
      )
      assert.match(yield* failureOf({ repository: "a", tags: ["no tag"] }), /a tag: [^]*at \["tags"\]\[0\]$/)
      assert.match(yield* failureOf({ repository: "a", platforms: ["linux"] }), /a platform: [^]*"platforms"/)
      assert.match(yield* failureOf({ repository: "a", platforms: [] }), /at least one platform/)
      assert.match(yield* failureOf({ repository: "a", layers: [{}] }), /one of content, sizeInBytes and files/)
      assert.match(
        yield* failureOf({ repository: "a", artifactType: "a/b", labels: {} }),
        /an artifact, which has an artifactType, without labels/
      )
      assert.match(yield* failureOf({ repository: "a", format: "docker", attestations: true }), /without attestations/)
      assert.match(yield* failureOf({ repository: "a", layers: [{ files: { "": "nameless" } }] }), /^cannot seed a: ./)
      assert.match(yield* failureOf({ repository: "a", pushedAt: Duration.infinity }), /a finite duration/)
      assert.strictEqual((yield* ask("GET", "/v2/")).status, 401)
    }).pipe(Effect.provide(Emulator))
  )

  it.effect("is refused by a repository that is locked", () =>
    Effect.gen(function* () {
      yield* seed({ repository: "a", tags: ["v1"], locks: { repository: { writeEnabled: false } } })
      assert.match(
        yield* failureOf({ repository: "a", tags: ["v2"] }),
        /^cannot seed a:v2: the registry refuses it: 405 /
      )
      yield* seed({ repository: "b", tags: ["v1"], locks: { tags: { writeEnabled: false } } })
      assert.match(
        yield* failureOf({ repository: "b", tags: ["v1"], layers: ["new"], onTag: "overwrite" }),
        /the tag v1 is locked/
      )
    }).pipe(Effect.provide(Emulator))
  )
})

describe("a seed in JSON", () => {
  it("has texts for times and bytes", () => {
    const json = {
      repository: "a",
      layers: ["text", { base64: "/w==" }, { content: { base64: "/w==" }, title: "b" }, { sizeInBytes: 7 }]
    }
    const bytes = new Uint8Array([0xff])
    const layers = ["text", bytes, { content: bytes, title: "b" }, { sizeInBytes: 7 }]
    for (const [pushedAt, expected] of [
      ["2026-01-02T03:04:05Z", DateTime.makeUnsafe("2026-01-02T03:04:05Z")],
      ["2026-01-02T03:04:05+01:00", DateTime.makeUnsafe("2026-01-02T02:04:05Z")],
      ["3 days", Duration.days(3)]
    ] as const) {
      const decoded = Result.getOrThrow(SeedImage.decode({ ...json, pushedAt }))
      assert.deepStrictEqual(decoded, { repository: "a", layers, pushedAt: expected })
      const again = SeedImage.decode(JSON.parse(JSON.stringify(Schema.encodeSync(SeedImage.Seed)(decoded))))
      assert.deepStrictEqual(Result.getOrThrow(again), decoded)
    }
    assert.deepStrictEqual(Result.getOrThrow(SeedImage.decode({ from: "images", repository: "a" })), {
      from: "images",
      repository: "a"
    })
  })

  it("is read to the end of what it nests", () => {
    const referrers = [{ artifactType: "a/b", referrers: [{ artifactType: "c/d" }] }]
    assert.deepStrictEqual(Result.getOrThrow(SeedImage.decode({ repository: "a", referrers })), {
      repository: "a",
      referrers
    })
  })

  it("writes how long ago it was pushed as a person does", () => {
    assert.strictEqual(Schema.encodeSync(SeedImage.PushedAt)(Duration.days(30)), "30 days")
  })

  it("names a key that is misspelt, and a value that is wrong", () => {
    assert.match(
      problemOf({ repository: "a", tagz: [] }),
      /^cannot seed a: tagz: there is no such key; tags is the nearest/
    )
    assert.match(problemOf({ repository: "a", layers: [{ sizeInByte: 3 }] }), /layers\[0\]\.sizeInByte: /)
    assert.match(
      problemOf({ repository: "a", referrers: [{ artifactType: "a/b", annotation: {} }] }),
      /referrers\[0\]\.annotation: /
    )
    assert.match(problemOf({ repository: "a", locks: { tag: {} } }), /locks\.tag: /)
    assert.match(problemOf({ from: "x", repo: "a" }), /^cannot seed x: repo: /)
    assert.match(problemOf({ tags: ["v1"] }), /^cannot seed an image without a repository:v1: repository: is missing/)
    assert.match(problemOf(7), /^cannot seed an image without a name: Expected object/)
    for (const pushedAt of ["soon", "-3 days", "Infinity", "2026-13-01T00:00:00Z", 7]) {
      assert.match(problemOf({ repository: "a", pushedAt }), /^cannot seed a: pushedAt: Expected /)
    }
    assert.include(problemOf({ repository: "a", pushedAt: "soon" }), "a duration before now such as 3 days")
  })
})
