/**
 * What a migration would do, and how long that takes at least.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { RepositoryProblem } from "./MigrationReport.ts"

/**
 * Requests that a registry will get, about.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Requests = Schema.Struct({
  /** The registry. */
  loginServer: Schema.String,
  /** GET and HEAD. */
  read: Schema.Natural,
  /** PUT, PATCH and POST. */
  write: Schema.Natural,
  /** Lists of referrers. */
  referrers: Schema.Natural
})

/**
 * Requests that a registry will get, about.
 *
 * @category models
 * @since 0.1.0
 */
export type Requests = typeof Requests.Type

/**
 * What a migration would do.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Plan = Schema.Struct({
  /** The repositories. */
  repositories: Schema.Natural,
  /** The artifacts with tags that are to be copied. Those without a tag show in the second pass of a run. */
  artifacts: Schema.Natural,
  /** The artifacts that the target has already. */
  present: Schema.Natural,
  /**
   * The sizes of the artifacts to copy, in bytes, as far as the source lists them. Layers that several artifacts share are sent
   * once, and counted each time.
   */
  bytes: Schema.Natural,
  /** Tags of the target that name something else than at the source. `onTag` of the rules says what becomes of them. */
  otherTags: Schema.Natural,
  /** Tags that both sides have, where the target does not list what they name. They may name something else. */
  unknownTags: Schema.Natural,
  /** The repositories that will not be copied. */
  problems: Schema.Array(RepositoryProblem),
  /** The requests, by registry, estimated for images of six layers of which half are shared. */
  requests: Schema.Array(Requests),
  /** How long these requests take at least, within the limits of the rules. Absent if the rules limit none of them. */
  leastDuration: Schema.optionalKey(Schema.DurationFromMillis)
})

/**
 * What a migration would do.
 *
 * @category models
 * @since 0.1.0
 */
export type Plan = typeof Plan.Type
