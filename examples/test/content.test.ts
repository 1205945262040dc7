/**
 * Examples of images and artifacts, up and down: they do what they say, on the emulator.
 */
import { ContainerRegistry, RegistryContent } from "@effect-acr/client"
import { NodeFileSystem, NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem, Stream } from "effect"
import { backupRepository } from "../backup-repository.ts"
import { attachSbom } from "../attach-sbom.ts"
import { deleteBlob } from "../delete-blob.ts"
import { deleteManifest } from "../delete-manifest.ts"
import { downloadImage } from "../download-image.ts"
import { pushFolder } from "../push-folder.ts"
import { saveImage } from "../save-image.ts"
import { PlatformLive } from "../support/registry.ts"
import { uploadArtifact } from "../upload-artifact.ts"
import { uploadImage } from "../upload-image.ts"
import { Identity, printed } from "./support.ts"

describe("examples of content", () => {
  const repositories = Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) =>
    Effect.map(Stream.runCollect(registry.repositories()), (names) => names.map(String))
  )

  it.effect("upload-image leaves an image that ACR can tell", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      yield* uploadImage
      const image = yield* registry.manifestProperties("samples/uploaded", "demo")
      assert.deepStrictEqual([image.architecture, image.operatingSystem], ["amd64", "linux"])
      const [first = "", manifest = ""] = yield* printed
      assert.strictEqual(first, `pushed ${registry.loginServer}/samples/uploaded:demo`)
      assert.include(manifest, image.digest.slice("sha256:".length, "sha256:".length + 12))
    }).pipe(Effect.provide(Identity))
  )

  it.effect("upload-artifact leaves an artifact of its own kind, under two tags", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent.RegistryContent
      yield* uploadArtifact
      const { manifest } = yield* content.manifest("samples/reports", "2026-11")
      assert.strictEqual(
        manifest._tag === "ImageManifest" ? manifest.artifactType : "",
        "application/vnd.contoso.report.v1"
      )
      assert.strictEqual((yield* printed).at(-1), "day,pulls\nmonday,17\ntuesday,23")
    }).pipe(Effect.provide(Identity))
  )

  it.effect("backup-repository takes a repository to a folder and back, and only what is new the next time", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const content = yield* RegistryContent.RegistryContent
      const folder = yield* files.makeTempDirectoryScoped()
      const backUp = backupRepository.pipe(
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ FOLDER: folder })))
      )
      yield* backUp
      const namesOf = (repository: string) => Stream.runCollect(content.tags(repository))
      const tags = yield* namesOf("contoso/web")
      assert.isAbove(tags.length, 1)
      assert.sameMembers(yield* namesOf("restored/contoso/web"), tags)
      for (const tag of tags) {
        const { digest } = yield* content.resolve("contoso/web", tag)
        assert.strictEqual((yield* content.resolve("restored/contoso/web", tag)).digest, digest)
      }
      yield* backUp
      const [first = "", , second = ""] = yield* printed
      assert.match(first, /^backed up contoso\/web: \d+ tags, [\d.]+ .* sent$/)
      assert.match(second, /^backed up contoso\/web: \d+ tags, 0 .* sent$/)
    }).pipe(Effect.provide([Identity, NodeServices.layer]))
  )

  it.effect("save-image saves an image that docker loads under its name", () =>
    Effect.gen(function* () {
      yield* saveImage
      const [saved = "", tags] = yield* printed
      assert.match(saved, /^saved .*\/contoso\/web:latest for linux\/amd64: /)
      assert.strictEqual(tags, "docker load gives it the tags latest")
    }).pipe(Effect.provide([Identity, PlatformLive]))
  )

  it.effect("push-folder pushes a folder that a pull gives back", () =>
    Effect.gen(function* () {
      yield* pushFolder
      const [pushed = "", pulled] = yield* printed
      assert.match(pushed, /^pushed .*\/samples\/site:v1: sha256:/)
      assert.strictEqual(pulled, "pulled site: index.html")
    }).pipe(Effect.provide([Identity, PlatformLive]))
  )

  it.effect("attach-sbom attaches an SBOM once, and shows it", () =>
    Effect.gen(function* () {
      yield* attachSbom
      yield* attachSbom
      const [attached = "", shown = "", again = ""] = yield* printed
      assert.match(attached, /^attached to .*\/contoso\/web:latest: sha256:/)
      assert.include(shown, `"spdxVersion":"SPDX-2.3"`)
      assert.match(again, /^was attached already/)
    }).pipe(Effect.provide([Identity, PlatformLive]))
  )

  it.effect("download-image puts all blobs of an image into a folder, and goes on where it was", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      const content = yield* RegistryContent.RegistryContent
      const folder = yield* files.makeTempDirectoryScoped()
      const { manifest } = yield* content.manifest("contoso/web", "latest")
      assert.strictEqual(manifest._tag, "ImageManifest")
      if (manifest._tag !== "ImageManifest") return
      yield* downloadImage.pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ FOLDER: folder }))))
      const blobs = [manifest.config, ...manifest.layers]
      const names = blobs.map(({ digest }) => digest.replace(":", "-"))
      assert.sameMembers(yield* files.readDirectory(folder), ["manifest.json", ...names])
      for (const [index, blob] of blobs.entries()) {
        const bytes = yield* files.readFile(`${folder}/${names[index]}`)
        assert.deepStrictEqual(bytes, yield* content.blobBytes("contoso/web", blob))
      }
      const lines = yield* printed
      assert.include(lines, "100 % of 4.2 MiB")
    }).pipe(Effect.provide([Identity, NodeFileSystem.layer]))
  )

  it.effect("download-image leaves nothing where no folder is named", () =>
    Effect.gen(function* () {
      const files = yield* FileSystem.FileSystem
      yield* downloadImage
      const folder = /is in (\S+),/.exec((yield* printed).at(-1) ?? "")?.[1] ?? ""
      assert.isFalse(yield* files.exists(folder))
    }).pipe(Effect.provide([Identity, NodeFileSystem.layer]))
  )

  it.effect("delete-manifest deletes the image, with all its tags", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry.ContainerRegistry
      yield* deleteManifest
      const error = yield* Effect.flip(Effect.asVoid(registry.tagProperties("contoso/worker", "0.4.0")))
      assert.strictEqual(error.reason._tag, "NotFound")
      assert.match((yield* printed)[0] ?? "", /^deleted contoso\/worker@sha256:.* tagged 0\.4\.0 and latest$/)
    }).pipe(Effect.provide(Identity))
  )

  it.effect("delete-blob finds its blob gone", () =>
    Effect.gen(function* () {
      yield* deleteBlob
      assert.strictEqual((yield* printed).at(-1), "It is gone.")
      assert.include(yield* repositories, "samples/scratch")
    }).pipe(Effect.provide(Identity))
  )
})
