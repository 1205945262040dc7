/**
 * What Azure Container Registry really said: the client understands it, and the emulator says the same.
 */
import { ContainerRegistry, Credentials } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import { assertAnswersAsRecorded } from "./support/recordedAnswers.ts"
import {
  contentRecordings,
  type Entry,
  haveRecordings,
  header,
  isInsufficient,
  isOAuth,
  recording,
  recordingNames,
  replaying,
  type Sent,
  uriOf
} from "./support/recordings.ts"

/* The bodies of the recordings, as far as the tests look into them. */

const Attributes = Schema.Struct({
  deleteEnabled: Schema.Boolean,
  writeEnabled: Schema.Boolean,
  readEnabled: Schema.Boolean,
  listEnabled: Schema.Boolean
})
const Times = { createdTime: Schema.String, lastUpdateTime: Schema.String, changeableAttributes: Attributes }
const TagRecord = Schema.Struct({ ...Times, name: Schema.String, digest: Schema.String })
const ManifestRecord = Schema.Struct({
  ...Times,
  digest: Schema.String,
  imageSize: Schema.Int,
  architecture: Schema.String,
  os: Schema.String,
  mediaType: Schema.String
})
const Head = { registry: Schema.String, imageName: Schema.String }
const Catalog = Schema.Struct({ repositories: Schema.Array(Schema.String) })
const Tags = Schema.Struct({ ...Head, tags: Schema.Array(Schema.JsonObject) })
const Tag = Schema.Struct({ ...Head, tag: Schema.JsonObject })
const Manifests = Schema.Struct({ ...Head, manifests: Schema.Array(Schema.JsonObject) })
const Manifest = Schema.Struct({ ...Head, manifest: Schema.JsonObject })
const Deleted = Schema.Struct({
  manifestsDeleted: Schema.Array(Schema.String),
  tagsDeleted: Schema.Array(Schema.String)
})
const Errors = Schema.Struct({ errors: Schema.Array(Schema.JsonObject) })

/** The bodies of all answers with this status to requests of this method for what the registry holds. */
const bodies = <S extends Schema.ConstraintDecoder<unknown>>(
  entries: ReadonlyArray<Entry>,
  method: Entry["RequestMethod"],
  status: number,
  schema: S
): Effect.Effect<readonly [S["Type"], ...ReadonlyArray<S["Type"]>], Schema.SchemaError> =>
  Schema.decodeUnknownEffect(Schema.NonEmptyArray(schema))(
    entries
      .filter((entry) => !isOAuth(entry) && entry.RequestMethod === method && entry.StatusCode === status)
      .map((entry) => entry.ResponseBody)
  )

/** The changes that were asked for, in order. */
const updates = (entries: ReadonlyArray<Entry>) =>
  Effect.forEach(
    entries.filter((entry) => entry.RequestMethod === "PATCH" && entry.StatusCode === 200),
    (entry) =>
      Effect.map(Schema.decodeUnknownEffect(Attributes)(entry.RequestBody), (attributes) => ({
        canDelete: attributes.deleteEnabled,
        canWrite: attributes.writeEnabled,
        canRead: attributes.readEnabled,
        canList: attributes.listEnabled
      }))
  )

/** How many items a page was asked to have. */
const pageSizeOf = (entries: ReadonlyArray<Entry>): number =>
  Number(entries.map((entry) => uriOf(entry).searchParams.get("n")).find((n) => n !== null))

interface Properties {
  readonly registryLoginServer: string
  readonly repositoryName: string
  readonly createdOn: DateTime.Utc
  readonly lastUpdatedOn: DateTime.Utc
  readonly canDelete: boolean
  readonly canWrite: boolean
  readonly canRead: boolean
  readonly canList: boolean
  readonly raw: Schema.JsonObject
}

