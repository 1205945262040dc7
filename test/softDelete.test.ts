/**
 * The trash of a registry by the client, on an emulator with soft delete: what is deleted is listed, restored with the same
 * digest and tags, and refused where ACR's documentation says so ("Recover deleted artifacts with soft delete policy").
 */
import { ContainerRegistry } from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Descriptor from "@effect-acr/client/Descriptor"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { emulated, requestsOf } from "./support/emulator.ts"

const keeping = emulated({ softDelete: {} })

const seed = Effect.fnUntraced(function* (...tags: ReadonlyArray<string>) {
  const emulator = yield* AcrEmulator.AcrEmulator
  return yield* emulator.seed({ repository: "a/b", tags })
})

/** An image whose content differs from that of other layers. */
const seedLayer = Effect.fnUntraced(function* (layer: string, ...tags: ReadonlyArray<string>) {
  const emulator = yield* AcrEmulator.AcrEmulator
  return yield* emulator.seed({ repository: "a/b", tags, layers: [layer] })
})

/** What the trash holds: names, digests, and tags with their digests. */
const trash = Effect.gen(function* () {
  const registry = yield* ContainerRegistry
  return {
    repositories: (yield* Stream.runCollect(registry.deletedRepositories())).map(({ name }) => String(name)),
    manifests: (yield* Stream.runCollect(registry.deletedManifests("a/b"))).map(({ digest }) => String(digest)),
    tags: (yield* Stream.runCollect(registry.deletedTags("a/b"))).map(({ digest, name }) => `${name}=${digest}`)
  }
})

const reasonOf = <A, R>(effect: Effect.Effect<A, RegistryError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason._tag)

const refusalOf = <A, R>(effect: Effect.Effect<A, RegistryError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason, response }) => [reason._tag, response?.errors[0]?.code])

describe("what is deleted", () => {
  it.live("is listed, page by page, with the time of its deletion", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const digest = yield* seed("v1", "v2", "v3")
      const { createdOn } = yield* registry.manifestProperties("a/b", digest)
      const before = yield* DateTime.now
      yield* registry.deleteRepository("a/b")
      assert.deepStrictEqual(yield* trash, {
        repositories: ["a/b"],
        manifests: [digest],
        tags: ["v1", "v2", "v3"].map((tag) => `${tag}=${digest}`)
      })
      for (const manifest of yield* Stream.runCollect(registry.deletedManifests("a/b"))) {
        assert.isTrue(DateTime.Equivalence(manifest.createdOn, createdOn))
        assert.isTrue(DateTime.isGreaterThanOrEqualTo(manifest.deletedOn, before))
      }
      const pages = yield* requestsOf(Stream.runDrain(registry.deletedTags("a/b", { pageSize: 2 })))
      assert.lengthOf(
        pages.filter((request) => request === "GET /acr/v1/_deleted/a/b/_tags 200"),
        2
      )
    }).pipe(Effect.provide(keeping))
  )

  it.live("comes back with the same digest, bytes and tags", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const content = yield* RegistryContent
      const digest = yield* seed("v1", "v2")
      const { bytes } = yield* content.manifest("a/b", "v1")
      yield* registry.deleteManifest("a/b", digest)
      assert.strictEqual(yield* reasonOf(content.manifest("a/b", "v1")), "NotFound")
      for (const { digest, name } of yield* Stream.runCollect(registry.deletedTags("a/b"))) {
        assert.deepStrictEqual(yield* registry.restoreManifest("a/b", digest, { tag: name }), {
          digest,
          tag: Option.some(name)
        })
      }
      for (const tag of ["v1", "v2"]) {
        assert.deepStrictEqual((yield* content.manifest("a/b", tag)).bytes, bytes)
      }
      const { manifest } = yield* content.manifest("a/b", digest)
      for (const blob of Manifest.references(manifest).blobs) yield* content.blobBytes("a/b", blob)
      assert.deepStrictEqual(yield* trash, { repositories: [], manifests: [], tags: [] })
    }).pipe(Effect.provide(keeping))
  )

  it.live("by its tag alone is restored to the manifest that is there", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const digest = yield* seed("v1", "v2")
      yield* registry.deleteTag("a/b", "v1")
      assert.deepStrictEqual(yield* trash, { repositories: [], manifests: [], tags: [`v1=${digest}`] })
      yield* registry.restoreManifest("a/b", digest, { tag: "v1" })
      assert.strictEqual((yield* registry.tagProperties("a/b", "v1")).digest, digest)
    }).pipe(Effect.provide(keeping))
  )

  it.effect("is gone when the retention has passed", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const digest = yield* seed("v1")
      yield* registry.deleteManifest("a/b", digest)
      yield* TestClock.adjust("13 days")
      assert.deepStrictEqual((yield* trash).manifests, [digest])
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual((yield* trash).manifests, [])
      assert.deepStrictEqual(yield* refusalOf(registry.restoreManifest("a/b", digest)), [
        "NotFound",
        "MANIFEST_UNKNOWN"
      ])
    }).pipe(Effect.provide(emulated({ softDelete: { retention: "14 days" } })))
  )

  it.live("is not found in a registry without soft delete", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const digest = yield* seed("v1")
      yield* registry.deleteManifest("a/b", digest)
      assert.deepStrictEqual(yield* trash, { repositories: [], manifests: [], tags: [] })
      assert.strictEqual(yield* reasonOf(registry.restoreManifest("a/b", digest)), "NotFound")
    }).pipe(Effect.provide(emulated()))
  )

  it.live("cannot be pushed again", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const content = yield* RegistryContent
      const digest = yield* seed("v1")
      const { bytes, descriptor } = yield* content.manifest("a/b", "v1")
      yield* registry.deleteManifest("a/b", digest)
      const again = content.putManifest("a/b", bytes, { mediaType: descriptor.mediaType, tag: "v1" })
      assert.deepStrictEqual(yield* refusalOf(again), ["InvalidRequest", "MANIFEST_SOFT_DELETED"])
      yield* registry.restoreManifest("a/b", digest)
      yield* again
    }).pipe(Effect.provide(keeping))
  )

  it.live("as a repository is restored by a push, and its images stay deleted", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const first = yield* seedLayer("first", "v1")
      yield* registry.deleteRepository("a/b")
      const second = yield* seedLayer("second", "v2")
      assert.deepStrictEqual(yield* trash, { repositories: [], manifests: [first], tags: [`v1=${first}`] })
      const left = yield* Stream.runCollect(registry.manifests("a/b"))
      assert.deepStrictEqual(
        left.map(({ digest }) => digest),
        [second]
      )
    }).pipe(Effect.provide(keeping))
  )
})

