/**
 * The client against docker-registry, in each way in which that lets its callers in and names its addresses.
 */
import { createHash, randomBytes } from "node:crypto"
import { existsSync, readdirSync } from "node:fs"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Digest from "@effect-acr/client/Digest"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import type { Reason, RegistryError } from "@effect-acr/client/RegistryError"
import { assert, describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as PlatformError from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { isInstalled, temporaryFolder } from "./support/command.ts"
import * as Docker from "./support/dockerRegistry.ts"
import { digestOf, mebibyte, oneShot, pushImage } from "./support/dockerRegistryImage.ts"

const registries: ReadonlyArray<Docker.Options> = (["anonymous", "htpasswd", "token"] as const).flatMap((access) =>
  [true, false].map((relativeUrls) => ({ access, relativeUrls }))
)

const reasonOf = <A, R>(
  effect: Effect.Effect<A, RegistryError | PlatformError.PlatformError, R>
): Effect.Effect<Reason, A | PlatformError.PlatformError, R> =>
  Effect.flatMap(Effect.flip(effect), (error) =>
    error._tag === "RegistryError" ? Effect.succeed(error.reason) : Effect.fail(error)
  )

/** What is missing, if it is that why the effect fails. */
const missing = <A, R>(effect: Effect.Effect<A, RegistryError, R>) =>
  Effect.map(reasonOf(effect), (reason) => (reason._tag === "NotFound" ? reason.resource : reason._tag))

const pageSizes = [1, 3, 100]

/** The open upload sessions of a repository. What it leaves of closed ones is no session: the date makes one. */
const sessionsOf = (repository: string) =>
  Docker.DockerRegistry.useSync(({ storage }) => {
    const folder = join(storage, "docker/registry/v2/repositories", repository, "_uploads")
    return existsSync(folder) ? readdirSync(folder).filter((id) => existsSync(join(folder, id, "startedat"))) : []
  })

/** The file in which the registry keeps a blob or a manifest. */
const fileOf = (digest: Digest.Digest) =>
  Docker.DockerRegistry.useSync(({ storage }) => {
    const hex = Digest.hex(digest)
    return join(storage, "docker/registry/v2/blobs", Digest.algorithm(digest), hex.slice(0, 2), hex, "data")
  })

for (const options of registries) {
  const name = `docker-registry, ${options.access}, ${options.relativeUrls ? "relative" : "absolute"} URLs`
  const Registry = Docker.layerContent().pipe(
    Layer.provideMerge(Docker.layer(options)),
    Layer.merge(NodeFileSystem.layer)
  )

  describe.runIf(isInstalled("docker-registry"))(name, () => {
    layer(Registry, { excludeTestServices: true })((it) => {
      it.effect("gives an image back as it came, by each of its tags and by its digest", () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const repository = "images/multi-layer"
          const pushed = yield* pushImage(repository, { tags: ["v1", "v1.0", "latest"] })
          assert.strictEqual(pushed.descriptor.digest, digestOf(pushed.bytes))

          for (const reference of ["v1", "v1.0", "latest", pushed.descriptor.digest]) {
            const { bytes, descriptor, manifest } = yield* content.manifest(repository, reference)
            assert.isTrue(Buffer.from(bytes).equals(pushed.bytes), reference)
            assert.deepStrictEqual(descriptor, pushed.descriptor)
            assert.deepStrictEqual(manifest, pushed.manifest)
            assert.deepStrictEqual(yield* content.resolve(repository, reference), pushed.descriptor)
          }
          for (const { bytes, descriptor } of pushed.blobs) {
            assert.strictEqual(descriptor.digest, digestOf(bytes))
            assert.strictEqual(descriptor.size, bytes.length)
            const found = yield* content.headBlob(repository, descriptor.digest)
            assert.deepStrictEqual([found.digest, found.size], [descriptor.digest, bytes.length])
            assert.isTrue(Buffer.from(yield* content.blobBytes(repository, descriptor)).equals(bytes))
            const pieces = yield* Stream.runCollect(content.blob(repository, descriptor.digest))
            assert.isTrue(Buffer.concat(pieces).equals(bytes))
          }
          assert.deepStrictEqual(yield* sessionsOf(repository), [])
        })
      )

      it.effect("takes a blob by sha512 too", () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const bytes = randomBytes(2 * mebibyte)
          const blob = yield* content.uploadBlob("images/sha512", BlobSource.fromBytes(bytes), { algorithm: "sha512" })
          assert.strictEqual(blob.digest, `sha512:${createHash("sha512").update(bytes).digest("hex")}`)
          assert.isTrue(Buffer.from(yield* content.blobBytes("images/sha512", blob)).equals(bytes))
        })
      )

      it.effect("lists each tag once, by pages of any size", () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const tags = ["v2", "v10", "latest", "V1", "_under", "0", "a.b-c"]
          yield* pushImage("images/tags", { tags })
          for (const pageSize of pageSizes) {
            const listed = yield* Stream.runCollect(content.tags("images/tags", { pageSize }))
            // It knows neither pages nor order; that it is asked for them must do no harm.
            assert.deepStrictEqual(listed.map(String).toSorted(), tags.toSorted())
          }
        })
      )

      it.effect("keeps an index of two images", () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const repository = "images/index"
          const architectures = ["amd64", "arm64"]
          const images = yield* Effect.forEach(architectures, (architecture) => pushImage(repository, { architecture }))
          const made = Manifest.index({
            manifests: images.map(({ descriptor }, at) => ({
              ...descriptor,
              platform: { os: "linux", architecture: architectures[at] ?? "" }
            }))
          })
          const { descriptor: put } = yield* content.putManifest(repository, made, { tag: "both" })
          assert.strictEqual(put.mediaType, MediaType.ociImageIndex)
          assert.deepStrictEqual(yield* content.resolve(repository, "both"), put)
          const { descriptor, manifest } = yield* content.manifest(repository, "both")
          assert.deepStrictEqual(descriptor, put)
          assert.deepStrictEqual(manifest, made)
          for (const image of made.manifests) {
            const inner = yield* content.manifest(repository, image.digest)
            assert.strictEqual(inner.manifest._tag, "ImageManifest")
          }
        })
      )

      it.effect("takes a blob over from another repository, by itself or instead of an upload", () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const bytes = randomBytes(mebibyte)
          const { digest } = yield* content.uploadBlob("mount/from", BlobSource.fromBytes(bytes))
          yield* content.mountBlob("mount/to", { digest, from: "mount/from" })
          assert.isTrue(Buffer.from(yield* content.blobBytes("mount/to", digest)).equals(bytes))

          const unread = BlobSource.fromStream(Stream.die("the content was not to be sent"))
          const mounted = yield* content.uploadBlob("mount/other", unread, { digest, mountFrom: "mount/from" })
          assert.deepStrictEqual([mounted.digest, mounted.size], [digest, bytes.length])
          assert.isTrue(Buffer.from(yield* content.blobBytes("mount/other", digest)).equals(bytes))

          const absent = { digest: digestOf("never pushed"), from: "mount/from" }
          assert.strictEqual(yield* missing(content.mountBlob("mount/to", absent)), "blob")
          const sent = yield* content.uploadBlob("mount/to", BlobSource.fromString("only here"), {
            digest: digestOf("only here"),
            mountFrom: "mount/from"
          })
          assert.strictEqual(sent.digest, digestOf("only here"))
          assert.deepStrictEqual(yield* sessionsOf("mount/to"), [])
        })
      )

      it.effect("gives a blob into a file, and parts of it", () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const folder = yield* temporaryFolder
          const bytes = randomBytes(5 * mebibyte + 3)
          const blob = yield* content.uploadBlob("blobs/parts", BlobSource.fromBytes(bytes))
          const target = join(folder, "layer.tar")
          yield* content.downloadBlob("blobs/parts", blob, target)
          assert.isTrue((yield* Effect.promise(() => readFile(target))).equals(bytes))
          assert.deepStrictEqual(readdirSync(folder), ["layer.tar"])

          const parts = [
            { offset: 0, length: 1 },
            { offset: 1, length: mebibyte },
            { offset: bytes.length - 5, length: 5 },
            // No more than there is.
            { offset: bytes.length - 5, length: 500 }
          ]
          for (const { length, offset } of parts) {
            const pieces = yield* Stream.runCollect(content.blobRange("blobs/parts", blob.digest, { offset, length }))
            assert.isTrue(Buffer.concat(pieces).equals(bytes.subarray(offset, offset + length)), `${offset} ${length}`)
          }
        })
      )

      it.effect("deletes a manifest with all its tags, and a blob, each once", () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const repository = "images/deleted"
          const kept = yield* pushImage(repository, { tags: ["kept"] })
          const pushed = yield* pushImage(repository, { tags: ["v1", "latest"], architecture: "arm64" })
          assert.strictEqual(yield* content.deleteManifest(repository, "v1"), pushed.descriptor.digest)
          for (const reference of ["v1", "latest", pushed.descriptor.digest]) {
            assert.strictEqual(yield* missing(content.resolve(repository, reference)), "manifest", reference)
            assert.strictEqual(yield* missing(content.manifest(repository, reference)), "manifest", reference)
            assert.strictEqual(yield* missing(content.deleteManifest(repository, reference)), "manifest", reference)
          }
          assert.strictEqual((yield* content.resolve(repository, "kept")).digest, kept.descriptor.digest)
          assert.deepStrictEqual((yield* Stream.runCollect(content.tags(repository))).map(String), ["kept"])

          const { digest } = yield* content.uploadBlob(repository, BlobSource.fromString("to be deleted"))
          yield* content.deleteBlob(repository, digest)
          assert.strictEqual(yield* missing(content.headBlob(repository, digest)), "blob")
          assert.strictEqual(yield* missing(content.blobBytes(repository, digest)), "blob")
          assert.strictEqual(yield* missing(content.deleteBlob(repository, digest)), "blob")
        })
      )

      it.effect("says what is not there", () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const absent = digestOf("never pushed")
          yield* content.uploadBlob("there", BlobSource.fromString("something"))
          assert.strictEqual(yield* missing(Stream.runDrain(content.tags("not/there"))), "repository")
          for (const repository of ["there", "not/there"]) {
            assert.strictEqual(yield* missing(content.resolve(repository, "v1")), "manifest")
            assert.strictEqual(yield* missing(content.manifest(repository, "v1")), "manifest")
            assert.strictEqual(yield* missing(content.manifest(repository, absent)), "manifest")
            assert.strictEqual(yield* missing(content.deleteManifest(repository, absent)), "manifest")
            assert.strictEqual(yield* missing(content.headBlob(repository, absent)), "blob")
            assert.strictEqual(yield* missing(Stream.runDrain(content.blob(repository, absent))), "blob")
            const part = content.blobRange(repository, absent, { offset: 1, length: 1 })
            assert.strictEqual(yield* missing(Stream.runDrain(part)), "blob")
            assert.strictEqual(yield* missing(content.deleteBlob(repository, absent)), "blob")
          }
        })
      )

      it.effect("gets nothing from an upload of other content than its digest names, or one that breaks off", () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const repository = "blobs/failed"
          const bytes = randomBytes(3 * mebibyte)
          const digest = digestOf("something else")
          for (const source of [BlobSource.fromBytes(bytes), oneShot(bytes), BlobSource.fromString("small")]) {
            const reason = yield* reasonOf(content.uploadBlob(repository, source, { digest, chunkSize: mebibyte }))
            assert.strictEqual(reason._tag, "ContentMismatch")
          }
          const broken = Stream.concat(Stream.make(bytes), Stream.fail("the source broke"))
          assert.strictEqual(
            yield* Effect.flip(content.uploadBlob(repository, BlobSource.fromStream(broken), { chunkSize: mebibyte })),
            "the source broke"
          )
          const interrupted = yield* content
            .uploadBlob(repository, oneShot(bytes), {
              chunkSize: mebibyte,
              onProgress: ({ doneBytes }) => (doneBytes >= 2 * mebibyte ? Effect.interrupt : Effect.void)
            })
            .pipe(Effect.exit)
          assert.isTrue(Exit.hasInterrupts(interrupted))

          assert.deepStrictEqual(yield* sessionsOf(repository), [])
          for (const absent of [digest, digestOf(bytes), digestOf("small")]) {
            assert.strictEqual(yield* missing(content.headBlob(repository, absent)), "blob")
          }
        })
      )

      it.effect("does not pass on what its storage has spoilt", () =>
        Effect.gen(function* () {
          const content = yield* RegistryContent
          const repository = "images/spoilt"
          const folder = yield* temporaryFolder
          const bytes = randomBytes(2 * mebibyte)
          const blob = yield* content.uploadBlob(repository, BlobSource.fromBytes(bytes))
          const file = yield* fileOf(blob.digest)
          yield* Effect.promise(() =>
            writeFile(
              file,
              bytes.map((byte, at) => (at === mebibyte ? byte ^ 1 : byte))
            )
          )

          const ways = [
            Stream.runDrain(content.blob(repository, blob.digest)),
            content.blobBytes(repository, blob),
            content.downloadBlob(repository, blob, join(folder, "layer.tar"))
          ]
          for (const way of ways) assert.strictEqual((yield* reasonOf(way))._tag, "ContentMismatch")
          assert.deepStrictEqual(readdirSync(folder), [])
        })
      )
    })
  })
}
