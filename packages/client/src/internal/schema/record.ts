/**
 * What the properties of a repository, a tag and a manifest have in common.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** The fields with which the properties of a repository, a tag and a manifest begin. */
export const recordFields = {
  /** The registry that told them, as it names itself: `myregistry.azurecr.io`. */
  registryLoginServer: Schema.String,
  /** When it was made, to the millisecond. */
  createdOn: Schema.DateTimeUtc,
  /** When it was changed last, to the millisecond. */
  lastUpdatedOn: Schema.DateTimeUtc,
  /**
   * The registry's record, as it came: fields that this library does not know, times to the last digit. Values nested
   * deeper than 64 levels are `null`.
   */
  raw: Schema.JsonObject.pipe(Schema.withConstructorDefault(Effect.succeed({})))
}
