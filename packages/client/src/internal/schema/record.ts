/**
 * The common properties of repositories, tags and manifests.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export const recordFields = {
  /** The registry's login server, as the registry states it: `myregistry.azurecr.io`. */
  registryLoginServer: Schema.String,
  /** When it was created, to the millisecond. */
  createdOn: Schema.DateTimeUtc,
  /** When it was last changed, to the millisecond. */
  lastUpdatedOn: Schema.DateTimeUtc,
  /**
   * The original record of the registry, with unknown fields and exact times. Values nested deeper than 64 levels are
   * `null`.
   */
  raw: Schema.JsonObject.pipe(Schema.withConstructorDefault(Effect.succeed({})))
}
