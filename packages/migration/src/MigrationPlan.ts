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
  /**
   * The number of common tags whose digest is unknown: the target does not list digests, and the plan requests at most 1000 for
   * each repository. Their artifacts count as artifacts to copy, although the target may have them. A run checks each of them.
   */
  unknownTags: Schema.Natural,
  /** The repositories that will not be copied. */
  problems: Schema.Array(RepositoryProblem),
  /** The requests by registry, estimated for images of six layers, half of which their repository has already. */
  requests: Schema.Array(Requests),
  /**
   * A lower bound of the time that one process takes within the limits of the rules. It counts only requests that every copy
   * sends: a read for each artifact, and a read and a write for each new tag. Most runs take several times as long. Absent if the
   * rules limit no requests.
   */
  leastDuration: Schema.optionalKey(Schema.DurationFromMillis)
})

export type Plan = typeof Plan.Type
