/**
 * Images, indexes, signatures and SBOMs as graphs, in any store.
 *
 * @since 0.1.0
 */

/** Why an archive could not be read or written. */
export * as ArchiveError from "./ArchiveError.ts"

/** Pushes, pulls and attaches files and folders, and makes multi-platform indexes. */
export * as Artifact from "./Artifact.ts"

/** Why an artifact could not be made or pulled. */
export * as ArtifactError from "./ArtifactError.ts"

/** The interface of stores: registries, layouts and memory. */
export * as ContentStore from "./ContentStore.ts"

/** Copies artifacts between stores. */
export * as Copy from "./Copy.ts"

/** Why a copy failed, and on which side. */
export * as CopyError from "./CopyError.ts"

/** Compares two artifacts. */
export * as Difference from "./Difference.ts"

/** Packs folders into tar archives, and unpacks them. */
export * as Folder from "./Folder.ts"

/** Why a folder could not be packed or unpacked. */
export * as FolderError from "./FolderError.ts"

/** Reads an artifact as a graph. */
export * as Graph from "./Graph.ts"

/** Reads and writes images in one tar archive, as `docker save` and `docker load` do. */
export * as ImageArchive from "./ImageArchive.ts"

/** OCI image layouts: folders that hold images. */
export * as ImageLayout from "./ImageLayout.ts"

/** Why a layout could not be read or written. */
export * as LayoutError from "./LayoutError.ts"

/** The files of an image layout. */
export * as LayoutFiles from "./LayoutFiles.ts"

/** A store in memory. */
export * as MemoryStore from "./MemoryStore.ts"

/** Selects names by globs. */
export * as NamePatterns from "./NamePatterns.ts"

/** A repository of a registry as a store. */
export * as Repository from "./Repository.ts"

/** Deletes tags and manifests by rules. */
export * as Retention from "./Retention.ts"

/** Why a retention run did not start. */
export * as RetentionError from "./RetentionError.ts"

/** The tags and manifests of a repository, as a retention run reads them. */
export * as RetentionInventory from "./RetentionInventory.ts"

/** The journal of a retention run, to resume it. */
export * as RetentionJournal from "./RetentionJournal.ts"

/** The plan of a retention run: what it deletes and keeps, and why. */
export * as RetentionPlan from "./RetentionPlan.ts"

/** The report of a retention run. */
export * as RetentionReport from "./RetentionReport.ts"

/** The rules of a retention run: what it keeps and deletes. */
export * as RetentionRules from "./RetentionRules.ts"

/** Repositories that rules can be applied to. */
export * as RetentionTarget from "./RetentionTarget.ts"

/** The storage that artifacts take, and what deleting them frees. */
export * as StorageUsage from "./StorageUsage.ts"

/** Summarizes an artifact. */
export * as Summary from "./Summary.ts"

/** Lists tags with digest, size, time and platforms. */
export * as TagList from "./TagList.ts"

/** Restores soft-deleted artifacts. */
export * as Trash from "./Trash.ts"

/** Checks that an artifact is complete and undamaged. */
export * as Validation from "./Validation.ts"
