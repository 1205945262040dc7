/**
 * Why an image layout could not be read or written.
 *
 * @since 0.1.0
 */
import { Digest } from "@effect-acr/client/Digest"
import * as Schema from "effect/Schema"

/**
 * What is in the place of an image layout: a file, which may be an archive of images; a folder with other content; or a folder
 * whose file `oci-layout` cannot be read.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FoundInstead = Schema.Literals(["File", "OtherFolder", "UnreadableVersion"])

export type FoundInstead = typeof FoundInstead.Type

/**
 * A folder is not an image layout: it has other content, or its file `oci-layout` cannot be read.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotALayout extends Schema.TaggedError<NotALayout>("@effect-acr/artifacts/NotALayout")("NotALayout", {
  /** The problem. */
  description: Schema.String,
  /** What is there instead. */
  found: FoundInstead
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * A layout has an unsupported version. OCI image specification, image-layout.md, "oci-layout file".
 *
 * @category reasons
 * @since 0.1.0
 */
export class UnsupportedVersion extends Schema.TaggedError<UnsupportedVersion>(
  "@effect-acr/artifacts/UnsupportedVersion"
)("UnsupportedVersion", {
  /** The version in the file `oci-layout`. */
  description: Schema.String
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * The file `index.json` cannot be read. It is left unchanged.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidIndex extends Schema.TaggedError<InvalidIndex>("@effect-acr/artifacts/InvalidIndex")(
  "InvalidIndex",
  {
    /** The problem. */
    description: Schema.String
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * A reference names several manifests of a layout.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Ambiguous extends Schema.TaggedError<Ambiguous>("@effect-acr/artifacts/Ambiguous")("Ambiguous", {
  /** The reference. */
  description: Schema.String,
  /** The manifests that it may name, at most 20. */
  digests: Schema.Array(Digest)
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * A layout lacks a blob or a manifest.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ContentMissing extends Schema.TaggedError<ContentMissing>("@effect-acr/artifacts/ContentMissing")(
  "ContentMissing",
  {
    /** What is missing, and what needs it. */
    description: Schema.String,
    /** The content that is missing. */
    digest: Digest
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * Content does not match its digest: a file of the layout or the content to write is damaged.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ContentDiffers extends Schema.TaggedError<ContentDiffers>("@effect-acr/artifacts/ContentDiffers")(
  "ContentDiffers",
  {
    /** What was expected, and what was found. */
    description: Schema.String,
    /** The content. */
    digest: Digest
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * Pruning found a manifest, or an entry of `index.json`, whose content it cannot determine. It removes nothing, since it might
 * remove that content.
 *
 * **Details**
 *
 * It is a Docker manifest of schema 1, a manifest of more than 4 MiB, a document that is not a manifest, or a digest of an
 * algorithm other than sha256 and sha512. Remove the tag or the manifest, and prune again.
 *
 * @category reasons
 * @since 0.1.0
 */
export class UnknownManifest extends Schema.TaggedError<UnknownManifest>("@effect-acr/artifacts/UnknownManifest")(
  "UnknownManifest",
  {
    /** The manifest, and why nothing is removed. */
    description: Schema.String
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * Another program holds the lock of the layout, and waiting for it timed out.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Locked extends Schema.TaggedError<Locked>("@effect-acr/artifacts/Locked")("Locked", {
  /** The lock, and how long the operation waited for it. */
  description: Schema.String
}) {
  /** Always true. */
  readonly isRetryable = true
}

/**
 * The folder of blobs is a symbolic link, which other layouts may share. The layout can be read, but not written.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SharedBlobs extends Schema.TaggedError<SharedBlobs>("@effect-acr/artifacts/SharedBlobs")("SharedBlobs", {
  /** The folder. */
  description: Schema.String
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * The file system refused an operation, for example for lack of space or permission, or because another program holds the file.
 *
 * @category reasons
 * @since 0.1.0
 */
export class FileFailed extends Schema.TaggedError<FileFailed>("@effect-acr/artifacts/FileFailed")("FileFailed", {
  /** The message of the file system. */
  description: Schema.String,
  /** The `PlatformError`. */
  cause: Schema.Defect()
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * The reasons of a `LayoutError`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  NotALayout,
  UnsupportedVersion,
  InvalidIndex,
  Ambiguous,
  ContentMissing,
  ContentDiffers,
  UnknownManifest,
  Locked,
  SharedBlobs,
  FileFailed
])

export type Reason = typeof Reason.Type

/**
 * An image layout could not be read or written. `Effect.catchReason("LayoutError", …)` handles one of its reasons.
 *
 * @category errors
 * @since 0.1.0
 */
export class LayoutError extends Schema.TaggedError<LayoutError>("@effect-acr/artifacts/LayoutError")("LayoutError", {
  /** The folder of the layout. */
  folder: Schema.String,
  /** Why. */
  reason: Reason
}) {
  /** Whether the same operation may succeed later, with nothing changed by the caller. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  override get message(): string {
    return `${this.folder}: ${this.reason.description}`
  }
}
