/**
 * The properties of a repository in ACR: Azure's description of the management API, version 2021-07-01.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as RepositoryName from "../src/RepositoryName.ts"
import * as Properties from "../src/internal/api/properties.ts"
import { RepositoryProperties } from "../src/RepositoryProperties.ts"
import { atOnce } from "./support/atOnce.ts"

const readRepository = (raw: Schema.JsonObject) => Effect.fromResult(Properties.readRepository(raw))

const record = {
  registry: "myregistry.azurecr.io",
  imageName: "library/hello-world",
  createdTime: "2023-03-07T02:03:10.5343706Z",
  lastUpdateTime: "2023-11-24T23:59:59.9999999Z",
  manifestCount: 11,
  tagCount: 3,
  changeableAttributes: { deleteEnabled: false, writeEnabled: true, readEnabled: false, listEnabled: true }
}

const name = RepositoryName.RepositoryName.make("library/hello-world")

describe("a repository's record", () => {
  it.effect("is read to the last field", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* readRepository(record), {
        registryLoginServer: "myregistry.azurecr.io",
        name,
        createdOn: DateTime.makeUnsafe("2023-03-07T02:03:10.534Z"),
        lastUpdatedOn: DateTime.makeUnsafe("2023-11-24T23:59:59.999Z"),
        manifestCount: 11,
        tagCount: 3,
        canDelete: false,
        canWrite: true,
        canList: true,
        canRead: false,
        raw: record
      })
    })
  )

  it.effect("is kept unchanged: unknown fields, and exact times", () =>
    Effect.gen(function* () {
      const wire = {
        ...record,
        novel: [{ deep: null }],
        changeableAttributes: { quarantineState: "Passed", teleportEnabled: false }
      }
      const properties = yield* readRepository(wire)
      assert.strictEqual(properties.raw, wire)
      assert.strictEqual(properties.raw["createdTime"], "2023-03-07T02:03:10.5343706Z")
      assert.deepInclude(properties, { canDelete: true, canWrite: true, canList: true, canRead: true })
    })
  )

  const times: ReadonlyArray<readonly [string, string]> = [
    ["2023-03-07T02:03:10Z", "2023-03-07T02:03:10.000Z"],
    ["2023-03-07T02:03:10.5Z", "2023-03-07T02:03:10.500Z"],
    ["2023-03-07T02:03:10.53437069Z", "2023-03-07T02:03:10.534Z"],
    ["2023-03-07T02:03:10.5343706+00:00", "2023-03-07T02:03:10.534Z"],
    ["2023-03-07T02:03:10.5343706+05:30", "2023-03-06T20:33:10.534Z"],
    // Without a zone it is in UTC, wherever this program runs.
    ["2023-03-07T02:03:10.5343706", "2023-03-07T02:03:10.534Z"],
    ["2023-07-07T02:03:10", "2023-07-07T02:03:10.000Z"],
    ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59.9999999Z", "9999-12-31T23:59:59.999Z"]
  ]
  for (const [written, read] of times) {
    it.effect(`of ${written} is of ${read}`, () =>
      Effect.gen(function* () {
        const { createdOn, lastUpdatedOn } = yield* readRepository({
          ...record,
          createdTime: written,
          lastUpdateTime: written
        })
        assert.strictEqual(DateTime.formatIso(createdOn), read)
        assert.strictEqual(DateTime.formatIso(lastUpdatedOn), read)
      })
    )
  }

  for (const changeableAttributes of [null, {}, { deleteEnabled: null, writeEnabled: null, readEnabled: null }]) {
    it.effect(`with ${JSON.stringify(changeableAttributes)} for attributes allows everything`, () =>
      Effect.gen(function* () {
        const properties = yield* readRepository({ ...record, changeableAttributes })
        assert.deepInclude(properties, { canDelete: true, canWrite: true, canList: true, canRead: true })
      })
    )
  }

  for (const missing of [
    "registry",
    "imageName",
    "createdTime",
    "lastUpdateTime",
    "manifestCount",
    "tagCount"
  ] as const) {
    it.effect(`without ${missing} is refused`, () =>
      Effect.gen(function* () {
        const { [missing]: _, ...rest } = record
        const { message } = yield* Effect.flip(readRepository(rest))
        assert.strictEqual(message, `Missing key\n  at ["${missing}"]`)
        yield* Effect.flip(readRepository({ ...record, [missing]: null }))
      })
    )
  }

  const refused = [
    ["imageName", ""],
    ["imageName", "../etc"],
    ["imageName", "Library"],
    ["createdTime", "soon"],
    ["createdTime", ""],
    ["createdTime", 1_678_154_590],
    ["lastUpdateTime", "2023-13-07T02:03:10Z"],
    ["manifestCount", -1],
    ["manifestCount", 0.5],
    ["tagCount", "3"],
    ["changeableAttributes", { deleteEnabled: "false" }],
    ["changeableAttributes", []]
  ] as const
  for (const [field, value] of refused) {
    it.effect(`with ${JSON.stringify(value)} for ${field} is refused`, () =>
      Effect.gen(function* () {
        const { message } = yield* Effect.flip(readRepository({ ...record, [field]: value }))
        assert.include(message, `["${field}"]`)
      })
    )
  }

  for (const piece of ["a/", "a", "-", "_", "1", "2023-", ":"]) {
    it(`of a megabyte of ${piece} is refused at once`, () => {
      for (const length of [100_000, 1_000_000]) {
        const long = piece.repeat(length / piece.length)
        for (const field of ["imageName", "createdTime", "manifestCount"]) {
          const exit = atOnce(() => Effect.runSyncExit(readRepository({ ...record, [field]: long })))
          assert.strictEqual(exit._tag, "Failure")
        }
      }
    })
  }
})

describe("a repository's properties", () => {
  it("for a test need only these fields", () => {
    const time = DateTime.makeUnsafe(0)
    const properties = RepositoryProperties.make({
      registryLoginServer: "myregistry.azurecr.io",
      name,
      createdOn: time,
      lastUpdatedOn: time,
      manifestCount: 1,
      tagCount: 0,
      canWrite: false
    })
    assert.deepStrictEqual(properties, {
      registryLoginServer: "myregistry.azurecr.io",
      name,
      createdOn: time,
      lastUpdatedOn: time,
      manifestCount: 1,
      tagCount: 0,
      canDelete: true,
      canWrite: false,
      canList: true,
      canRead: true,
      raw: {}
    })
  })
})
