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
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import {
  type Entry,
  haveRecordings,
  header,
  isInsufficient,
  isOAuth,
  recording,
  recordingNames,
  replaying,
  shapeOf,
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
  readonly images: ReadonlyArray<Parameters<AcrEmulator.AcrEmulator["Service"]["seed"]>[0]>
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

/** These are about the contents of manifests and blobs. */
const aboutContent = ["can_download_docker_manifest", "can_upload_blob", "can_upload_oci_manifest"]

const entraToken = Credentials.layerEntra(Effect.succeed(Redacted.make("entra-token")))

describe("the client understands the recording", () => {
  for (const [name, { credentials = entraToken, replay }] of Object.entries(cases)) {
    it.effect.runIf(haveRecordings)(name, () =>
      Effect.gen(function* () {
        const entries = yield* recording(name)
        const used = new Set<Entry>()
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
      assert.deepStrictEqual(yield* recordingNames, [...Object.keys(cases), ...aboutContent].toSorted())
    })
  )
})

/** The headers of an answer that clients go by. */
const comparedHeaders = [
  "content-type",
  "docker-distribution-api-version",
  "x-content-type-options",
  "www-authenticate",
  "link",
  "x-ms-int-docker-content-digest",
  "x-ms-correlation-request-id"
]

const anyDigest = (text: string): string => text.replace(/sha256(:|%3A)[0-9a-f]{64}/gi, "sha256$1…")

/** What an answer holds that no two answers have in common. */
const comparable = (name: string, value: string | undefined): string | undefined =>
  value === undefined ? undefined : name === "x-ms-correlation-request-id" ? "…" : anyDigest(value)

/**
 * The recorded images were imported, and of those the registry does not tell the type of the configuration; of
 * images that were pushed, as they are to the emulator, it does.
 */
const parse = (text: string) =>
  text === ""
    ? Effect.succeed(null)
    : Schema.decodeUnknownEffect(Schema.Json)(
        JSON.parse(text, (name, value: unknown) => (name === "configMediaType" ? undefined : value))
      )

const Tokens = Schema.Struct({
  refresh_token: Schema.optionalKey(Schema.String),
  access_token: Schema.optionalKey(Schema.String)
})

describe("the emulator answers as recorded", () => {
  for (const [name, { emulator: options = {}, images }] of Object.entries(cases)) {
    it.live.runIf(haveRecordings)(name, () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        const client = yield* HttpClient.HttpClient
        const entries = yield* recording(name)
        const digests = yield* Effect.forEach(images, emulator.seed)
        const [firstDigest = ""] = digests.toSorted()
        let tokens: typeof Tokens.Type = {}

        /** The recorded text, about this emulator. */
        const here = (text: string, origin: string): string =>
          text
            .replaceAll(origin, emulator.endpoint)
            .replace(/service="[^"]*"/, `service="${emulator.loginServer}"`)
            .replace(/sha256%3A[0-9a-f]{64}/gi, encodeURIComponent(firstDigest))

        const form = (recorded: string): string => {
          const fields = new URLSearchParams(recorded)
          fields.set("service", emulator.loginServer)
          if (fields.has("access_token")) fields.set("access_token", Redacted.value(emulator.logins.entraToken))
          if (fields.get("refresh_token")) fields.set("refresh_token", tokens.refresh_token ?? "")
          return fields.toString()
        }

        const bodyOf = ({ RequestBody }: Entry): HttpBody.HttpBody =>
          RequestBody === null
            ? HttpBody.empty
            : typeof RequestBody === "string"
              ? HttpBody.text(form(RequestBody), "application/x-www-form-urlencoded")
              : HttpBody.text(JSON.stringify(RequestBody), "application/json")

        for (const entry of entries) {
          const what = `${entry.RequestMethod} ${entry.RequestUri} ${entry.StatusCode}`
          const { origin } = uriOf(entry)
          const hasToken = header(entry.RequestHeaders, "authorization") !== undefined
          const response = yield* client.execute(
            HttpClientRequest.make(entry.RequestMethod)(here(entry.RequestUri, origin), {
              headers: hasToken ? { authorization: `Bearer ${tokens.access_token ?? ""}` } : {},
              body: bodyOf(entry)
            })
          )
          const body = yield* parse(yield* response.text)

          assert.strictEqual(response.status, entry.StatusCode, what)
          for (const name of comparedHeaders) {
            const recorded = header(entry.ResponseHeaders, name)
            assert.strictEqual(
              comparable(name, response.headers[name]),
              comparable(name, recorded === undefined ? undefined : here(recorded, origin)),
              `${name} of ${what}`
            )
          }
          assert.deepStrictEqual(shapeOf(body), shapeOf(entry.ResponseBody), `the body of ${what}`)
          if (entry.StatusCode >= 400) assert.deepStrictEqual(body, entry.ResponseBody, `the errors of ${what}`)
          if (isOAuth(entry)) tokens = { ...tokens, ...(yield* Schema.decodeUnknownEffect(Tokens)(body)) }
        }
      }).pipe(Effect.provide([AcrEmulator.layer(options), NodeRegistryHttpClient.layer]))
    )
  }
})
