/**
 * Examples of what a registry holds: they do what they say, on the emulator.
 */
import { BlobSource, ContainerRegistry, Manifest, MediaType, RegistryContent } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import { fileURLToPath } from "node:url"
import { ConfigProvider, Effect, FileSystem, Layer, Path, Stream } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import { cleanUp } from "../clean-up.ts"
import { helloWorld } from "../hello-world.ts"
import { listTagsAnonymously } from "../list-tags-anonymously.ts"
import { lockVersions } from "../lock-versions.ts"
import { restoreCleanUp } from "../restore-clean-up.ts"
import { setArtifactProperties } from "../set-artifact-properties.ts"
import { showArtifact } from "../show-artifact.ts"
import { storageByLayer } from "../storage-by-layer.ts"
import { PlatformLive, withArguments } from "../support/registry.ts"
import { Anonymous, Identity, printed, tagsOf } from "./support.ts"

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
    }).pipe(Effect.provide(Anonymous))
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
})

const Empty = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))

const withVariables = (variables: { readonly [name: string]: string }) =>
  Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env: variables })))

/** The tags of a repository with what they name. */
const describeTags = (
  repository: string
): Effect.Effect<ReadonlyArray<string>, unknown, ContainerRegistry.ContainerRegistry> =>
  Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) =>
    registry.tags(repository).pipe(
      Stream.map(({ digest, name }) => `${repository}:${name} ${digest}`),
      Stream.runCollect
    )
  )

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

  it.effect("counts a shared layer once, and reads each manifest once", () =>
    Effect.gen(function* () {
      const { clearJournal, seed } = yield* AcrEmulator.AcrEmulator
      const registry = yield* ContainerRegistry.ContainerRegistry
      const repository = "contoso/shared"
      yield* seed({ repository, tags: ["v1"], layers: [shared, "1".repeat(1024)] })
      const platforms = ["linux/amd64", "linux/arm64"]
      const index = yield* seed({ repository, tags: ["v2", "latest"], platforms, layers: [shared, "2".repeat(512)] })
      yield* seed({ repository, layers: ["not in any list"] })
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
............  2 KiB       3  latest v2 v1
............  1 KiB       1  v1
............  512 B       2  latest v2
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

/** The time is set before the emulator is filled. What is older than 1970 has no age. */
const Today = Layer.effectDiscard(TestClock.setTime(Date.UTC(2026, 0, 31)))

const Everything = Layer.merge(Identity, PlatformLive).pipe(Layer.provideMerge(Today))

/** The clean-up with a report in a folder of its own. */
const inFolder = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = yield* files.makeTempDirectoryScoped()
  const report = path.join(folder, "report.json")
  const rules = path.join(folder, "rules.json")
  return {
    report,
    clean: (...args: ReadonlyArray<string>) => withArguments(cleanUp, ["--report", report, ...args]),
    cleanBy: (text: string) =>
      Effect.andThen(
        files.writeFileString(rules, text),
        withArguments(cleanUp, ["--report", report, "--rules", rules])
      ),
    restore: withArguments(restoreCleanUp, ["--report", report])
  }
})

describe("clean-up", () => {
  it.effect("deletes old releases, but for the newest, and restore-clean-up brings them back", () =>
    Effect.gen(function* () {
      const { clean, restore } = yield* inFolder
      const before = yield* Effect.forEach(["contoso/api", "contoso/worker"], describeTags)
      yield* clean()
      const lines = yield* printed
      assert.includeMembers(lines, [
        ...["1.0.0", "1.1.0", "1.1.1"].map(
          (tag) => `contoso/api:${tag}: old releases, three weeks are enough to find a fault`
        ),
        "contoso/api: done, 3 of 3 deletions",
        "contoso/worker: done, 2 of 2 deletions",
        "contoso/web: done, 0 of 0 deletions",
        "library/hello-world: done, 0 of 0 deletions"
      ])
      assert.sameMembers(yield* tagsOf("contoso/api"), ["1.2.0", "2.0.0", "2.0.1", "latest"])
      assert.sameMembers(yield* tagsOf("contoso/worker"), ["0.3.0", "0.3.1", "0.4.0", "latest"])
      yield* restore
      assert.deepStrictEqual(yield* Effect.forEach(["contoso/api", "contoso/worker"], describeTags), before)
    }).pipe(Effect.provide(Everything))
  )

  it.effect("lets stay what is locked", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      const { clean } = yield* inFolder
      yield* registry.updateTag("contoso/worker", "0.1.0", { canDelete: false })
      yield* registry.updateManifest("contoso/worker", "0.2.0", { canWrite: false })
      yield* clean()
      assert.strictEqual((yield* tagsOf("contoso/worker")).length, 6)
    }).pipe(Effect.provide(Everything))
  )

  it.effect("only shows what it would delete on a registry of one's own, and with --dry-run", () =>
    Effect.gen(function* () {
      const { clean } = yield* inFolder
      yield* clean().pipe(withVariables({ REGISTRY_ENDPOINT: "myregistry" }))
      const shown = yield* printed
      assert.includeMembers(shown, ["contoso/api:1.0.0: old releases, three weeks are enough to find a fault"])
      yield* clean("--dry-run")
      assert.deepStrictEqual((yield* printed).slice(shown.length), shown)
      assert.strictEqual(yield* requests("DELETE", /./), 0)
      yield* clean("--no-dry-run").pipe(withVariables({ REGISTRY_ENDPOINT: "myregistry" }))
      assert.strictEqual(yield* requests("DELETE", /./), 5)
    }).pipe(Effect.provide(Everything))
  )

  const rulesFile = new URL("../clean-up.json", import.meta.url)

  it.effect.each([
    { change: ['"olderThan": "20 days"', '"olderThen": "20 days"'], message: "olderThen" },
    { change: ['"20 days"', '"-2 days"'], message: "a duration of at least a millisecond" },
    { change: ['"maxDeletions": 100', '"maxDeletions": 2'], message: "more than maxDeletions 2 allows" },
    { change: ['["latest"]', '["latset"]'], message: 'rule latest: "latset" matches no tag' }
  ])("says what is wrong with $change.1", ({ change: [from = "", to = ""], message }) =>
    Effect.gen(function* () {
      const { cleanBy } = yield* inFolder
      const files = yield* FileSystem.FileSystem
      const rules = yield* files.readFileString(fileURLToPath(rulesFile))
      yield* Effect.exit(cleanBy(rules.replace(from, to)))
      assert.include((yield* TestConsole.errorLines).join("\n"), message)
    }).pipe(Effect.provide(Everything))
  )
})
