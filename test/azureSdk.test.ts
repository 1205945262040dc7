/**
 * The published JavaScript client of Azure against the emulator: what it takes for a registry may be called one.
 */
import { createHash, randomBytes } from "node:crypto"
import { buffer } from "node:stream/consumers"
import {
  ContainerRegistryClient,
  ContainerRegistryContentClient,
  KnownManifestMediaType
} from "@azure/container-registry"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { requests } from "./support/emulator.ts"

const audience = "https://containerregistry.azure.net"

/** What its clients are made with. */
const setting = Effect.map(AcrEmulator.AcrEmulator, ({ certificate, endpoint, logins }) => ({
  endpoint,
  credential: {
    getToken: () =>
      Promise.resolve({ token: Redacted.value(logins.entraToken), expiresOnTimestamp: Date.now() + 3_600_000 })
  },
  options: { audience, tlsOptions: { ca: Option.getOrThrow(certificate) }, retryOptions: { maxRetries: 0 } }
}))

const client = Effect.map(
  setting,
  ({ credential, endpoint, options }) => new ContainerRegistryClient(endpoint, credential, options)
)

const contentClient = (repository: string) =>
  Effect.map(
    setting,
    ({ credential, endpoint, options }) => new ContainerRegistryContentClient(endpoint, repository, credential, options)
  )

const collect = <A>(items: AsyncIterable<A>): Effect.Effect<ReadonlyArray<A>> =>
  Stream.fromAsyncIterable(items, (cause) => cause).pipe(Stream.runCollect, Effect.orDie)

/** What a call is refused with. */
const statusOf = (call: () => Promise<unknown>) =>
  Effect.promise(() =>
    call().then(
      () => 200,
      (error: unknown) =>
        typeof error === "object" && error !== null && "statusCode" in error ? error.statusCode : error
    )
  )

