/**
 * What `Azure.Containers.ContainerRegistry` for .NET does, done here: the tests that docs/from-dotnet.md points to, where
 * none of the others shows it as plainly.
 */
import { createHash } from "node:crypto"
import {
  BlobSource,
  ContainerRegistry,
  Digest,
  Manifest,
  ManifestProperties,
  MediaType,
  Operation,
  RegistryContent,
  RepositoryName,
  RepositoryProperties,
  Reference,
  Tag,
  TagProperties,
  TokenScope,
  Transport
} from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { emulated } from "./support/emulator.ts"

const hello = "library/hello-world"
const registry = ContainerRegistry.ContainerRegistry
const content = RegistryContent.RegistryContent

/** One image a day, oldest first, and their digests. */
const week = Effect.gen(function* () {
  const { seed } = yield* AcrEmulator.AcrEmulator
  const [first, second, third] = yield* Effect.forEach(["v1", "v2", "v3"], (tag, day) =>
    seed({ repository: hello, tags: [tag], layers: [tag], pushedAt: DateTime.makeUnsafe(Date.UTC(2026, 0, day + 1)) })
  )
  return [first ?? "", second ?? "", third ?? ""] as const
})

const names = Stream.map(({ name }: { readonly name: string }) => name)

describe("a registry", () => {
  it.live("knows its address, and the references of what it holds", () =>
    Effect.gen(function* () {
      const { endpoint, loginServer, reference } = yield* registry
      const emulator = yield* AcrEmulator.AcrEmulator
      assert.deepStrictEqual([endpoint, loginServer], [emulator.endpoint, emulator.loginServer])
      const digest = `sha256:${"1b".repeat(32)}`
      assert.strictEqual(Reference.format(yield* reference(hello, "v1")), `${loginServer}/${hello}:v1`)
      assert.strictEqual(Reference.format(yield* reference(hello, digest)), `${loginServer}/${hello}@${digest}`)
    }).pipe(Effect.provide(emulated()))
  )

  it.live("is asked in version 2021-07-01 of its API", () =>
    Effect.gen(function* () {
      const { journal } = yield* AcrEmulator.AcrEmulator
      yield* Stream.runDrain((yield* registry).repositories())
      const versions = (yield* journal)
        .filter(({ path }) => path.startsWith("/acr/v1/"))
        .map(({ query }) => new URLSearchParams(query).get("api-version"))
      assert.deepStrictEqual([...new Set(versions)], ["2021-07-01"])
    }).pipe(Effect.provide(emulated()))
  )

  it.live("is asked for what is not wrapped by an operation of one's own", () =>
    Effect.gen(function* () {
      yield* week
      const { execute } = yield* Transport.Transport
      const operation: Operation.Operation<ReadonlyArray<string>> = {
        name: "Tags.list",
        method: "GET",
        path: Operation.path`/v2/library/hello-world/tags/list`,
        scopes: [TokenScope.repository(hello, "pull")],
        bucket: "read",
        missing: "repository",
        success: [200],
        decode: (response) =>
          Effect.map(
            Operation.json(Schema.Struct({ tags: Schema.Array(Schema.String) }))(response),
            ({ tags }) => tags
          ),
        repeat: "always"
      }
      assert.deepStrictEqual(yield* execute(operation), ["v1", "v2", "v3"])
    }).pipe(Effect.provide(emulated()))
  )

  it.live("tells why it refuses: status, code, message", () =>
    Effect.gen(function* () {
      const { repositoryProperties } = yield* registry
      const { reason, response } = yield* Effect.flip(repositoryProperties("nobody/knows"))
      assert.strictEqual(reason._tag, "NotFound")
      assert.strictEqual(response?.status, 404)
      assert.deepStrictEqual(
        response?.errors.map(({ code, message }) => [code, message]),
        [["NAME_UNKNOWN", 'repository "nobody/knows" is not found']]
      )
    }).pipe(Effect.provide(emulated()))
  )
})

