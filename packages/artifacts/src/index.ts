/**
 * Images, indexes, signatures and bills of materials as graphs, in any store.
 *
 * @since 0.1.0
 */

/** Why an archive could not be read or written. */
export * as ArchiveError from "./ArchiveError.ts"

/** Artifacts that are made in a store. */
export * as Artifact from "./Artifact.ts"

/** Why an artifact could not be made, put together or pulled. */
export * as ArtifactError from "./ArtifactError.ts"

/** Places of content. */
export * as ContentStore from "./ContentStore.ts"

/** Artifacts from store to store. */
export * as Copy from "./Copy.ts"

/** Why a copy failed, and on which side. */
export * as CopyError from "./CopyError.ts"

/** How two artifacts differ. */
export * as Difference from "./Difference.ts"

/** Folders as tar archives. */
export * as Folder from "./Folder.ts"

/** Why a folder could not be packed or unpacked. */
export * as FolderError from "./FolderError.ts"

/** An artifact as a graph. */
export * as Graph from "./Graph.ts"

/** Archives of images in one file. */
export * as ImageArchive from "./ImageArchive.ts"

/** Folders that hold images. */
export * as ImageLayout from "./ImageLayout.ts"

/** Why a layout could not be read or written. */
export * as LayoutError from "./LayoutError.ts"

/** The files of an image layout. */
export * as LayoutFiles from "./LayoutFiles.ts"

/** A store in memory. */
export * as MemoryStore from "./MemoryStore.ts"

/** Globs that names are compared with. */
export * as NamePatterns from "./NamePatterns.ts"

/** A repository of a registry. */
export * as Repository from "./Repository.ts"

/** Deleting by rules. */
export * as Retention from "./Retention.ts"

/** Why a retention does not begin. */
export * as RetentionError from "./RetentionError.ts"

/** What a repository holds. */
export * as RetentionInventory from "./RetentionInventory.ts"

/** What a run has done so far. */
export * as RetentionJournal from "./RetentionJournal.ts"

/** What rules decide. */
export * as RetentionPlan from "./RetentionPlan.ts"

/** What became of a plan. */
export * as RetentionReport from "./RetentionReport.ts"

/** Rules that say what stays and what goes. */
export * as RetentionRules from "./RetentionRules.ts"

/** Repositories that rules can be applied to. */
export * as RetentionTarget from "./RetentionTarget.ts"

/** What takes the storage of a repository. */
export * as StorageUsage from "./StorageUsage.ts"

/** What an artifact is. */
export * as Summary from "./Summary.ts"

/** The tags of a repository with what they name. */
export * as TagList from "./TagList.ts"

/** The trash of a repository. */
export * as Trash from "./Trash.ts"

/** Whether an artifact is whole. */
export * as Validation from "./Validation.ts"