describe("a restore", () => {
  it.live("moves a tag by force alone, and what it overwrites can be restored", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const first = yield* seedLayer("first", "v1")
      yield* registry.deleteManifest("a/b", first)
      const second = yield* seedLayer("second", "v1")
      const refused = registry.restoreManifest("a/b", first, { tag: "v1" })
      assert.deepStrictEqual(yield* refusalOf(refused), ["InvalidRequest", "TAG_EXISTS"])
      assert.strictEqual((yield* registry.tagProperties("a/b", "v1")).digest, second)
      yield* registry.restoreManifest("a/b", first, { tag: "v1", force: true })
      assert.strictEqual((yield* registry.tagProperties("a/b", "v1")).digest, first)
      assert.deepStrictEqual((yield* trash).tags, [`v1=${second}`])
    }).pipe(Effect.provide(keeping))
  )

  it.live("of an index leaves its images deleted", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      const registry = yield* ContainerRegistry
      const index = yield* emulator.seed({
        repository: "a/b",
        tags: ["v1"],
        platforms: ["linux/amd64", "linux/arm64"]
      })
      const { relatedArtifacts } = yield* registry.manifestProperties("a/b", index)
      yield* registry.deleteRepository("a/b")
      yield* registry.restoreManifest("a/b", index, { tag: "v1" })
      const children = relatedArtifacts.map(({ digest }) => digest)
      assert.sameMembers(Array.from((yield* trash).manifests), children)
      for (const child of children) {
        assert.strictEqual(yield* reasonOf(registry.manifestProperties("a/b", child)), "NotFound")
        yield* registry.restoreManifest("a/b", child)
        assert.strictEqual((yield* registry.manifestProperties("a/b", child)).digest, child)
      }
    }).pipe(Effect.provide(keeping))
  )

  it.live("of a referrer is refused while its subject is deleted, and a subject brings none", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const content = yield* RegistryContent
      const subject = yield* seed("v1")
      const { descriptor, manifest } = yield* content.manifest("a/b", subject)
      const [config] = Manifest.references(manifest).blobs
      assert.isDefined(config)
      if (config === undefined) return
      const referrer = Manifest.image({
        config: Descriptor.Descriptor.make(config),
        layers: [],
        subject: Descriptor.Descriptor.make(descriptor)
      })
      const put = yield* content.putManifest("a/b", Manifest.format(referrer), {
        mediaType: MediaType.ociImageManifest
      })
      yield* registry.deleteManifest("a/b", subject)
      assert.sameMembers(Array.from((yield* trash).manifests), [subject, put.descriptor.digest])
      const early = registry.restoreManifest("a/b", put.descriptor.digest)
      assert.deepStrictEqual(yield* refusalOf(early), ["InvalidRequest", "SUBJECT_SOFT_DELETED"])
      yield* registry.restoreManifest("a/b", subject, { tag: "v1" })
      assert.deepStrictEqual((yield* trash).manifests, [put.descriptor.digest])
      yield* early
      assert.deepStrictEqual((yield* trash).manifests, [])
    }).pipe(Effect.provide(keeping))
  )

  it.live("works where rights are granted by repository", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const digest = yield* seed("v1")
      yield* registry.deleteRepository("a/b")
      assert.deepStrictEqual((yield* trash).repositories, ["a/b"])
      yield* registry.restoreManifest("a/b", digest, { tag: "v1" })
      assert.strictEqual((yield* registry.tagProperties("a/b", "v1")).digest, digest)
    }).pipe(Effect.provide(emulated({ softDelete: {}, roleAssignmentMode: "rbac-abac" })))
  )
})

