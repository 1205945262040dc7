/**
 * What `ContainerRegistry` does and `RegistryContent` does as well, on a registry that is not ACR and on the emulator:
 * repositories listed, tags deleted, and errors that say which of the two services to use.
 */
import { AcrEmulator } from "@effect-acr/emulator"
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { isInstalled } from "./support/command.ts"
import * as Docker from "./support/dockerRegistry.ts"
import { pushImage } from "./support/dockerRegistryImage.ts"

const repositories = (pageSize?: number) =>
  Effect.flatMap(RegistryContent, (content) =>
    Effect.map(
      Stream.runCollect(content.repositories(pageSize === undefined ? {} : { pageSize })),
      (names): ReadonlyArray<string> => names
    )
  )

const tags = (repository: string) =>
  Effect.flatMap(RegistryContent, (content) =>
    Effect.map(Stream.runCollect(content.tags(repository)), (names) => names.map(String).toSorted())
  )

const Emulator = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))

describe("the emulator", () => {
  layer(Emulator, { excludeTestServices: true })((it) => {
    it.effect("lists its repositories by pages of any size", () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        const names = ["listed/a", "listed/b", "listed/c", "listed/d", "listed/e"]
        for (const repository of names) yield* emulator.seed({ repository, tags: ["v1"] })
        for (const pageSize of [undefined, 1, 2, 5, 100]) {
          const listed = yield* repositories(pageSize)
          assert.deepStrictEqual(
            listed.filter((name) => name.startsWith("listed/")),
            names
          )
        }
      })
    )

    it.effect("deletes tags by its own API, once it is known for that, and their manifest stays", () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        const content = yield* RegistryContent
        const digest = yield* emulator.seed({ repository: "untagged", tags: ["v1", "v2", "v3"] })
        yield* emulator.clearJournal
        yield* content.deleteTag("untagged", "v1")
        yield* content.deleteTag("untagged", "v2")
        const deletes = (yield* emulator.journal).filter(({ method, status }) => method === "DELETE" && status !== 401)
        assert.deepStrictEqual(
          deletes.map(({ path, status }) => [path.replace(/\?.*/, ""), status]),
          [
            ["/v2/untagged/manifests/v1", 405],
            ["/acr/v1/untagged/_tags/v1", 202],
            ["/acr/v1/untagged/_tags/v2", 202]
          ]
        )
        assert.deepStrictEqual(yield* tags("untagged"), ["v3"])
        yield* content.deleteTag("untagged", "v3")
        assert.strictEqual((yield* content.manifest("untagged", digest)).descriptor.digest, digest)

        const missing = yield* Effect.flip(content.deleteTag("untagged", "v3"))
        assert.deepInclude(missing.reason, { _tag: "NotFound", resource: "tag" })
        // ACR names the tag, also where there is no such repository.
        const nowhere = yield* Effect.flip(content.deleteTag("nowhere", "v3"))
        assert.deepInclude(nowhere.reason, { _tag: "NotFound", resource: "tag" })
      })
    )

    it.effect("keeps a tag that is locked", () =>
      Effect.gen(function* () {
        const emulator = yield* AcrEmulator.AcrEmulator
        const content = yield* RegistryContent
        const registry = yield* ContainerRegistry.ContainerRegistry
        yield* emulator.seed({ repository: "locked", tags: ["v1"] })
        yield* registry.updateTag("locked", "v1", { canDelete: false })
        const { reason } = yield* Effect.flip(content.deleteTag("locked", "v1"))
        assert.deepInclude(reason, { _tag: "Locked", by: "lock" })
        assert.deepStrictEqual(yield* tags("locked"), ["v1"])
      })
    )
  })
})

for (const access of ["anonymous", "htpasswd", "token"] as const) {
  const Registry = ContainerRegistry.layerTransport.pipe(
    Layer.provideMerge(Docker.layerContent()),
    Layer.provideMerge(Docker.layer({ access, relativeUrls: true })),
    Layer.merge(NodeFileSystem.layer)
  )

  describe.runIf(isInstalled("docker-registry"))(`docker-registry, ${access}`, () => {
    layer(Registry, { excludeTestServices: true })((it) => {
      it.effect("lists its repositories, deletes no tag, and has no management API", () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const registry = yield* ContainerRegistry.ContainerRegistry
          const names = ["a", "b/c", "b/d", "e"]
          for (const repository of names) yield* pushImage(repository, { tags: ["v1", "v2"] })
          for (const pageSize of [undefined, 1, 2, 4, 100]) {
            assert.deepStrictEqual((yield* repositories(pageSize)).toSorted(), names)
          }
          const after = yield* Stream.runCollect(content.repositories({ continueFrom: "b/c" }))
          assert.deepStrictEqual(after.map(String), ["b/d", "e"])

          for (const tag of ["v1", "none"]) {
            const error = yield* Effect.flip(content.deleteTag("a", tag))
            assert.deepStrictEqual([error.operation, error.reason._tag], ["RegistryContent.deleteTag", "Unsupported"])
            assert.include(error.reason.message, "this registry does not delete tags")
          }
          assert.deepStrictEqual(yield* tags("a"), ["v1", "v2"])

          const lock = { canDelete: false }
          const calls: ReadonlyArray<Effect.Effect<unknown, RegistryError>> = [
            Stream.runDrain(registry.repositories()),
            registry.repositoryProperties("a"),
            registry.updateRepository("a", lock),
            registry.deleteRepository("a"),
            Stream.runDrain(registry.tags("a")),
            registry.tagProperties("a", "v1"),
            registry.updateTag("a", "v1", lock),
            registry.deleteTag("a", "v1"),
            Stream.runDrain(registry.manifests("a")),
            registry.manifestProperties("a", "v1"),
            registry.updateManifest("a", "v1", lock),
            registry.deleteManifest("a", "v1"),
            Stream.runDrain(registry.deletedRepositories()),
            Stream.runDrain(registry.deletedManifests("a")),
            Stream.runDrain(registry.deletedTags("a")),
            registry.restoreManifest("a", `sha256:${"a".repeat(64)}`)
          ]
          for (const call of calls) {
            const { reason } = yield* Effect.flip(call)
            assert.strictEqual(reason._tag, "Unsupported")
            assert.include(reason.message, "does not have the management API of Azure Container Registry")
          }
          assert.deepStrictEqual(yield* tags("a"), ["v1", "v2"])

          const { digest } = yield* content.resolve("a", "v1")
          assert.strictEqual(yield* registry.deleteManifest("a", digest), digest)
        })
      )
    })
  })
}
