/**
 * The properties of a manifest in ACR: Azure's description of the management API, version 2021-07-01, and the fields
 * that responses omit or set to `null`.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Digest from "../src/Digest.ts"
import * as Properties from "../src/internal/api/properties.ts"
import { ManifestProperties } from "../src/ManifestProperties.ts"
import * as MediaType from "../src/MediaType.ts"
import * as RepositoryName from "../src/RepositoryName.ts"
import * as Tag from "../src/Tag.ts"
import { atOnce } from "./support/atOnce.ts"

const readManifest = (head: Properties.RecordHead, raw: Schema.JsonObject) =>
  Effect.fromResult(Properties.readManifest(head, raw))

const digest = Digest.Digest.make(`sha256:${"1b".repeat(32)}`)
const other = Digest.Digest.make(`sha256:${"2c".repeat(32)}`)
const repositoryName = RepositoryName.RepositoryName.make("library/hello-world")
const head = { registry: "myregistry.azurecr.io", imageName: repositoryName }

/** The required fields of a record. */
const smallest = {
  digest,
  createdTime: "2023-03-07T02:03:10.5343706Z",
  lastUpdateTime: "2023-03-07T02:03:11Z"
}

/** The properties of a record with only the required fields. */
const least = {
  registryLoginServer: "myregistry.azurecr.io",
  repositoryName,
  digest,
  createdOn: DateTime.makeUnsafe("2023-03-07T02:03:10.534Z"),
  lastUpdatedOn: DateTime.makeUnsafe("2023-03-07T02:03:11.000Z"),
  tags: [],
  relatedArtifacts: [],
  canDelete: true,
  canWrite: true,
  canList: true,
  canRead: true
}

