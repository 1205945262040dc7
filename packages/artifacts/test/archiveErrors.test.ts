/**
 * Archives and artifacts with one fault: the reason names it, and says whether a retry helps.
 */
import { spawnSync } from "node:child_process"
import { gzipSync } from "node:zlib"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { assert, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { ArchiveError } from "../src/ArchiveError.ts"
import * as Artifact from "../src/Artifact.ts"
import { ArtifactError } from "../src/ArtifactError.ts"
import { FolderError } from "../src/FolderError.ts"
import * as ImageArchive from "../src/ImageArchive.ts"
import * as MemoryStore from "../src/MemoryStore.ts"
import { amd64, arm64, attachment, forPlatform, holding, index, rawOf } from "./support/artifacts.ts"
import { configOf, encode, fileOf, layer as platform, tarOf } from "./support/dockerArchives.ts"

type Failure = ArchiveError | ArtifactError | FolderError

const isFailure = (error: unknown): error is Failure =>
  error instanceof ArchiveError || error instanceof ArtifactError || error instanceof FolderError

/** The reason of an error that is not retryable. */
const reasonOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), (error) => {
    if (!isFailure(error)) return assert.fail(String(error))
    assert.isFalse(error.isRetryable)
    assert.include(error.message, error.reason.description)
    return error.reason._tag
  })

const opening = (entries: ReadonlyArray<Tar.Entry>) =>
  Effect.flatMap(Effect.flatMap(tarOf(entries), fileOf), (file) => ImageArchive.read(file))

const saved = (parts: { readonly Config?: string; readonly Layers?: ReadonlyArray<string> }) =>
  Tar.file("manifest.json", JSON.stringify([{ Config: "config.json", RepoTags: ["a:b"], Layers: ["layer"], ...parts }]))

const version = Tar.file("oci-layout", `{"imageLayoutVersion":"1.0.0"}`)
const config = Tar.file("config.json", configOf([encode("a layer")]))
const stored = Tar.file("layer", "a layer")

const damaged: Readonly<Record<string, readonly [reason: string, entries: ReadonlyArray<Tar.Entry>]>> = {
  "no readable version": ["InvalidArchive", [Tar.file("oci-layout", "1.0.0")]],
  "another version": ["UnsupportedArchive", [Tar.file("oci-layout", `{"imageLayoutVersion":"2.0.0"}`)]],
  "an index that cannot be read": ["InvalidArchive", [version, Tar.file("index.json", "[")]],
  "a manifest.json that cannot be read": ["InvalidArchive", [Tar.file("manifest.json", "{}")]],
  "a configuration that is missing": ["InvalidArchive", [stored, saved({})]],
  "a configuration that cannot be read": ["InvalidArchive", [stored, Tar.file("config.json", "{"), saved({})]],
  "a layer that is missing": ["InvalidArchive", [config, saved({})]],
  "fewer layers than its configuration": ["InvalidArchive", [config, saved({ Layers: [] })]],
  "a compressed layer that is cut off": [
    "InvalidArchive",
    [config, Tar.file("layer", new Uint8Array(gzipSync("a layer")).subarray(0, 12)), saved({})]
  ]
}

layer(platform)("an archive", (it) => {
  for (const [what, [reason, entries]] of Object.entries(damaged)) {
    it.effect(`is refused with ${what}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* reasonOf(opening(entries)), reason)
      })
    )
  }

  it.effect("that is truncated within a file is refused when it is opened, and the error names the file", () =>
    Effect.gen(function* () {
      const bytes = yield* tarOf([saved({}), config, stored])
      const cut = ImageArchive.read(yield* fileOf(bytes.subarray(0, bytes.length - 1024 - 506)), { format: "docker" })
      assert.strictEqual(yield* reasonOf(cut), "InvalidArchive")
      assert.include(String(yield* Effect.flip(cut)), "ends within layer")
    })
  )

  it.effect("that is one keeps its images, whichever part is asked for", () =>
    Effect.gen(function* () {
      const archive = yield* opening([config, stored, saved({})])
      assert.deepStrictEqual(yield* Stream.runCollect(archive.tags), ["b"])
    })
  )

  it.effect("for docker load is not written of an artifact, nor of an index without images", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64"], [amd64])
      const report = rawOf(
        MediaType.ociImageManifest,
        Manifest.format(
          Manifest.image({
            config: { ...forPlatform(amd64, "amd64"), mediaType: MediaType.ociEmpty, digest: amd64.descriptor.digest },
            layers: []
          })
        )
      )
      const lying: MemoryStore.MemoryStore = {
        ...store,
        resolve: (reference) =>
          reference === "report" ? Effect.succeedSome(report.descriptor) : store.resolve(reference),
        manifest: (wanted) =>
          wanted.digest === report.descriptor.digest ? Effect.succeedSome(report) : store.manifest(wanted)
      }
      yield* store.putManifest(index(), { tags: ["empty"] })
      for (const reference of ["report", "empty"]) {
        const writing = Stream.runDrain(ImageArchive.write(lying, reference, { format: "docker" }))
        assert.strictEqual(yield* reasonOf(writing), "NotAnImage", reference)
      }
    })
  )
})

layer(platform)("an artifact", (it) => {
  const artifactType = "application/vnd.contoso.report.v1"

  it.effect("is not packed of a pipe", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-errors-" })
      spawnSync("mkfifo", [`${folder}/pipe`])
      const packing = Artifact.pack({ artifactType, files: [`${folder}/pipe`] })
      assert.strictEqual(yield* reasonOf(packing), "RefusedEntry")
    })
  )

  it.effect("is not pulled if its layers are larger than allowed, or if it has no layers", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const folder = yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-errors-" })
      yield* files.writeFileString(`${folder}/a.txt`, "a".repeat(1000))
      const store = MemoryStore.make()
      yield* Artifact.push(store, "v1", { artifactType, files: [`${folder}/a.txt`] })
      yield* store.putManifest(index(), { tags: ["empty"] })
      assert.strictEqual(yield* reasonOf(Artifact.pull(store, "v1", folder, { maxBytes: 999 })), "LimitExceeded")
      assert.strictEqual(yield* reasonOf(Artifact.pull(store, "empty", folder)), "NotAnImage")
    })
  )

  it.effect("that is attached to a platform needs an image for that platform", () =>
    Effect.gen(function* () {
      const store = yield* holding(["base", "amd64", "arm64"], [amd64, arm64])
      const sbom = attachment("sbom", amd64.descriptor)
      yield* store.putManifest(sbom)
      yield* store.putManifest(index(forPlatform(amd64, "amd64"), forPlatform(arm64, "arm64")), { tags: ["v1"] })
      const attached = yield* Artifact.attach(store, "v1", { artifactType, platform: "linux/arm64" })
      assert.strictEqual(attached.subject.digest, arm64.descriptor.digest)
      const missing = yield* Effect.flip(Artifact.attach(store, "v1", { artifactType, platform: "plan9/mips" }))
      assert.strictEqual(missing._tag, "PlatformNotFound")
    })
  )
})
