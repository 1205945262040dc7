/**
 * All examples, in the order in which they are best read.
 */
import { ConfigProvider, Console, Effect, Logger } from "effect"
import { attachSbom } from "../attach-sbom.ts"
import { backupRepository } from "../backup-repository.ts"
import { cleanUp } from "../clean-up.ts"
import { copyBetweenRegistries } from "../copy-between-registries.ts"
import { deleteBlob } from "../delete-blob.ts"
import { deleteManifest } from "../delete-manifest.ts"
import { downloadImage } from "../download-image.ts"
import { exportTelemetry } from "../export-telemetry.ts"
import { helloWorld } from "../hello-world.ts"
import { listTagsAnonymously } from "../list-tags-anonymously.ts"
import { lockVersions } from "../lock-versions.ts"
import { promoteRelease } from "../promote-release.ts"
import { pushFolder } from "../push-folder.ts"
import { restoreCleanUp } from "../restore-clean-up.ts"
import { saveImage } from "../save-image.ts"
import { setArtifactProperties } from "../set-artifact-properties.ts"
import { showArtifact } from "../show-artifact.ts"
import { storageByLayer } from "../storage-by-layer.ts"
import { uploadArtifact } from "../upload-artifact.ts"
import { uploadImage } from "../upload-image.ts"
import { watchTagsOfRepository } from "../watch-tags.ts"
import { formatSpans, spansOf, startCollector } from "./collector.ts"
import type { Program } from "./registry.ts"

/** An example, and how the tour shows it. */
export interface Example {
  readonly name: string
  readonly title: string
  readonly program: Program
  readonly as: "identity" | "anonymous"
  /** Texts of the lines in its file that begin the statements that matter. */
  readonly shows: readonly [string, ...ReadonlyArray<string>]
  /** What the tour runs instead of the program. */
  readonly onTour?: Program
}

/** The example with a collector, whose traces it prints. */
const exportToCollector: Program = Effect.gen(function* () {
  const collector = yield* startCollector
  const config = ConfigProvider.fromUnknown({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.address })
  // The collector receives the logs too: eighteen lines that would hide the traces on the console.
  yield* Effect.provide(exportTelemetry, [ConfigProvider.layer(config), Logger.layer([])])
  yield* Console.log(formatSpans(yield* spansOf(collector), 3))
}).pipe(Effect.scoped)

export const examples: ReadonlyArray<Example> = [
  {
    name: "hello-world",
    title: "List the repositories of a registry",
    program: helloWorld,
    as: "identity",
    shows: ["const registry = yield*", "registry.repositories()"]
  },
  {
    name: "list-tags-anonymously",
    title: "List the tags of a repository, without a login",
    program: listTagsAnonymously,
    as: "anonymous",
    shows: ["registry.tags(repository"]
  },
  {
    name: "set-artifact-properties",
    title: "Lock a tag, and unlock it again",
    program: setArtifactProperties,
    as: "identity",
    shows: ["const locked = yield*", "registry.deleteTag(repository, tag)"]
  },
  {
    name: "show-artifact",
    title: "Show an artifact as a tree, with its signatures and SBOMs",
    program: showArtifact,
    as: "identity",
    shows: ["const root =", "const graph =", "Graph.format(graph)"]
  },
  {
    name: "storage-by-layer",
    title: "Show what the storage of a repository is made of",
    program: storageByLayer,
    as: "identity",
    shows: ["const listed =", "const manifests = yield* readManifests(", "const images = imagesOf("]
  },
  {
    name: "clean-up",
    title: "Delete old releases by the rules in a file, and write a report",
    program: cleanUp,
    as: "identity",
    shows: ["const plan = yield*", "const reports = yield*"]
  },
  {
    name: "restore-clean-up",
    title: "Restore from the trash what the clean-up deleted",
    program: restoreCleanUp,
    as: "identity",
    shows: ["yield* Trash.restoreSteps("]
  },
  {
    name: "lock-versions",
    title: "Lock every version, so that it can't be overwritten or deleted",
    program: lockVersions,
    as: "identity",
    shows: ["const locked = {", "registry.updateManifest(", "registry.updateTag("]
  },
  {
    name: "upload-image",
    title: "Upload an image",
    program: uploadImage,
    as: "identity",
    shows: ["const layers = yield*", "const pushed = yield*"]
  },
  {
    name: "upload-artifact",
    title: "Upload an artifact of your own kind",
    program: uploadArtifact,
    as: "identity",
    shows: ["const report = Manifest.image(", "content.putManifest("]
  },
  {
    name: "push-folder",
    title: "Push a folder as an artifact, and pull it",
    program: pushFolder,
    as: "identity",
    shows: ["Artifact.push(", "Artifact.pull("]
  },
  {
    name: "attach-sbom",
    title: "Attach an SBOM to an image, find it and show it",
    program: attachSbom,
    as: "identity",
    shows: ["Artifact.attach(", "store.referrers("]
  },
  {
    name: "download-image",
    title: "Download an image into a folder",
    program: downloadImage,
    as: "identity",
    shows: ["content.downloadBlob("]
  },
  {
    name: "save-image",
    title: "Save an image for docker load",
    program: saveImage,
    as: "identity",
    shows: ["ImageArchive.save(", "ImageArchive.read("]
  },
  {
    name: "backup-repository",
    title: "Back up a repository to a folder, and restore it",
    program: backupRepository,
    as: "identity",
    shows: ["from.tags.pipe(", "copyAll(repository, layout)", "copyAll(layout, target)"]
  },
  {
    name: "copy-between-registries",
    title: "Copy the tags of a repository to another registry",
    program: copyBetweenRegistries,
    as: "identity",
    shows: ["const from = yield*", "const to = yield*", "from.tags.pipe("]
  },
  {
    name: "promote-release",
    title: "Promote a release to another registry, if it is what was tested",
    program: promoteRelease,
    as: "identity",
    shows: ["const copied = yield*", "yield* Graph.read(to", "const verified = yield*"]
  },
  {
    name: "watch-tags",
    title: "Watch a repository for tags that are new or move",
    program: watchTagsOfRepository,
    as: "identity",
    shows: ["yield* watchTags("]
  },
  {
    name: "export-telemetry",
    title: "Send the spans of an upload to an OpenTelemetry collector",
    program: exportTelemetry,
    as: "identity",
    shows: ["Otlp.layerJson(", "uploadImage.pipe("],
    onTour: exportToCollector
  },
  {
    name: "delete-manifest",
    title: "Delete an image with all its tags",
    program: deleteManifest,
    as: "identity",
    shows: ["registry.manifestProperties(", "content.deleteManifest("]
  },
  {
    name: "delete-blob",
    title: "Delete a blob",
    program: deleteBlob,
    as: "identity",
    shows: ["content.deleteBlob(", "content.headBlob(repository, digest).pipe("]
  }
]