const assertCommon = (
  properties: Properties,
  head: { readonly registry: string; readonly imageName: string },
  raw: Schema.JsonObject,
  recorded: Schema.Struct.Type<typeof Times>
) => {
  assert.strictEqual(properties.registryLoginServer, head.registry)
  assert.strictEqual(properties.repositoryName, head.imageName)
  assert.strictEqual(DateTime.toEpochMillis(properties.createdOn), Date.parse(recorded.createdTime))
  assert.strictEqual(DateTime.toEpochMillis(properties.lastUpdatedOn), Date.parse(recorded.lastUpdateTime))
  assert.deepStrictEqual(
    {
      deleteEnabled: properties.canDelete,
      writeEnabled: properties.canWrite,
      readEnabled: properties.canRead,
      listEnabled: properties.canList
    },
    recorded.changeableAttributes
  )
  assert.deepStrictEqual(properties.raw, raw)
}

const assertTag = Effect.fnUntraced(function* (
  properties: Properties & { readonly name: string; readonly digest: string },
  head: { readonly registry: string; readonly imageName: string },
  raw: Schema.JsonObject
) {
  const recorded = yield* Schema.decodeUnknownEffect(TagRecord)(raw)
  assertCommon(properties, head, raw, recorded)
  assert.strictEqual(properties.name, recorded.name)
  assert.strictEqual(properties.digest, recorded.digest)
})

const assertManifest = Effect.fnUntraced(function* (
  properties: Properties & {
    readonly digest: string
    readonly sizeInBytes?: number
    readonly mediaType?: string
    readonly architecture?: string
    readonly operatingSystem?: string
    readonly tags: ReadonlyArray<string>
  },
  head: { readonly registry: string; readonly imageName: string },
  raw: Schema.JsonObject
) {
  const recorded = yield* Schema.decodeUnknownEffect(ManifestRecord)(raw)
  assertCommon(properties, head, raw, recorded)
  assert.strictEqual(properties.digest, recorded.digest)
  assert.strictEqual(properties.sizeInBytes, recorded.imageSize)
  assert.strictEqual(properties.mediaType, recorded.mediaType)
  assert.strictEqual(properties.architecture, recorded.architecture)
  assert.strictEqual(properties.operatingSystem, recorded.os)
  assert.deepStrictEqual(properties.tags, [])
})

const assertCatalog = Effect.fnUntraced(function* (entries: ReadonlyArray<Entry>, options?: { pageSize: number }) {
  const registry = yield* ContainerRegistry.ContainerRegistry
  const recorded = yield* bodies(entries, "GET", 200, Catalog)
  const names = yield* Stream.runCollect(registry.repositories(options))
  assert.deepStrictEqual(
    names.map(String),
    recorded.flatMap(({ repositories }) => repositories)
  )
})

/** A recording: how to have the same conversation, and what an emulator must hold for it. */
interface Case {
  readonly replay: (entries: ReadonlyArray<Entry>) => Effect.Effect<void, unknown, ContainerRegistry.ContainerRegistry>
  readonly credentials?: Layer.Layer<Credentials.Credentials>
  readonly emulator?: AcrEmulator.Options
  readonly images: ReadonlyArray<Parameters<AcrEmulator.Service["seed"]>[0]>
}

const hello = "library/hello-world"

/** As many untagged images as make a third page of one. */
const untagged = ["linux/arm", "linux/arm64", "linux/amd64"].map((platform) => ({
  repository: hello,
  platforms: [platform]
}))