describe("a repository", () => {
  it.live("tells its properties", () =>
    Effect.gen(function* () {
      yield* week
      const { loginServer, repositoryProperties } = yield* registry
      const { createdOn, lastUpdatedOn, raw: _, ...properties } = yield* repositoryProperties(hello)
      assert.deepStrictEqual(
        { ...properties },
        {
          registryLoginServer: loginServer,
          name: RepositoryName.RepositoryName.make(hello),
          manifestCount: 3,
          tagCount: 3,
          canDelete: true,
          canList: true,
          canRead: true,
          canWrite: true
        }
      )
      assert.strictEqual(DateTime.formatIso(createdOn), "2026-01-01T00:00:00.000Z")
      assert.strictEqual(DateTime.formatIso(lastUpdatedOn), "2026-01-03T00:00:00.000Z")
    }).pipe(Effect.provide(emulated()))
  )

  it.live("is locked, and says so", () =>
    Effect.gen(function* () {
      yield* week
      const { repositoryProperties, updateRepository } = yield* registry
      const locked = yield* updateRepository(hello, { canDelete: false, canWrite: false })
      assert.deepStrictEqual(locked, yield* repositoryProperties(hello))
      assert.deepStrictEqual(
        [locked.canDelete, locked.canList, locked.canRead, locked.canWrite],
        [false, true, true, false]
      )
    }).pipe(Effect.provide(emulated()))
  )

  it.live("is deleted, and tells what went with it", () =>
    Effect.gen(function* () {
      const digests = yield* week
      const { deleteRepository, repositories } = yield* registry
      const { manifests, tags } = yield* deleteRepository(hello)
      assert.sameMembers(manifests.map(String), [...digests])
      assert.sameMembers(tags.map(String), ["v1", "v2", "v3"])
      assert.deepStrictEqual(yield* Stream.runCollect(repositories()), [])
    }).pipe(Effect.provide(emulated()))
  )
})

describe("manifests", () => {
  it.live("are listed by the time of their last change, either way, or by name", () =>
    Effect.gen(function* () {
      const digests = yield* week
      const { manifests } = yield* registry
      const list = (options: ContainerRegistry.OrderedListOptions) =>
        manifests(hello, options).pipe(
          Stream.map(({ digest }) => String(digest)),
          Stream.runCollect
        )
      assert.deepStrictEqual(yield* list({ orderBy: "oldest" }), [...digests])
      assert.deepStrictEqual(yield* list({ orderBy: "newest" }), digests.toReversed())
      assert.deepStrictEqual(yield* list({}), digests.toSorted())
    }).pipe(Effect.provide(emulated()))
  )

  it.live("tell their properties", () =>
    Effect.gen(function* () {
      const [digest] = yield* week
      const { loginServer, manifestProperties } = yield* registry
      const {
        createdOn,
        lastUpdatedOn,
        raw: _,
        sizeInBytes = 0,
        ...properties
      } = yield* manifestProperties(hello, "v1")
      assert.deepStrictEqual(
        { ...properties },
        {
          registryLoginServer: loginServer,
          repositoryName: RepositoryName.RepositoryName.make(hello),
          digest: Digest.Digest.make(digest),
          mediaType: MediaType.ociImageManifest,
          configMediaType: MediaType.ociImageConfig,
          architecture: "amd64",
          operatingSystem: "linux",
          tags: [Tag.Tag.make("v1")],
          relatedArtifacts: [],
          canDelete: true,
          canList: true,
          canRead: true,
          canWrite: true
        }
      )
      assert.isAbove(sizeInBytes, 0)
      assert.deepStrictEqual([createdOn, lastUpdatedOn].map(DateTime.formatIso), [
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00:00.000Z"
      ])
    }).pipe(Effect.provide(emulated()))
  )

  it.live("of several platforms tell of each", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: hello, tags: ["v1"], platforms: ["linux/arm64", "windows/amd64"] })
      const { manifestProperties } = yield* registry
      const { relatedArtifacts } = yield* manifestProperties(hello, "v1")
      assert.deepStrictEqual(
        relatedArtifacts.map(({ architecture, operatingSystem }) => `${operatingSystem}/${architecture}`),
        ["linux/arm64", "windows/amd64"]
      )
      for (const { digest } of relatedArtifacts) {
        assert.strictEqual((yield* manifestProperties(hello, digest)).digest, digest)
      }
    }).pipe(Effect.provide(emulated()))
  )

  it.live("are locked by tag or by digest, and say so", () =>
    Effect.gen(function* () {
      const [digest] = yield* week
      const { manifestProperties, updateManifest } = yield* registry
      yield* updateManifest(hello, "v1", { canDelete: false })
      const locked = yield* updateManifest(hello, digest, { canWrite: false })
      assert.deepStrictEqual(locked, yield* manifestProperties(hello, digest))
      assert.deepStrictEqual(
        [locked.canDelete, locked.canList, locked.canRead, locked.canWrite],
        [false, true, true, false]
      )
    }).pipe(Effect.provide(emulated()))
  )

  it.live("are deleted by tag or by digest, with all their tags", () =>
    Effect.gen(function* () {
      const [first, second, third] = yield* week
      const { deleteManifest, tags } = yield* registry
      assert.strictEqual(yield* deleteManifest(hello, "v1"), first)
      assert.strictEqual(yield* deleteManifest(hello, second), second)
      assert.deepStrictEqual(
        yield* tags(hello).pipe(
          Stream.map(({ digest }) => String(digest)),
          Stream.runCollect
        ),
        [third]
      )
    }).pipe(Effect.provide(emulated()))
  )
})

