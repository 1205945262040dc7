/**
 * What a migration would copy, and how long it takes at least.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { RepositoryProblem } from "./MigrationReport.ts"

/**
 * The estimated number of requests to a registry.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Requests = Schema.Struct({
  /** The login server of the registry. */
  loginServer: Schema.String,
  /** GET and HEAD. */
  read: Schema.Natural,
  /** PUT, PATCH and POST. */
  write: Schema.Natural,
  /** Lists of referrers. */
  referrers: Schema.Natural
})

export type Requests = typeof Requests.Type

/**
 * What a migration would copy.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Plan = Schema.Struct({
  /** The number of repositories. */
  repositories: Schema.Natural,
  /** The number of tagged artifacts to copy. Untagged ones are found in the second pass of a run. */
  artifacts: Schema.Natural,
  /** The number of artifacts that the target already has. */
  present: Schema.Natural,
  /**
   * The sum of the sizes of the artifacts to copy, in bytes, as far as the source lists them. Shared layers count once for each
   * artifact, although they are sent once.
   */
  bytes: Schema.Natural,
  /** The number of tags that name another manifest at the target than at the source. `onTag` decides how they are handled. */
  otherTags: Schema.Natural,
  /** The number of common tags whose digest the target does not list. They may name another manifest. */
  unknownTags: Schema.Natural,
  /** The repositories that will not be copied. */
  problems: Schema.Array(RepositoryProblem),
  /** The requests by registry, estimated for images of six layers, half of them shared. */
  requests: Schema.Array(Requests),
  /** The least time that these requests take within the limits of the rules. Absent if the rules limit none of them. */
  leastDuration: Schema.optionalKey(Schema.DurationFromMillis)
})

export type Plan = typeof Plan.Type