const cases: { readonly [name: string]: Case } = {
  should_list_repositories_by_pages: {
    replay: (entries) => assertCatalog(entries, { pageSize: pageSizeOf(entries) }),
    images: [{ repository: "library/busybox" }, { repository: hello }]
  },

  should_list_repositories_with_anonymous_access: {
    replay: (entries) => assertCatalog(entries),
    credentials: Credentials.layerAnonymous,
    emulator: { anonymousPull: true },
    images: [{ repository: hello }]
  },

  should_list_tags: {
    replay: Effect.fnUntraced(function* (entries) {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const [{ tags, ...head }] = yield* bodies(entries, "GET", 200, Tags)
      const listed = yield* Stream.runCollect(registry.tags(head.imageName))
      assert.strictEqual(listed.length, tags.length)
      yield* Effect.forEach(
        listed.flatMap((properties, index) => tags.slice(index, index + 1).map((raw) => ({ properties, raw }))),
        ({ properties, raw }) => assertTag(properties, head, raw)
      )
    }),
    images: [
      { repository: hello, tags: ["demo"] },
      { repository: hello, tags: ["test-delete", "test1"], layers: ["another"] }
    ]
  },

  should_list_registry_manifests_by_pages: {
    // The recorded client stopped after two pages, while the second one names a third.
    replay: Effect.fnUntraced(function* (entries) {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const pages = yield* bodies(entries, "GET", 200, Manifests)
      const recorded = pages.flatMap(({ manifests, ...head }) => manifests.map((raw) => ({ head, raw })))
      const listed = yield* registry
        .manifests(pages[0].imageName, { pageSize: pageSizeOf(entries) })
        .pipe(Stream.take(recorded.length), Stream.runCollect)
      assert.strictEqual(listed.length, recorded.length)
      yield* Effect.forEach(
        listed.flatMap((properties, index) =>
          recorded.slice(index, index + 1).map(({ head, raw }) => ({ properties, head, raw }))
        ),
        ({ head, properties, raw }) => assertManifest(properties, head, raw)
      )
    }),
    images: untagged
  },

  should_retrive_registry_artifact_properties_for_a_digest: {
    replay: Effect.fnUntraced(function* (entries) {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const [{ manifest, ...head }] = yield* bodies(entries, "GET", 200, Manifest)
      const { digest } = yield* Schema.decodeUnknownEffect(ManifestRecord)(manifest)
      yield* assertManifest(yield* registry.manifestProperties(head.imageName, digest), head, manifest)
    }),
    images: untagged
  },

  sets_manifest_properties: {
    replay: Effect.fnUntraced(function* (entries) {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const [{ manifest, ...head }] = yield* bodies(entries, "GET", 200, Manifest)
      const { digest } = yield* Schema.decodeUnknownEffect(ManifestRecord)(manifest)
      yield* assertManifest(yield* registry.manifestProperties(head.imageName, digest), head, manifest)
      const changed = yield* Effect.forEach(yield* updates(entries), (update) =>
        registry.updateManifest(head.imageName, digest, update)
      )
      const recorded = yield* bodies(entries, "PATCH", 200, Manifest)
      assert.strictEqual(changed.length, recorded.length)
      for (const [index, { manifest, ...head }] of recorded.entries()) {
        yield* Effect.forEach(changed.slice(index, index + 1), (properties) =>
          assertManifest(properties, head, manifest)
        )
      }
    }),
    images: untagged
  },

  sets_tag_properties: {
    replay: Effect.fnUntraced(function* (entries) {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const [{ tag, ...head }] = yield* bodies(entries, "GET", 200, Tag)
      const { name } = yield* Schema.decodeUnknownEffect(TagRecord)(tag)
      yield* assertTag(yield* registry.tagProperties(head.imageName, name), head, tag)
      const changed = yield* Effect.forEach(yield* updates(entries), (update) =>
        registry.updateTag(head.imageName, name, update)
      )
      const recorded = yield* bodies(entries, "PATCH", 200, Tag)
      assert.strictEqual(changed.length, recorded.length)
      for (const [index, { tag, ...head }] of recorded.entries()) {
        yield* Effect.forEach(changed.slice(index, index + 1), (properties) => assertTag(properties, head, tag))
      }
    }),
    images: [{ repository: hello, tags: ["test1"] }]
  },

  deletes_a_given_tag: {
    replay: Effect.fnUntraced(function* (entries) {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const [repository = "", name = ""] = tagIn(entries)
      const digest = entries
        .map((entry) => header(entry.ResponseHeaders, "x-ms-int-docker-content-digest"))
        .find((value) => value !== undefined)
      const deleted = yield* registry.deleteTag(repository, name)
      assert.isDefined(digest)
      assert.strictEqual(Option.getOrUndefined(deleted), digest)

      const error = yield* Effect.flip(registry.tagProperties(repository, name))
      const [{ errors }] = yield* bodies(entries, "GET", 404, Errors)
      assert.strictEqual(error.reason._tag === "NotFound" ? error.reason.resource : error.reason._tag, "tag")
      assert.strictEqual(error.response?.status, 404)
      assert.deepStrictEqual(error.response?.errors, errors)
      assert.strictEqual(
        error.response?.correlationId,
        entries
          .filter((entry) => entry.StatusCode === 404)
          .map((entry) => header(entry.ResponseHeaders, "x-ms-correlation-request-id"))[0]
      )
    }),
    images: [
      { repository: hello, tags: ["test-delete"] },
      { repository: hello, tags: ["latest"], layers: ["another"] }
    ]
  },

  deletes_repository_of_given_name: {
    replay: Effect.fnUntraced(function* (entries) {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const [name = ""] = repositoryIn(entries)
      const [{ manifestsDeleted, tagsDeleted }] = yield* bodies(entries, "DELETE", 202, Deleted)
      const deleted = yield* registry.deleteRepository(name)
      assert.deepStrictEqual(deleted.manifests.map(String), manifestsDeleted)
      assert.deepStrictEqual(deleted.tags.map(String), tagsDeleted)
      yield* assertCatalog(entries)
    }),
    images: [
      { repository: "library/busybox", tags: ["latest"], platforms: ["linux/amd64", "linux/arm64"] },
      { repository: hello }
    ]
  }
}

