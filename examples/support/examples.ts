/**
 * All examples, in the order in which they are best read.
 */
import type { Program } from "./registry.ts"
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

/** An example, and with what arguments the tour shows it. */
export interface Example {
  readonly name: string
  readonly title: string
  readonly program: Program
  readonly as: "identity" | "anonymous"
  readonly tour?: ReadonlyArray<string>
}

export const examples: ReadonlyArray<Example> = [
  { name: "hello-world", title: "List the repositories of a registry", program: helloWorld, as: "identity" },
  {
    name: "list-tags-anonymously",
    title: "List the tags of a repository, without a login",
    program: listTagsAnonymously,
    as: "anonymous"
  },
  {
    name: "set-artifact-properties",
    title: "Lock a tag, and unlock it again",
    program: setArtifactProperties,
    as: "identity"
  },
  {
    name: "show-artifact",
    title: "Show an artifact as a tree, with its signatures and SBOMs",
    program: showArtifact,
    as: "identity"
  },
  {
    name: "storage-by-layer",
    title: "Show what the storage of a repository is made of",
    program: storageByLayer,
    as: "identity"
  },
  {
    name: "clean-up",
    title: "Delete old releases by the rules in a file, and write a report",
    program: cleanUp,
    as: "identity"
  },
  {
    name: "restore-clean-up",
    title: "Restore from the trash what the clean-up deleted",
    program: restoreCleanUp,
    as: "identity"
  },
  {
    name: "lock-versions",
    title: "Lock every version, so that it can't be overwritten or deleted",
    program: lockVersions,
    as: "identity"
  },
  { name: "upload-image", title: "Upload an image", program: uploadImage, as: "identity" },
  { name: "upload-artifact", title: "Upload an artifact of your own kind", program: uploadArtifact, as: "identity" },
  { name: "push-folder", title: "Push a folder as an artifact, and pull it", program: pushFolder, as: "identity" },
  {
    name: "attach-sbom",
    title: "Attach an SBOM to an image, find it and show it",
    program: attachSbom,
    as: "identity"
  },
  { name: "download-image", title: "Download an image into a folder", program: downloadImage, as: "identity" },
  { name: "save-image", title: "Save an image for docker load", program: saveImage, as: "identity" },
  {
    name: "backup-repository",
    title: "Back up a repository to a folder, and restore it",
    program: backupRepository,
    as: "identity"
  },
  {
    name: "copy-between-registries",
    title: "Copy the tags of a repository to another registry",
    program: copyBetweenRegistries,
    as: "identity"
  },
  {
    name: "promote-release",
    title: "Promote a release to another registry, if it is what was tested",
    program: promoteRelease,
    as: "identity"
  },
  {
    name: "watch-tags",
    title: "Watch a repository for tags that are new or move",
    program: watchTagsOfRepository,
    as: "identity"
  },
  {
    name: "export-telemetry",
    title: "Show an upload to an OpenTelemetry collector",
    program: exportTelemetry,
    as: "identity"
  },
  {
    name: "delete-manifest",
    title: "Delete an image with all its tags",
    program: deleteManifest,
    as: "identity"
  },
  { name: "delete-blob", title: "Delete a blob", program: deleteBlob, as: "identity" }
]