describe("a manifest's record", () => {
  it.effect("of an image is read to the last field", () =>
    Effect.gen(function* () {
      const record = {
        ...smallest,
        imageSize: 5325,
        architecture: "amd64",
        os: "linux",
        mediaType: "application/vnd.docker.distribution.manifest.v2+json",
        configMediaType: "application/vnd.docker.container.image.v1+json",
        tags: ["latest", "v1"],
        changeableAttributes: { deleteEnabled: true, writeEnabled: false, readEnabled: true, listEnabled: true },
        quarantineState: "Passed"
      }
      assert.deepStrictEqual(yield* readManifest(head, record), {
        ...least,
        sizeInBytes: 5325,
        architecture: "amd64",
        operatingSystem: "linux",
        mediaType: MediaType.dockerManifest,
        configMediaType: MediaType.dockerImageConfig,
        tags: [Tag.Tag.make("latest"), Tag.Tag.make("v1")],
        quarantineState: "Passed",
        canWrite: false,
        raw: record
      })
    })
  )

  it.effect("in quarantine is read with the result of its scan", () =>
    Effect.gen(function* () {
      const quarantineDetails = '{"state":"scan failed"}'
      const record = { ...smallest, quarantineState: "Failed", quarantineDetails }
      assert.deepStrictEqual(yield* readManifest(head, record), {
        ...least,
        quarantineState: "Failed",
        quarantineDetails,
        raw: record
      })
    })
  )

  for (const value of [null, "", 0, false, {}, ["Passed"]]) {
    it.effect(`with ${JSON.stringify(value)} for the result of a scan has none, but keeps it`, () =>
      Effect.gen(function* () {
        const record = { ...smallest, quarantineState: value, quarantineDetails: value }
        assert.deepStrictEqual(yield* readManifest(head, record), { ...least, raw: record })
      })
    )
  }

  it.effect("of an index is read with its related artifacts", () =>
    Effect.gen(function* () {
      const record = {
        ...smallest,
        mediaType: "application/vnd.docker.distribution.manifest.list.v2+json",
        references: [
          { digest: other, architecture: "amd64", os: "linux" },
          { digest, architecture: null, os: null, novel: true },
          { digest: other }
        ]
      }
      assert.deepStrictEqual(yield* readManifest(head, record), {
        ...least,
        mediaType: MediaType.dockerManifestList,
        relatedArtifacts: [
          { digest: other, architecture: "amd64", operatingSystem: "linux" },
          { digest },
          { digest: other }
        ],
        raw: record
      })
    })
  )

  it.effect("may have only the required fields", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* readManifest(head, smallest), { ...least, raw: smallest })
    })
  )

  it.effect("may have null in every other field", () =>
    Effect.gen(function* () {
      const record = {
        ...smallest,
        imageSize: null,
        architecture: null,
        os: null,
        mediaType: null,
        configMediaType: null,
        tags: null,
        references: null,
        changeableAttributes: null
      }
      assert.deepStrictEqual(yield* readManifest(head, record), { ...least, raw: record })
    })
  )

  it.effect("may have unset fields as an empty text or 0", () =>
    Effect.gen(function* () {
      const record = {
        ...smallest,
        imageSize: 0,
        architecture: "",
        os: "",
        mediaType: "",
        configMediaType: "",
        references: [{ digest: other, architecture: "", os: "" }],
        changeableAttributes: { deleteEnabled: null }
      }
      const properties = yield* readManifest(head, record)
      assert.deepStrictEqual(properties, { ...least, relatedArtifacts: [{ digest: other }], raw: record })
    })
  )

  it.effect("is kept unchanged: unknown fields, and exact times", () =>
    Effect.gen(function* () {
      const record = { ...smallest, novel: [{ deep: null }], references: [{ digest: other, novel: 1 }] }
      assert.strictEqual((yield* readManifest(head, record)).raw, record)
    })
  )

  const refused = [
    ["digest", null],
    ["digest", "sha256:.."],
    ["createdTime", null],
    ["lastUpdateTime", "soon"],
    ["imageSize", -1],
    ["imageSize", "5325"],
    ["architecture", 64],
    ["os", ["linux"]],
    ["tags", "latest"],
    ["tags", [".."]],
    ["tags", [null]],
    ["references", {}],
    ["references", [{}]],
    ["references", [null]]
  ] as const
  for (const [field, value] of refused) {
    it.effect(`with ${JSON.stringify(value)} for ${field} is refused`, () =>
      Effect.gen(function* () {
        const { message } = yield* Effect.flip(readManifest(head, { ...smallest, [field]: value }))
        assert.include(message, `["${field}"]`)
      })
    )
  }

  for (const mediaType of ["", "json", "application/json\r\nx: y", "a".repeat(1_000_000)]) {
    it.effect(`with ${JSON.stringify(mediaType.slice(0, 40))} for a media type has none, but keeps it`, () =>
      Effect.gen(function* () {
        const properties = yield* readManifest(head, { ...smallest, mediaType, configMediaType: mediaType })
        assert.isUndefined(properties.mediaType)
        assert.isUndefined(properties.configMediaType)
        assert.strictEqual(properties.raw["mediaType"], mediaType)
      })
    )
  }

  for (const piece of ["a", "a/", "-", "_", "sha256:"]) {
    it(`of a megabyte of ${piece} is refused at once`, () => {
      for (const length of [100_000, 1_000_000]) {
        const long = piece.repeat(length / piece.length)
        for (const wrong of [
          { digest: long },
          { createdTime: long },
          { tags: [long] },
          { references: [{ digest: long }] }
        ]) {
          const exit = atOnce(() => Effect.runSyncExit(readManifest(head, { ...smallest, ...wrong })))
          assert.strictEqual(exit._tag, "Failure")
        }
      }
    })
  }

  it("of very many tags is read at once", () => {
    const tags = Array.from({ length: 50_000 }, (_, index) => `v${index}`)
    const properties = atOnce(() => Effect.runSync(readManifest(head, { ...smallest, tags })))
    assert.deepStrictEqual<ReadonlyArray<string>>(properties.tags, tags)
  })
})

describe("a manifest's properties", () => {
  it("for a test need only these fields", () => {
    const time = DateTime.makeUnsafe(0)
    const said = {
      registryLoginServer: "myregistry.azurecr.io",
      repositoryName,
      digest,
      createdOn: time,
      lastUpdatedOn: time,
      tags: [],
      relatedArtifacts: []
    }
    assert.deepStrictEqual(ManifestProperties.make(said), {
      ...said,
      canDelete: true,
      canWrite: true,
      canList: true,
      canRead: true,
      raw: {}
    })
  })
})