describe("tags", () => {
  it.live("are listed by the time of their last change, either way, or by name", () =>
    Effect.gen(function* () {
      yield* week
      const { tags } = yield* registry
      assert.deepStrictEqual(yield* tags(hello, { orderBy: "newest" }).pipe(names, Stream.runCollect), [
        "v3",
        "v2",
        "v1"
      ])
      assert.deepStrictEqual(yield* tags(hello, { orderBy: "oldest" }).pipe(names, Stream.runCollect), [
        "v1",
        "v2",
        "v3"
      ])
      assert.deepStrictEqual(yield* tags(hello).pipe(names, Stream.runCollect), ["v1", "v2", "v3"])
    }).pipe(Effect.provide(emulated()))
  )

  it.live("of one manifest are listed alone", () =>
    Effect.gen(function* () {
      const [, digest] = yield* week
      const { tags } = yield* registry
      assert.deepStrictEqual(yield* tags(hello, { digest }).pipe(names, Stream.runCollect), ["v2"])
    }).pipe(Effect.provide(emulated()))
  )

  it.live("tell their properties", () =>
    Effect.gen(function* () {
      const [digest] = yield* week
      const { loginServer, tagProperties } = yield* registry
      const { createdOn, lastUpdatedOn, raw: _, ...properties } = yield* tagProperties(hello, "v1")
      assert.deepStrictEqual(
        { ...properties },
        {
          registryLoginServer: loginServer,
          repositoryName: RepositoryName.RepositoryName.make(hello),
          name: Tag.Tag.make("v1"),
          digest: Digest.Digest.make(digest),
          canDelete: true,
          canList: true,
          canRead: true,
          canWrite: true
        }
      )
      assert.deepStrictEqual([createdOn, lastUpdatedOn].map(DateTime.formatIso), [
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00:00.000Z"
      ])
    }).pipe(Effect.provide(emulated()))
  )

  it.live("are locked, and say so", () =>
    Effect.gen(function* () {
      yield* week
      const { tagProperties, updateTag } = yield* registry
      const locked = yield* updateTag(hello, "v1", { canDelete: false, canRead: false })
      assert.deepStrictEqual(locked, yield* tagProperties(hello, "v1"))
      assert.deepStrictEqual(
        [locked.canDelete, locked.canList, locked.canRead, locked.canWrite],
        [false, true, false, true]
      )
    }).pipe(Effect.provide(emulated()))
  )

  it.live("are deleted, and leave their manifest", () =>
    Effect.gen(function* () {
      const [digest] = yield* week
      const { deleteTag, manifestProperties } = yield* registry
      assert.strictEqual(Option.getOrUndefined(yield* deleteTag(hello, "v1")), digest)
      assert.deepStrictEqual((yield* manifestProperties(hello, digest)).tags, [])
    }).pipe(Effect.provide(emulated()))
  )
})

