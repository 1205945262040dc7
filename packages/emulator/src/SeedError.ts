/**
 * Why a seed cannot be put into an emulator.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A seed is invalid, cannot be read, or is refused by the registry.
 *
 * **Details**
 *
 * The seed is checked before anything is stored. If its folder or archive turns out to be damaged later, the content
 * stored before is kept, and a second attempt adds the rest.
 *
 * @category errors
 * @since 0.1.0
 */
export class SeedError extends Schema.TaggedError<SeedError>("@effect-acr/emulator/SeedError")("SeedError", {
  /** The seed: its repository and its first tag, or its path. */
  seed: Schema.String,
  /** The problem. */
  description: Schema.String,
  /** The error that caused it, if there is one. */
  cause: Schema.optionalKey(Schema.Defect())
}) {
  override get message(): string {
    return `cannot seed ${this.seed}: ${this.description}`
  }
}
