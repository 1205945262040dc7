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