describe("content", () => {
  it.live("goes up from bytes, a stream and a file, to one digest", () =>
    Effect.gen(function* () {
      const { uploadBlob } = yield* content
      const files = yield* FileSystem.FileSystem
      const path = yield* files.makeTempFileScoped()
      const bytes = new TextEncoder().encode("the same")
      yield* files.writeFile(path, bytes)
      const uploaded = yield* Effect.all([
        uploadBlob("a/bytes", BlobSource.fromBytes(bytes)),
        uploadBlob("a/stream", BlobSource.fromStream(Stream.make(bytes))),
        uploadBlob("a/file", BlobSource.fromFile(path))
      ])
      const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`
      assert.deepStrictEqual(
        uploaded.map(({ digest: own, size }) => `${own} ${size}`),
        Array(3).fill(`${digest} 8`)
      )
    }).pipe(Effect.provide([emulated(), NodeFileSystem.layer]))
  )

  it.live("comes down into memory, as a stream, and into a file", () =>
    Effect.gen(function* () {
      const { blob, blobBytes, downloadBlob, uploadBlob } = yield* content
      const files = yield* FileSystem.FileSystem
      const path = `${yield* files.makeTempDirectoryScoped()}/blob`
      const { digest } = yield* uploadBlob("a", BlobSource.fromString("the same"))
      yield* downloadBlob("a", digest, path)
      const read = [
        new TextDecoder().decode(yield* blobBytes("a", digest)),
        yield* blob("a", digest).pipe(Stream.decodeText(), Stream.mkString),
        yield* files.readFileString(path)
      ]
      assert.deepStrictEqual(read, ["the same", "the same", "the same"])
    }).pipe(Effect.provide([emulated(), NodeFileSystem.layer]))
  )

  it.live("that is deleted is gone", () =>
    Effect.gen(function* () {
      const { deleteBlob, headBlob, uploadBlob } = yield* content
      const { digest } = yield* uploadBlob("a", BlobSource.fromString("the same"))
      yield* deleteBlob("a", digest)
      const { reason } = yield* Effect.flip(headBlob("a", digest))
      assert.strictEqual(reason._tag === "NotFound" ? reason.resource : reason._tag, "blob")
    }).pipe(Effect.provide(emulated()))
  )

  it.live("is an image by a manifest, which goes up, comes down as it went, and is deleted", () =>
    Effect.gen(function* () {
      const { deleteManifest, manifest: get, putManifest, resolve, uploadBlob } = yield* content
      const config = yield* uploadBlob("a", BlobSource.fromString("{}"), { mediaType: MediaType.ociImageConfig })
      const layer = yield* uploadBlob("a", BlobSource.fromString("layer"), { mediaType: MediaType.ociImageLayer })
      const image = Manifest.image({
        config,
        layers: [{ ...layer, annotations: { "org.opencontainers.image.title": "layer.txt" } }],
        annotations: { "com.contoso.built-by": "a test" }
      })
      const {
        descriptor: { digest }
      } = yield* putManifest("a", image, { tag: "v1" })

      const { bytes, descriptor, manifest } = yield* get("a", "v1")
      assert.deepStrictEqual(manifest, image)
      assert.strictEqual(new TextDecoder().decode(bytes), Manifest.format(image))
      assert.deepStrictEqual([descriptor.digest, descriptor.mediaType], [digest, MediaType.ociImageManifest])

      assert.strictEqual(yield* deleteManifest("a", "v1"), digest)
      assert.strictEqual((yield* Effect.flip(resolve("a", digest))).reason._tag, "NotFound")
    }).pipe(Effect.provide(emulated()))
  )

  it.live("of another type goes up as the bytes that it is", () =>
    Effect.gen(function* () {
      const { manifest, putManifest, uploadBlob } = yield* content
      const config = yield* uploadBlob("a", BlobSource.fromString("{}"), { mediaType: MediaType.dockerImageConfig })
      const text = JSON.stringify(
        { schemaVersion: 2, mediaType: MediaType.dockerManifest, config, layers: [] },
        null,
        3
      )
      const {
        descriptor: { digest }
      } = yield* putManifest("a", text)
      const pulled = yield* manifest("a", digest)
      assert.strictEqual(new TextDecoder().decode(pulled.bytes), text)
      assert.strictEqual(pulled.descriptor.mediaType, MediaType.dockerManifest)
    }).pipe(Effect.provide(emulated()))
  )
})

describe("models", () => {
  it("are made without a registry", () => {
    const digest = Digest.Digest.make(`sha256:${"1b".repeat(32)}`)
    const repository = RepositoryName.RepositoryName.make(hello)
    const at = DateTime.makeUnsafe("2026-01-01")
    const record = { registryLoginServer: "myregistry.azurecr.io", createdOn: at, lastUpdatedOn: at }
    assert.isTrue(
      RepositoryProperties.RepositoryProperties.make({ ...record, name: repository, manifestCount: 1, tagCount: 1 })
        .canDelete
    )
    assert.isTrue(
      TagProperties.TagProperties.make({ ...record, repositoryName: repository, name: Tag.Tag.make("v1"), digest })
        .canDelete
    )
    assert.deepStrictEqual(
      ManifestProperties.ManifestProperties.make({
        ...record,
        repositoryName: repository,
        digest,
        tags: [],
        relatedArtifacts: [ManifestProperties.RelatedArtifact.make({ digest, architecture: "amd64" })]
      }).relatedArtifacts,
      [{ digest, architecture: "amd64" }]
    )
  })
})
