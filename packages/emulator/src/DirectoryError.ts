/**
 * Why an emulator can't keep its registry in a folder.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const hasMessage = Schema.is(Schema.Struct({ message: Schema.String }))

/**
 * The folder can't be read or written, another emulator uses it, or what it holds is not what an emulator has left there. It
 * stays as it is.
 *
 * @category errors
 * @since 0.1.0
 */
export class DirectoryError extends Schema.TaggedError<DirectoryError>("@effect-acr/emulator/DirectoryError")(
  "DirectoryError",
  {
    /** The folder. */
    directory: Schema.String,
    /** The number of the process whose emulator uses the folder, if that is why. */
    heldBy: Schema.optionalKey(Schema.Int),
    /** What the file system says, or the reader of the registry's file. */
    cause: Schema.Defect()
  }
) {
  override get message(): string {
    const { cause, directory } = this
    return `${directory} can't hold a registry: ${hasMessage(cause) ? cause.message : String(cause)}`
  }
}