const sha256 = (bytes: Uint8Array): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`

describe("the Azure SDK for JavaScript", () => {
  it.live("lists repositories, tags and manifests, in pages", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const registry = yield* client
      const names = ["alpine", "busybox", "library/hello-world", "nginx", "redis"]
      const digests = yield* Effect.forEach(names, (repository) => seed({ repository, tags: ["v1", "v2"] }))
      const newer = yield* seed({ repository: "alpine", tags: ["v3"], layers: ["newer"] })

      assert.deepStrictEqual(yield* collect(registry.listRepositoryNames()), names)
      const pages = yield* collect(registry.listRepositoryNames().byPage({ maxPageSize: 2 }))
      assert.deepStrictEqual(
        pages.map((page) => Array.from(page)),
        [names.slice(0, 2), names.slice(2, 4), names.slice(4)]
      )

      const repository = registry.getRepository("alpine")
      const tagsByPage = (order: "LastUpdatedOnDescending" | "LastUpdatedOnAscending") =>
        Effect.map(collect(repository.listManifestProperties({ order }).byPage({ maxPageSize: 1 })), (pages) =>
          pages.map((page) => Array.from(page, ({ tags }) => tags))
        )
      // Both ways, as digests differ from run to run and may be in one of these orders by chance.
      assert.deepStrictEqual(yield* tagsByPage("LastUpdatedOnDescending"), [[["v3"]], [["v1", "v2"]]])
      assert.deepStrictEqual(yield* tagsByPage("LastUpdatedOnAscending"), [[["v1", "v2"]], [["v3"]]])
      // That client never narrows the list to its artifact's own tags.
      const [digest = ""] = digests
      const tags = yield* collect(registry.getArtifact("alpine", digest).listTagProperties())
      assert.deepStrictEqual(
        tags.map((tag) => [tag.name, tag.digest]),
        [
          ["v1", digest],
          ["v2", digest],
          ["v3", newer]
        ]
      )
      const tagPages = yield* collect(
        registry.getArtifact("alpine", digest).listTagProperties().byPage({ maxPageSize: 2 })
      )
      assert.deepStrictEqual(
        tagPages.map((page) => Array.from(page, ({ name }) => name)),
        [["v1", "v2"], ["v3"]]
      )
    }).pipe(Effect.provide(AcrEmulator.layer({ https: true })))
  )

  it.live("reads, locks and deletes", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const registry = yield* client
      const digest = yield* seed({ repository: "alpine", tags: ["v1", "v2"], platforms: ["linux/arm64"] })
      const repository = registry.getRepository("alpine")
      const artifact = registry.getArtifact("alpine", "v1")

      const properties = yield* Effect.promise(() => repository.getProperties())
      assert.deepInclude(properties, { name: "alpine", tagCount: 2, manifestCount: 1 })
      const manifest = yield* Effect.promise(() => artifact.getManifestProperties())
      assert.deepInclude(manifest, { digest, architecture: "arm64", operatingSystem: "linux", canDelete: true })

      const locked = yield* Effect.promise(() => artifact.updateTagProperties("v1", { canDelete: false }))
      assert.isFalse(locked.canDelete)
      assert.strictEqual(yield* statusOf(() => artifact.deleteTag("v1")), 405)
      yield* Effect.promise(() => artifact.updateTagProperties("v1", { canDelete: true }))
      yield* Effect.promise(() => artifact.updateManifestProperties({ canDelete: false }))
      assert.strictEqual(yield* statusOf(() => artifact.delete()), 405)
      yield* Effect.promise(() => artifact.updateManifestProperties({ canDelete: true }))
      yield* Effect.promise(() => repository.updateProperties({ canDelete: false }))
      assert.strictEqual(yield* statusOf(() => repository.delete()), 405)
      yield* Effect.promise(() => repository.updateProperties({ canDelete: true }))

      yield* Effect.promise(() => artifact.deleteTag("v2"))
      assert.strictEqual(yield* statusOf(() => artifact.getTagProperties("v2")), 404)
      yield* Effect.promise(() => artifact.delete())
      assert.deepStrictEqual(yield* collect(repository.listManifestProperties()), [])
      yield* Effect.promise(() => repository.delete())
      assert.strictEqual(yield* statusOf(() => repository.getProperties()), 404)
    }).pipe(Effect.provide(AcrEmulator.layer({ https: true })))
  )

  it.live("lists anonymously where everyone may pull", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const { endpoint, options } = yield* setting
      const registry = new ContainerRegistryClient(endpoint, options)
      yield* seed({ repository: "alpine", tags: ["v1"] })
      assert.deepStrictEqual(yield* collect(registry.listRepositoryNames()), ["alpine"])
    }).pipe(Effect.provide(AcrEmulator.layer({ https: true, anonymousPull: true })))
  )

  it.live("is refused as an anonymous caller, and with a token that is not known", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const { endpoint, options } = yield* setting
      yield* seed({ repository: "alpine", tags: ["v1"] })
      const stranger = {
        getToken: () => Promise.resolve({ token: "somebody-else's", expiresOnTimestamp: Date.now() + 3_600_000 })
      }
      for (const registry of [
        new ContainerRegistryClient(endpoint, options),
        new ContainerRegistryClient(endpoint, stranger, options)
      ]) {
        assert.strictEqual(yield* statusOf(() => registry.getRepository("alpine").getProperties()), 401)
      }
    }).pipe(Effect.provide(AcrEmulator.layer({ https: true })))
  )

  for (const [size, chunks, name] of [
    [0, 0, "of nothing"],
    [1000, 1, "of a kilobyte"],
    [4 * 1024 * 1024, 1, "of just one chunk"],
    [9 * 1024 * 1024 + 1, 3, "of three chunks"]
  ] as const) {
    it.live(`uploads and downloads a blob ${name}`, () =>
      Effect.gen(function* () {
        const content = yield* contentClient("artifacts/blob")
        const bytes = randomBytes(size)
        const uploaded = yield* Effect.promise(() => content.uploadBlob(bytes))
        assert.deepStrictEqual({ ...uploaded }, { digest: sha256(bytes), sizeInBytes: size })
        assert.strictEqual((yield* requests).filter((request) => request.startsWith("PATCH ")).length, chunks)
        const downloaded = yield* Effect.promise(async () => {
          const { content: stream } = await content.downloadBlob(sha256(bytes))
          return buffer(stream)
        })
        assert.isTrue(downloaded.equals(bytes))
        yield* Effect.promise(() => content.deleteBlob(sha256(bytes)))
        assert.strictEqual(yield* statusOf(() => content.downloadBlob(sha256(bytes))), 404)
      }).pipe(Effect.provide(AcrEmulator.layer({ https: true })))
    )
  }

  it.live("uploads an image's manifest, gets it back, and deletes it", () =>
    Effect.gen(function* () {
      const content = yield* contentClient("artifacts/image")
      const config = Buffer.from("{}")
      const layer = Buffer.from("a layer")
      yield* Effect.promise(() => content.uploadBlob(config))
      yield* Effect.promise(() => content.uploadBlob(layer))
      const manifest = {
        schemaVersion: 2,
        mediaType: KnownManifestMediaType.OciImageManifest,
        config: { mediaType: "application/vnd.oci.image.config.v1+json", digest: sha256(config), size: config.length },
        layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", digest: sha256(layer), size: layer.length }]
      } as const
      const { digest } = yield* Effect.promise(() =>
        content.setManifest({ ...manifest, layers: [...manifest.layers] }, { tag: "v1" })
      )
      const got = yield* Effect.promise(() => content.getManifest("v1"))
      assert.strictEqual(got.digest, digest)
      assert.strictEqual(sha256(got.content), digest)
      assert.strictEqual(got.mediaType, manifest.mediaType)
      assert.deepStrictEqual(got.manifest, manifest)
      yield* Effect.promise(() => content.deleteManifest(digest))
      assert.strictEqual(yield* statusOf(() => content.getManifest("v1")), 404)
    }).pipe(Effect.provide(AcrEmulator.layer({ https: true })))
  )
})
