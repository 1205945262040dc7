/**
 * The properties of a tag in ACR: Azure's description of the management API, version 2021-07-01.
 */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Digest from "../src/Digest.ts"
import * as RepositoryName from "../src/RepositoryName.ts"
import * as Tag from "../src/Tag.ts"
import * as Properties from "../src/internal/api/properties.ts"
import { TagProperties } from "../src/TagProperties.ts"
import { atOnce } from "./support/atOnce.ts"

const readTag = (head: Properties.RecordHead, raw: Schema.JsonObject) =>
  Effect.fromResult(Properties.readTag(head, raw))

const record = {
  name: "v1",
  digest: `sha256:${"1b".repeat(32)}`,
  createdTime: "2023-03-07T02:03:10.5343706Z",
  lastUpdateTime: "2023-03-07T02:03:10.5343706Z",
  signed: false,
  changeableAttributes: { deleteEnabled: true, writeEnabled: false, readEnabled: true, listEnabled: false }
}

const repositoryName = RepositoryName.RepositoryName.make("library/hello-world")
const head = { registry: "myregistry.azurecr.io", imageName: repositoryName }
const name = Tag.Tag.make("v1")
const digest = Digest.Digest.make(record.digest)

describe("a tag's record", () => {
  it.effect("is read completely, and kept unchanged", () =>
    Effect.gen(function* () {
      const properties = yield* readTag(head, record)
      assert.deepStrictEqual(properties, {
        registryLoginServer: "myregistry.azurecr.io",
        repositoryName,
        name,
        digest,
        createdOn: DateTime.makeUnsafe("2023-03-07T02:03:10.534Z"),
        lastUpdatedOn: DateTime.makeUnsafe("2023-03-07T02:03:10.534Z"),
        canDelete: true,
        canWrite: false,
        canList: false,
        canRead: true,
        raw: record
      })
      assert.strictEqual(properties.raw, record)
    })
  )

  it.effect("is not confused by fields of its head", () =>
    Effect.gen(function* () {
      const wire = { ...record, registry: "evil.example", imageName: "evil", repositoryName: "evil", raw: "evil" }
      const properties = yield* readTag(head, wire)
      assert.strictEqual(properties.registryLoginServer, "myregistry.azurecr.io")
      assert.strictEqual(properties.repositoryName, repositoryName)
      assert.strictEqual(properties.raw, wire)
    })
  )

  it.effect("may lack attributes and a zone", () =>
    Effect.gen(function* () {
      const { changeableAttributes: _, signed: __, ...rest } = record
      const properties = yield* readTag(head, { ...rest, lastUpdateTime: "2023-03-07T02:03:11.5343706" })
      assert.strictEqual(DateTime.formatIso(properties.lastUpdatedOn), "2023-03-07T02:03:11.534Z")
      assert.deepInclude(properties, { canDelete: true, canWrite: true, canList: true, canRead: true })
    })
  )

  for (const missing of ["name", "digest", "createdTime", "lastUpdateTime"] as const) {
    it.effect(`without ${missing} is refused`, () =>
      Effect.gen(function* () {
        const { [missing]: _, ...rest } = record
        const { message } = yield* Effect.flip(readTag(head, rest))
        assert.strictEqual(message, `Missing key\n  at ["${missing}"]`)
        yield* Effect.flip(readTag(head, { ...record, [missing]: null }))
      })
    )
  }

  for (const piece of ["a", "a/", "-", "_", "sha256:", "."]) {
    it(`of a megabyte of ${piece} is refused at once`, () => {
      for (const length of [100_000, 1_000_000]) {
        const long = piece.repeat(length / piece.length)
        for (const field of ["name", "digest", "createdTime"]) {
          const exit = atOnce(() => Effect.runSyncExit(readTag(head, { ...record, [field]: long })))
          assert.strictEqual(exit._tag, "Failure")
        }
      }
    })
  }
})

describe("a tag's properties", () => {
  it("for a test need only these fields", () => {
    const time = DateTime.makeUnsafe(0)
    const said = {
      registryLoginServer: "myregistry.azurecr.io",
      repositoryName,
      name,
      digest,
      createdOn: time,
      lastUpdatedOn: time
    }
    assert.deepStrictEqual(TagProperties.make(said), {
      ...said,
      canDelete: true,
      canWrite: true,
      canList: true,
      canRead: true,
      raw: {}
    })
  })
})
