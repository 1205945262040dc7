/**
 * Why a folder could not be packed or unpacked.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { FileFailed } from "./LayoutError.ts"

export { FileFailed }

/**
 * An entry cannot be packed or unpacked safely: its name leads out of the folder, it and another entry are the same file on some
 * file systems, it is a link that leads outside, or it is a device, a pipe or a socket.
 *
 * @category reasons
 * @since 0.1.0
 */
export class RefusedEntry extends Schema.TaggedError<RefusedEntry>("@effect-acr/artifacts/FolderError/RefusedEntry")(
  "RefusedEntry",
  {
    /** Why it is refused. */
    description: Schema.String,
    /** The name of the entry, as the archive or the folder has it. */
    entry: Schema.String
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * A file changed while it was read: its size is not what it was at the start.
 *
 * @category reasons
 * @since 0.1.0
 */
export class FileChanged extends Schema.TaggedError<FileChanged>("@effect-acr/artifacts/FolderError/FileChanged")(
  "FileChanged",
  {
    /** The file, and how it changed. */
    description: Schema.String
  }
) {
  /** Always true. */
  readonly isRetryable = true
}

/**
 * An archive has more bytes or entries, or longer names, than the limits allow.
 *
 * @category reasons
 * @since 0.1.0
 */
export class LimitExceeded extends Schema.TaggedError<LimitExceeded>("@effect-acr/artifacts/FolderError/LimitExceeded")(
  "LimitExceeded",
  {
    /** The limit. */
    description: Schema.String
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * A tar archive is damaged, is truncated, or uses unsupported features such as sparse files. `Folder.unpack` also fails with it
 * for a compressed archive and for any other kind of file.
 *
 * @category reasons
 * @since 0.1.0
 */
export class InvalidArchive extends Schema.TaggedError<InvalidArchive>(
  "@effect-acr/artifacts/FolderError/InvalidArchive"
)("InvalidArchive", {
  /** What is wrong, and at which byte. */
  description: Schema.String
}) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * A file exists already, and `overwrite` is false.
 *
 * @category reasons
 * @since 0.1.0
 */
export class AlreadyThere extends Schema.TaggedError<AlreadyThere>("@effect-acr/artifacts/FolderError/AlreadyThere")(
  "AlreadyThere",
  {
    /** The file. */
    description: Schema.String
  }
) {
  /** Always false. */
  readonly isRetryable = false
}

/**
 * The reasons of a `FolderError`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Reason = Schema.Union([RefusedEntry, FileChanged, LimitExceeded, InvalidArchive, AlreadyThere, FileFailed])

export type Reason = typeof Reason.Type

/**
 * A folder could not be packed or unpacked. `Effect.catchReason("FolderError", …)` handles one of its reasons.
 *
 * @category errors
 * @since 0.1.0
 */
export class FolderError extends Schema.TaggedError<FolderError>("@effect-acr/artifacts/FolderError")("FolderError", {
  /** The folder, or the file. */
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
