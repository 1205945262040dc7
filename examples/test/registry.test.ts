/**
 * Examples of what a registry holds: they do what they say, on the emulator.
 */
import { BlobSource, ContainerRegistry, Manifest, MediaType, RegistryContent } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Exit, Layer, Stream } from "effect"
import { TestConsole } from "effect/testing"
import { deleteImages } from "../delete-images.ts"
import { helloWorld } from "../hello-world.ts"
import { listTagsAnonymously } from "../list-tags-anonymously.ts"
import { lockVersions } from "../lock-versions.ts"
import { purgeImages } from "../purge-images.ts"
import { setArtifactProperties } from "../set-artifact-properties.ts"
import { showArtifact } from "../show-artifact.ts"
import { storageByLayer } from "../storage-by-layer.ts"
import { PlatformLive, withArguments } from "../support/registry.ts"
import { Identity, Nobody, printed, tagsOf } from "./support.ts"

describe("examples of a registry", () => {
  it.effect("hello-world lists all repositories", () =>
    Effect.gen(function* () {
      yield* helloWorld
      assert.deepStrictEqual(yield* printed, [
        "contoso/api",
        "contoso/web",
        "contoso/worker",
        "library/hello-world",
        "tools/cli"
      ])
    }).pipe(Effect.provide(Identity))
  )

  it.effect("list-tags-anonymously lists the newest tag first, with full references", () =>
    Effect.gen(function* () {
      const { loginServer } = yield* ContainerRegistry.ContainerRegistry
      yield* listTagsAnonymously
      const references = (yield* printed).map((line) => line.split(" ")[0])
      assert.sameMembers(references.slice(0, 2), [
        `${loginServer}/library/hello-world:v2`,
        `${loginServer}/library/hello-world:latest`
      ])
      assert.strictEqual(references[2], `${loginServer}/library/hello-world:v1`)
    }).pipe(Effect.provide(Nobody))
  )

  it.effect("set-artifact-properties finds the lock holding, and leaves none behind", () =>
    Effect.gen(function* () {
      yield* setArtifactProperties
      assert.deepStrictEqual(
        (yield* printed).map((line) => line.split(":")[0]),
        ["library/hello-world", "It can't be deleted", "Unlocked again"]
      )
      const registry = yield* ContainerRegistry.ContainerRegistry
      const tag = yield* registry.tagProperties("library/hello-world", "latest")
      assert.deepStrictEqual([tag.canWrite, tag.canDelete], [true, true])
    }).pipe(Effect.provide(Identity))
  )

  it.effect("delete-images keeps the newest three of each repository, and multi-platform images whole", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const before = yield* registry.repositoryProperties("library/hello-world")
      yield* deleteImages
      assert.sameMembers(yield* tagsOf("contoso/api"), ["1.2.0", "2.0.0", "2.0.1", "latest"])
      assert.sameMembers(yield* tagsOf("contoso/worker"), ["0.3.0", "0.3.1", "0.4.0", "latest"])
      assert.sameMembers(yield* tagsOf("contoso/web"), ["2026.10", "2026.11", "latest"])
      const after = yield* registry.repositoryProperties("library/hello-world")
      assert.strictEqual(after.manifestCount, before.manifestCount)
      assert.strictEqual((yield* printed).length, 5)
    }).pipe(Effect.provide(Identity))
  )
})

const Empty = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))

const withVariables = (variables: { readonly [name: string]: string }) =>
  Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: variables })))

/** How often a registry was asked so. */
const requests = (method: string, path: RegExp) =>
  AcrEmulator.AcrEmulator.use(({ journal }) =>
    Effect.map(journal, (entries) => entries.filter((entry) => entry.method === method && path.test(entry.path)).length)
  )

