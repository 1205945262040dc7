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
 * A file or a stream is no archive of images: it is no tar archive, or it has neither `index.json` nor `manifest.json`.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotAnArchive extends Schema.TaggedError<NotAnArchive>("@effect-acr/artifacts/ArchiveError/NotAnArchive")(
  "NotAnArchive",
  {
    /** What is missing. */
    description: Schema.String
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * An archive has a form that is not read: that of Docker before version 1.10, another version of the OCI layout, or a pipe in the place
 * of a file.
 *
 * @category reasons
 * @since 0.1.0
 */
export class UnsupportedArchive extends Schema.TaggedError<UnsupportedArchive>(
  "@effect-acr/artifacts/ArchiveError/UnsupportedArchive"
)("UnsupportedArchive", {
  /** The format. */
  description: Schema.String
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * A blob of a stream or a compressed archive was read for a second time. It is not kept, since it came in the order in which it
 * was asked for.
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
 * The store lacks what is to be written into an archive.
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
 * A Docker archive holds images, and something else is to be written into it.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotAnImage extends Schema.TaggedError<NotAnImage>("@effect-acr/artifacts/ArchiveError/NotAnImage")(
  "NotAnImage",
  {
    /** What it is. */
    description: Schema.String
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * An index has images for several platforms, and one is needed: set `platform`. `available` is empty if they have none; then use a digest.
 *
 * @category reasons
 * @since 0.1.0
 */
export class PlatformRequired extends Schema.TaggedError<PlatformRequired>(
  "@effect-acr/artifacts/ArchiveError/PlatformRequired"
)("PlatformRequired", {
  /** The index. */
  description: Schema.String,
  /** The platforms that there are, such as `linux/arm64`. */
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

/**
 * One reason of an `ArchiveError`.
 *
 * @category models
 * @since 0.1.0
 */
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
    /** The file that is read, or `archive` of a stream; the reference that is written. */
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