/** A login that may do with `a/b` all that a scope map can allow. */
const login = { username: "deployer", password: Redacted.make("only for this test") }
const limited = (options: AcrEmulator.Options) =>
  emulated(
    {
      ...options,
      scopeMapTokens: [
        {
          ...login,
          scopeMap: [
            {
              repository: "a/b",
              actions: ["content/read", "content/write", "content/delete", "metadata/read", "metadata/write"]
            }
          ]
        }
      ]
    },
    { credentials: Credentials.layerPassword(login) }
  )

describe("a caller without the permissions of the trash", () => {
  it.live("may delete, but neither list nor restore", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const digest = yield* seed("v1")
      yield* registry.deleteManifest("a/b", digest)
      for (const call of [
        Stream.runDrain(registry.deletedRepositories()),
        Stream.runDrain(registry.deletedManifests("a/b")),
        Stream.runDrain(registry.deletedTags("a/b")),
        registry.restoreManifest("a/b", digest)
      ]) {
        const { reason } = yield* Effect.flip(Effect.asVoid(call))
        assert.strictEqual(reason._tag, "Forbidden")
        if (reason._tag !== "Forbidden") continue
        assert.isTrue(
          reason.missing.every(({ action, name }) => `${name}:${action}`.includes("delete") || action === "*")
        )
        assert.isAbove(reason.missing.length, 0)
      }
    }).pipe(Effect.provide(limited({ softDelete: {} })))
  )
})

describe("a manifest in quarantine", () => {
  it.live("shows the result of its scan, and a caller with the role pulls it", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const content = yield* RegistryContent
      const digest = yield* seed("v1")
      assert.isUndefined((yield* registry.manifestProperties("a/b", digest)).quarantineState)
      const scan = { quarantineState: "Failed", quarantineDetails: '{"state":"scan failed"}' } as const
      assert.deepInclude(yield* registry.updateManifest("a/b", "v1", scan), scan)
      assert.deepInclude(yield* registry.updateManifest("a/b", digest, { canDelete: false }), scan)
      const listed = yield* Stream.runCollect(registry.manifests("a/b"))
      assert.deepStrictEqual(
        Arr.map(listed, ({ quarantineState }) => quarantineState),
        ["Failed"]
      )
      assert.strictEqual((yield* content.manifest("a/b", "v1")).descriptor.digest, digest)
    }).pipe(Effect.provide(emulated()))
  )

  it.live("is not found by tag and locked by digest for a caller without the role", () =>
    Effect.gen(function* () {
      const emulator = yield* AcrEmulator.AcrEmulator
      const registry = yield* ContainerRegistry
      const content = yield* RegistryContent
      const digest = yield* seed("v1")
      const asAdmin = AcrEmulator.layerRegistry({ credentials: Credentials.layerPassword(emulator.logins.adminUser) })
      const scan = (quarantineState: "Passed" | "Failed") =>
        Effect.flatMap(ContainerRegistry, (admin) => admin.updateManifest("a/b", digest, { quarantineState })).pipe(
          Effect.provide(asAdmin)
        )
      yield* scan("Failed")
      assert.strictEqual(yield* reasonOf(content.manifest("a/b", "v1")), "NotFound")
      assert.strictEqual(yield* reasonOf(content.manifest("a/b", digest)), "Locked")
      const release = registry.updateManifest("a/b", digest, { quarantineState: "Passed" })
      assert.strictEqual(yield* reasonOf(release), "Forbidden")
      yield* scan("Passed")
      assert.strictEqual((yield* content.manifest("a/b", "v1")).descriptor.digest, digest)
    }).pipe(Effect.provide(limited({})))
  )
})