describe("show-artifact", () => {
  it.effect("shows the platforms of an image, and what refers to them", () =>
    Effect.gen(function* () {
      const repository = "contoso/shown"
      const { seed } = yield* AcrEmulator.AcrEmulator
      const content = yield* RegistryContent.RegistryContent
      const root = yield* seed({ repository, tags: ["v1"], platforms: ["linux/amd64", "linux/arm64"] })
      const config = yield* content.uploadBlob(repository, BlobSource.fromString("{}"), {
        mediaType: MediaType.ociEmpty
      })
      const subject = yield* content.resolve(repository, "v1")
      const artifactType = MediaType.MediaType.make("application/spdx+json")
      yield* content.putManifest(repository, Manifest.image({ config, layers: [], subject, artifactType }))

      yield* showArtifact.pipe(withVariables({ REPOSITORY: repository, TAG: "v1" }))

      const lines = (yield* printed).join("\n").split("\n")
      assert.strictEqual(lines[0], `${content.loginServer}/${repository}:v1`)
      assert.isTrue(lines[1]?.startsWith(root))
      assert.deepStrictEqual(
        lines
          .filter((line) => /^[├└]/.test(line))
          .map((line) => line.replace(/  [0-9a-f]{12}  /, "  ").replace(/  [^ ]+ B$/, "")),
        [
          "├── linux/amd64  application/vnd.oci.image.manifest.v1+json",
          "├── linux/arm64  application/vnd.oci.image.manifest.v1+json",
          "└── referrer  application/spdx+json"
        ]
      )
    }).pipe(Effect.provide(Empty))
  )
})

