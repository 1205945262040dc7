/**
 * Why an emulator cannot keep its registry in a folder.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const hasMessage = Schema.is(Schema.Struct({ message: Schema.String }))

/**
 * The folder cannot be read or written, another emulator uses it, or its content is not that of an emulator. The folder
 * is not changed.
 *
 * @category errors
 * @since 0.1.0
 */
export class DirectoryError extends Schema.TaggedError<DirectoryError>("@effect-acr/emulator/DirectoryError")(
  "DirectoryError",
  {
    /** The path of the folder. */
    directory: Schema.String,
    /** The id of the process whose emulator uses the folder, if that is the cause. */
    heldBy: Schema.optionalKey(Schema.Int),
    /** The error of the file system, or of parsing the registry's file. */
    cause: Schema.Defect()
  }
) {
  override get message(): string {
    const { cause, directory } = this
    return `${directory} can't hold a registry: ${hasMessage(cause) ? cause.message : String(cause)}`
  }
}
