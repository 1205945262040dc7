/**
 * What Azure Container Registry answers, as recordings of Azure's own clients show it.
 *
 * Python and .NET: Azure/azure-sdk-assets, `python/sdk/containerregistry/azure-containerregistry/tests/recordings` and
 * `net/sdk/containerregistry/Azure.Containers.ContainerRegistry/tests/SessionRecords`. Go: Azure/azure-sdk-for-go,
 * `sdk/containers/azcontainerregistry/testdata/recordings`.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import { askAsAdmin, emulator } from "./support/ask.ts"
import { open, withDigest } from "./support/content.ts"

const seed = (repository: string, ...tags: ReadonlyArray<string>) =>
  Effect.flatMap(AcrEmulator.AcrEmulator, (emulator) => emulator.seed({ repository, tags }))

/** What a GET of the admin user is answered with, read as JSON. */
const json = Effect.fnUntraced(function* (path: string) {
  const body: unknown = JSON.parse((yield* askAsAdmin("GET", path)).text)
  return body
})

describe("an empty list", () => {
  // Python, test_container_registry_client.pyTestContainerRegistryClienttest_list_in_empty_repo.json
  it.live("of tags is null, also in the answer to a deletion", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* AcrEmulator.AcrEmulator
      const digest = yield* seed("a")
      assert.deepStrictEqual(yield* json("/acr/v1/a/_tags"), { registry: loginServer, imageName: "a", tags: null })
      const deleted = yield* askAsAdmin("DELETE", "/acr/v1/a")
      assert.strictEqual(deleted.text, JSON.stringify({ manifestsDeleted: [digest], tagsDeleted: null }))
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of repositories is null, also behind the last name", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* json("/acr/v1/_catalog"), { repositories: null })
      yield* seed("a")
      assert.deepStrictEqual(yield* json("/acr/v1/_catalog?last=a"), { repositories: null })
    }).pipe(Effect.provide(emulator()))
  )

  it.live("of the distribution API is a list", () =>
    Effect.gen(function* () {
      yield* seed("a")
      assert.deepStrictEqual(yield* json("/v2/a/tags/list"), { name: "a", tags: [] })
    }).pipe(Effect.provide(emulator()))
  )
})

/** The body of a refusal, as the registry writes it. */
const refusal = (code: string, message: string, detail?: unknown) =>
  JSON.stringify({ errors: [{ code, message, ...(detail === undefined ? {} : { detail }) }] })

const digest = `sha256:${"0".repeat(64)}`

describe("what is missing", () => {
  const tagUnknown = refusal("TAG_UNKNOWN", "the specified tag does not exist")
  const notFound = refusal("NAME_UNKNOWN", 'repository "wrong-name" is not found')
  const manifestUnknown = refusal("MANIFEST_UNKNOWN", "manifest unknown")
  const update = { body: '{"writeEnabled":false}' }

  for (const [method, path, body, recording] of [
    ["GET", "/acr/v1/a/_tags/none", tagUnknown, "Go, TestClient_GetTagProperties_wrongTag.json"],
    ["PATCH", "/acr/v1/a/_tags/none", tagUnknown, "Go, TestClient_UpdateTagProperties_wrongTag.json"],
    ["GET", "/acr/v1/wrong-name/_tags/none", tagUnknown, "Python, test_delete_manifest_does_not_exist.json"],
    ["PATCH", "/acr/v1/wrong-name/_tags/none", tagUnknown, "none: as GET and DELETE"],
    ["DELETE", "/acr/v1/wrong-name/_tags/none", tagUnknown, "Python, test_delete_tag_does_not_exist.json"],
    ["GET", "/acr/v1/wrong-name", notFound, "Go, TestClient_GetRepositoryProperties_wrongName.json"],
    ["PATCH", "/acr/v1/wrong-name", notFound, "Go, TestClient_UpdateRepositoryProperties_wrongRepository.json"],
    ["GET", "/acr/v1/wrong-name/_tags", notFound, "Go, TestClient_NewListTagsPager_wrongRepositoryName.json"],
    ["GET", "/acr/v1/wrong-name/_manifests", notFound, "Go, TestClient_NewListManifestsPager_wrongRepositoryName.json"],
    [
      "GET",
      `/acr/v1/a/_manifests/${digest}`,
      manifestUnknown,
      "Python, test_get_manifest_properties_does_not_exist.json"
    ],
    ["PATCH", `/acr/v1/a/_manifests/${digest}`, manifestUnknown, "none: as GET"],
    [
      "DELETE",
      `/v2/a/manifests/${digest}`,
      refusal("MANIFEST_UNKNOWN", `manifest ${digest} is not found`),
      "Python, test_delete_manifest_does_not_exist.json"
    ],
    [
      "GET",
      "/v2/a/manifests/wrong-tag",
      refusal("MANIFEST_UNKNOWN", 'manifest tagged by "wrong-tag" is not found', { Tag: "wrong-tag" }),
      "Go, TestClient_GetManifest_wrongTag.json"
    ],
    [
      "DELETE",
      `/v2/a/blobs/${digest}`,
      refusal("BLOB_UNKNOWN", "blob unknown to registry"),
      "Python, test_delete_blob_does_not_exist.json"
    ]
  ] as const) {
    it.live(`is named as ACR names it: ${method} ${path} (${recording})`, () =>
      Effect.gen(function* () {
        yield* seed("a", "v1")
        const reply = yield* askAsAdmin(method, path, method === "PATCH" ? update : {})
        assert.deepStrictEqual([reply.status, reply.text], [404, body])
      }).pipe(Effect.provide(emulator()))
    )
  }
})

describe("a digest that is none", () => {
  // Go, TestBlobClient_completeUpload_wrongDigest.json
  it.live("is refused at the end of an upload, with the reason", () =>
    Effect.gen(function* () {
      const message = "provided digest did not match uploaded content"
      const none = yield* askAsAdmin("PUT", withDigest(yield* open, "sha256:00000000"))
      assert.deepStrictEqual([none.status, none.text], [400, refusal("DIGEST_INVALID", message, "digest parsing failed")])
      const other = yield* askAsAdmin("PUT", withDigest(yield* open, digest))
      assert.deepStrictEqual([other.status, other.text], [400, refusal("DIGEST_INVALID", message)])
    }).pipe(Effect.provide(emulator()))
  )
})

describe("a deletion of a manifest by its tag", () => {
  // Go, TestClient_DeleteManifest_wrongDigest.json
  it.live("is refused as unsupported, whether there is such a tag or not", () =>
    Effect.gen(function* () {
      yield* seed("a", "v1")
      for (const path of ["/v2/a/manifests/v1", "/v2/a/manifests/error-digest", "/v2/none/manifests/v1"]) {
        const reply = yield* askAsAdmin("DELETE", path)
        assert.deepStrictEqual(
          [reply.status, reply.text],
          [405, refusal("UNSUPPORTED", "A manifest can only be deleted by digest.")]
        )
      }
    }).pipe(Effect.provide(emulator()))
  )
})