/** What is deleted, by the path of the request. */
const deletedPath = (entries: ReadonlyArray<Entry>): string =>
  entries.filter((entry) => entry.RequestMethod === "DELETE").map((entry) => uriOf(entry).pathname)[0] ?? ""

const repositoryIn = (entries: ReadonlyArray<Entry>) =>
  deletedPath(entries).split("/").slice(3, 4).map(decodeURIComponent)

const tagIn = (entries: ReadonlyArray<Entry>) => {
  const [, , , repository = "", , tag = ""] = deletedPath(entries).split("/")
  return [repository, tag].map(decodeURIComponent)
}

const entraToken = Credentials.layerEntra(Effect.succeed(Redacted.make("entra-token")))

describe("the client understands the recording", () => {
  for (const [name, { credentials = entraToken, replay }] of Object.entries(cases)) {
    it.effect.runIf(haveRecordings)(name, () =>
      Effect.gen(function* () {
        const entries = yield* recording(`js/${name}`)
        const used = new Map<Entry, Sent>()
        const endpoint = entries.map((entry) => uriOf(entry).origin)[0] ?? ""
        yield* replay(entries).pipe(
          Effect.provide(
            ContainerRegistry.layer({ endpoint }).pipe(
              Layer.provide(credentials),
              Layer.provide(Layer.succeed(HttpClient.HttpClient, replaying(entries, used)))
            )
          )
        )
        // A client that asks for the right scope ahead is never told that its token does not suffice.
        assert.deepStrictEqual(
          entries.filter((entry) => !used.has(entry) && !isInsufficient(entry)).map((entry) => entry.RequestUri),
          []
        )
      })
    )
  }

  it.effect.runIf(haveRecordings)("and no recording is forgotten", () =>
    Effect.gen(function* () {
      const known = [...Object.keys(cases).map((name) => `js/${name}`), ...contentRecordings]
      assert.deepStrictEqual(yield* recordingNames, known.toSorted())
    })
  )
})

describe("the emulator answers as recorded", () => {
  for (const [name, { emulator: options = {}, images }] of Object.entries(cases)) {
    it.live.runIf(haveRecordings)(name, () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        const [digest = ""] = (yield* Effect.forEach(images, emulator.seed)).toSorted()
        yield* assertAnswersAsRecorded(yield* recording(`js/${name}`), { digest })
      }).pipe(Effect.provide([AcrEmulator.layer(options), NodeRegistryHttpClient.layer]))
    )
  }
})
