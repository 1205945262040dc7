/**
 * Why an archive of images could not be read or written.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { InvalidArchive } from "./FolderError.ts"
import { Ambiguous, ContentDiffers, ContentMissing, FileFailed } from "./LayoutError.ts"

export { Ambiguous, ContentDiffers, ContentMissing, FileFailed, InvalidArchive }

/**
 * What is in the place of an archive of images: a folder, which may be an image layout; a file that is not a tar archive; or a tar
 * archive without images of the requested format.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FoundInstead = Schema.Literals(["Folder", "OtherFile", "OtherArchive"])

export type FoundInstead = typeof FoundInstead.Type

/**
 * A file or a stream is not an archive of images: it is not a tar archive, or it has neither `index.json` nor `manifest.json`.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotAnArchive extends Schema.TaggedError<NotAnArchive>("@effect-acr/artifacts/ArchiveError/NotAnArchive")(
  "NotAnArchive",
  {
    /** What is missing. */
    description: Schema.String,
    /** What is there instead. */
    found: FoundInstead
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * An archive has an unsupported format: that of Docker before version 1.10, or another version of the OCI layout. Also the reason
 * if a pipe or a device is read in place of a file.
 *
 * @category reasons
 * @since 0.1.0
 */
export class UnsupportedArchive extends Schema.TaggedError<UnsupportedArchive>(
  "@effect-acr/artifacts/ArchiveError/UnsupportedArchive"
)("UnsupportedArchive", {
  /** The problem. */
  description: Schema.String,
  /** The form: an archive of Docker before version 1.10, another version of the OCI layout, or a pipe in the place of a file. */
  found: Schema.Literals(["OldDockerArchive", "OtherVersion", "Pipe"])
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * A blob of a stream or a compressed archive was read a second time. Such a blob is passed on when it arrives, and is not kept.
 *
 * @category reasons
 * @since 0.1.0
 */
export class AlreadyRead extends Schema.TaggedError<AlreadyRead>("@effect-acr/artifacts/ArchiveError/AlreadyRead")(
  "AlreadyRead",
  {
    /** The blob. */
    description: Schema.String
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * The store lacks content that the archive needs.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotFound extends Schema.TaggedError<NotFound>("@effect-acr/artifacts/ArchiveError/NotFound")("NotFound", {
  /** What is missing. */
  description: Schema.String
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * The manifest to write is not an image, and a Docker archive can hold only images.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotAnImage extends Schema.TaggedError<NotAnImage>("@effect-acr/artifacts/ArchiveError/NotAnImage")(
  "NotAnImage",
  {
    /** What the manifest is instead. */
    description: Schema.String
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * An index has images for several platforms, and the operation needs one: set `platform`. If the images state no platforms,
 * `available` is empty: use a digest.
 *
 * @category reasons
 * @since 0.1.0
 */
export class PlatformRequired extends Schema.TaggedError<PlatformRequired>(
  "@effect-acr/artifacts/ArchiveError/PlatformRequired"
)("PlatformRequired", {
  /** The index. */
  description: Schema.String,
  /** The platforms of the index, such as `linux/arm64`. */
  available: Schema.Array(Schema.String)
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * The reasons of an `ArchiveError`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Reason = Schema.Union([
  NotAnArchive,
  UnsupportedArchive,
  InvalidArchive,
  Ambiguous,
  ContentMissing,
  ContentDiffers,
  AlreadyRead,
  NotFound,
  NotAnImage,
  PlatformRequired,
  FileFailed
])

export type Reason = typeof Reason.Type

/**
 * An archive could not be read or written. `Effect.catchReason("ArchiveError", …)` handles one of its reasons.
 *
 * @category errors
 * @since 0.1.0
 */
export class ArchiveError extends Schema.TaggedError<ArchiveError>("@effect-acr/artifacts/ArchiveError")(
  "ArchiveError",
  {
    /** When reading, the file, or `archive` for a stream; when writing, the reference. */
    archive: Schema.String,
    /** Why. */
    reason: Reason
  }
) {
  /** Whether the same operation may succeed later, with nothing changed by the caller. */
  get isRetryable(): boolean {
    return this.reason.isRetryable
  }

  override get message(): string {
    return `${this.archive}: ${this.reason.description}`
  }
}
