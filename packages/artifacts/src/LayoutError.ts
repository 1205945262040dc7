/**
 * Why an image layout could not be read or written.
 *
 * @since 0.1.0
 */
import { Digest } from "@effect-acr/client/Digest"
import * as Schema from "effect/Schema"

/**
 * A folder is no image layout: it has other content, or its file `oci-layout` cannot be read.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotALayout extends Schema.TaggedError<NotALayout>("@effect-acr/artifacts/NotALayout")("NotALayout", {
  /** The problem. */
  description: Schema.String
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * A layout has a version that this library does not know. OCI image specification, image-layout.md, "oci-layout file".
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
 * The file `index.json` cannot be read. It is left as it is.
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
  /** What was looked for. */
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
    /** What is missing, and for what. */
    description: Schema.String,
    /** The content that is missing. */
    digest: Digest
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * Content is not what its digest names: a file of the layout is damaged, or the content to write is.
 *
 * @category reasons
 * @since 0.1.0
 */
export class ContentDiffers extends Schema.TaggedError<ContentDiffers>("@effect-acr/artifacts/ContentDiffers")(
  "ContentDiffers",
  {
    /** What was expected and found. */
    description: Schema.String,
    /** The content. */
    digest: Digest
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * Pruning found a manifest, or an entry of `index.json`, of which it does not know what it names: removing anything might remove
 * its content.
 *
 * **Details**
 *
 * A Docker manifest of schema 1, a manifest of more than 4 MiB, a document that is no manifest, or a digest of an algorithm other
 * than sha256 and sha512. Remove its tag, or the manifest, and prune again.
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
 * Another program has locked the layout for too long.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Locked extends Schema.TaggedError<Locked>("@effect-acr/artifacts/Locked")("Locked", {
  /** The lock, and how long it was waited for. */
  description: Schema.String
}) {
  /** Always true. */
  readonly isRetryable = true
}

/**
 * The folder of blobs is a symbolic link: other layouts may share it. It is read, and not written.
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
 * The file system refused an operation: no space, no permission, a file that another program holds.
 *
 * @category reasons
 * @since 0.1.0
 */
export class FileFailed extends Schema.TaggedError<FileFailed>("@effect-acr/artifacts/FileFailed")("FileFailed", {
  /** What the file system said. */
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

/**
 * One reason of a `LayoutError`.
 *
 * @category models
 * @since 0.1.0
 */
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
