/**
 * Downloads an image into a folder, three blobs at a time: the folder that `FOLDER` names, or one that goes away again.
 *
 * If it is interrupted, the next run into the same folder goes on from what is there.
 */
import { join } from "node:path"
import { type Descriptor, Digest, Platform, RegistryContent } from "@effect-acr/client"
import { Config, Console, Effect, FileSystem, Option, Stream } from "effect"
import { progressBar } from "./support/progressBar.ts"
import { RegistryLive, run } from "./support/registry.ts"

/** The manifest of one platform, where there are several. */
const imageFor = (repository: string, reference: string, platform: string) =>
  Effect.gen(function* () {
    const content = yield* RegistryContent.RegistryContent
    const found = yield* content.manifest(repository, reference)
    if (found.manifest._tag !== "ImageIndex") return found
    const { manifests } = found.manifest
    const own = manifests.find((entry) => entry.platform !== undefined && Platform.format(entry.platform) === platform)
    return yield* content.manifest(repository, (own ?? manifests[0] ?? found.descriptor).digest)
  })

/** A digest is a safe name for a file. What an annotation says may not be. */
const fileName = ({ digest }: Descriptor.Descriptor): string => `${Digest.algorithm(digest)}-${Digest.hex(digest)}`

export const downloadImage = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  const files = yield* FileSystem.FileSystem
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("contoso/web"))
  const tag = yield* Config.String("TAG").pipe(Config.withDefault("latest"))
  const folder = yield* Option.match(yield* Config.option(Config.String("FOLDER")), {
    onNone: () => files.makeTempDirectoryScoped({ prefix: "download-image-" }),
    onSome: (named) => Effect.as(files.makeDirectory(named, { recursive: true }), named)
  })

  const { bytes, descriptor, manifest } = yield* imageFor(repository, tag, "linux/amd64")
  if (manifest._tag !== "ImageManifest") return yield* Console.log(`${repository}:${tag} is a ${descriptor.mediaType}`)
  const blobs = [manifest.config, ...manifest.layers]
  const bar = progressBar(blobs.reduce((sum, { size }) => sum + size, 0))

  yield* Stream.fromIterable(blobs).pipe(
    Stream.mapEffect(
      (blob) =>
        content.downloadBlob(repository, blob, join(folder, fileName(blob)), {
          resumable: true,
          onProgress: ({ doneBytes }) => bar.update(blob.digest, doneBytes)
        }),
      { concurrency: 3 }
    ),
    Stream.runDrain
  )
  yield* files.writeFile(join(folder, "manifest.json"), bytes)
  yield* bar.end
  yield* Console.log(`${repository}:${tag} is in ${folder}, ${blobs.length} blobs, each verified`)
}).pipe(Effect.scoped)

if (import.meta.main) run(downloadImage, RegistryLive)