describe("storage-by-layer", () => {
  const shared = "s".repeat(2048)

  it.effect("counts a layer once, whoever shares it, and reads each manifest once", () =>
    Effect.gen(function* () {
      const { clearJournal, seed } = yield* AcrEmulator.AcrEmulator
      const registry = yield* ContainerRegistry.ContainerRegistry
      const repository = "contoso/shared"
      yield* seed({ repository, tags: ["v1"], layers: [shared, "1".repeat(1024)] })
      const platforms = ["linux/amd64", "linux/arm64"]
      const index = yield* seed({ repository, tags: ["v2", "latest"], platforms, layers: [shared, "2".repeat(512)] })
      yield* seed({ repository, layers: ["nobody names me"] })
      // What no list shows, its index still has.
      const [platform] = (yield* registry.manifestProperties(repository, index)).relatedArtifacts
      yield* registry.updateManifest(repository, platform?.digest ?? "", { canList: false })
      yield* clearJournal

      yield* storageByLayer.pipe(withVariables({ REPOSITORY: repository }))

      const text = (yield* printed).join("\n").replace(/^[0-9a-f]{12}/gm, "............")
      assert.include(
        text,
        `contoso/shared: 4 images of 4 layers

LAYER          SIZE  IMAGES  TAGS
............  2 KiB       3  v2 latest v1
............  1 KiB       1  v1
............  512 B       2  v2 latest
............   15 B       1  (none)

3.5 KiB of manifests and configurations
7 KiB in all; image by image one would count 11.5 KiB`
      )
      assert.strictEqual(yield* requests("GET", /\/manifests\//), 5)

      // An index may lack a platform.
      yield* registry.deleteManifest(repository, platform?.digest ?? "")
      yield* storageByLayer.pipe(withVariables({ REPOSITORY: repository }))
      assert.include((yield* printed).join("\n"), "contoso/shared: 3 images of 4 layers")
    }).pipe(Effect.provide(Empty))
  )
})

/** A line for each version. */
const bothVersions = (done: string) => ["v1", "v2"].map((tag) => `library/hello-world:${tag}  ${done}`)

describe("lock-versions", () => {
  it.effect("locks tags and images whole, and has nothing left to do the next time", () =>
    Effect.gen(function* () {
      const { clearJournal } = yield* AcrEmulator.AcrEmulator
      const registry = yield* ContainerRegistry.ContainerRegistry
      yield* lockVersions
      assert.deepStrictEqual(yield* printed, bothVersions("locked the tag and 3 manifests"))

      const { relatedArtifacts } = yield* registry.manifestProperties("library/hello-world", "v1")
      assert.lengthOf(relatedArtifacts, 2)
      for (const { digest } of relatedArtifacts) {
        const error = yield* Effect.flip(registry.deleteManifest("library/hello-world", digest))
        assert.strictEqual(error.reason._tag, "Locked")
      }
      const tags = yield* Stream.runCollect(registry.tags("library/hello-world"))
      assert.deepStrictEqual(
        tags.map(({ canDelete, canWrite, name }) => [String(name), canWrite, canDelete]),
        [
          ["latest", true, true],
          ["v1", false, false],
          ["v2", false, false]
        ]
      )

      yield* clearJournal
      yield* lockVersions
      assert.deepStrictEqual((yield* printed).slice(2), bothVersions("was locked already"))
      assert.strictEqual(yield* requests("PATCH", /./), 0)
    }).pipe(Effect.provide(Identity))
  )

  it.effect("only tells what it would lock on a registry of one's own", () =>
    Effect.gen(function* () {
      yield* lockVersions.pipe(withVariables({ REGISTRY_ENDPOINT: "myregistry" }))
      assert.deepStrictEqual(yield* printed, bothVersions("would lock the tag and 3 manifests"))
      assert.strictEqual(yield* requests("PATCH", /./), 0)
    }).pipe(Effect.provide(Identity))
  )
})

const purge = (...args: ReadonlyArray<string>) => withArguments(purgeImages, args)

describe("purge-images", () => {
  const Everything = Layer.merge(Identity, PlatformLive)

  it.effect("deletes what is old, but for the newest", () =>
    Effect.gen(function* () {
      yield* purge("contoso/api", "contoso/web", "--ago", "15 days", "--keep", "1")
      assert.sameMembers(
        yield* printed,
        ["1.0.0", "1.1.0", "1.1.1"].map((tag) => `deleted contoso/api:${tag}`)
      )
      assert.sameMembers(yield* tagsOf("contoso/api"), ["1.2.0", "2.0.0", "2.0.1", "latest"])
      assert.sameMembers(yield* tagsOf("contoso/web"), ["2026.10", "2026.11", "latest"])
    }).pipe(Effect.provide(Everything))
  )

  it.effect("looks at all repositories where none is named, and lets stay what is locked", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      yield* registry.updateTag("contoso/worker", "0.1.0", { canDelete: false })
      yield* registry.updateManifest("contoso/worker", "0.2.0", { canWrite: false })
      yield* purge("--ago", "20 days")
      assert.sameMembers(yield* printed, [
        "deleted contoso/api:1.0.0",
        "deleted contoso/api:1.1.0",
        "deleted contoso/api:1.1.1",
        "locked, so it stays: contoso/worker:0.1.0",
        "locked, so it stays: contoso/worker:0.2.0"
      ])
    }).pipe(Effect.provide(Everything))
  )

  it.effect("only tells what it would delete on a registry of one's own, and where it is told so", () =>
    Effect.gen(function* () {
      yield* purge("contoso/api", "--keep", "5").pipe(withVariables({ REGISTRY_ENDPOINT: "myregistry" }))
      yield* purge("contoso/api", "--keep", "5", "--dry-run")
      assert.deepStrictEqual(yield* printed, ["would delete contoso/api:1.0.0", "would delete contoso/api:1.0.0"])
      assert.strictEqual(yield* requests("DELETE", /./), 0)
      yield* purge("contoso/api", "--keep", "5", "--no-dry-run").pipe(
        withVariables({ REGISTRY_ENDPOINT: "myregistry" })
      )
      assert.strictEqual(yield* requests("DELETE", /./), 1)
    }).pipe(Effect.provide(Everything))
  )

  it.effect.each([
    { args: ["--ago", "soon"], message: 'Invalid value for flag --ago: "soon". Expected: an age such as' },
    { args: ["--ago=-2 days"], message: 'Invalid value for flag --ago: "-2 days". Expected: an age such as' },
    { args: ["--keep", "some"], message: 'Invalid value for flag --keep: "some"' },
    { args: ["--keep=-1"], message: 'Invalid value for flag --keep: "-1"' },
    { args: ["Contoso/API"], message: "a repository name: lower-case components" },
    { args: ["--agoo", "2 days"], message: "Did you mean this?\n    --ago" },
    { args: ["contoso/nobody"], message: "NAME_UNKNOWN: repository name not known to registry" }
  ])("refuses $args", ({ args, message }) =>
    Effect.gen(function* () {
      assert.isTrue(Exit.isFailure(yield* Effect.exit(purge(...args))))
      assert.include((yield* TestConsole.errorLines).join("\n"), message)
      assert.strictEqual(yield* requests("DELETE", /./), 0)
    }).pipe(Effect.provide(Everything))
  )
})
