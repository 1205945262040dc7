/**
 * The error of a migration that does not begin, or stops before its end.
 *
 * @since 0.1.0
 */
import { ConnectionProblem } from "@effect-acr/client/RegistryError"
import * as Schema from "effect/Schema"

/**
 * A migration did not begin, or it stopped. The database has the progress so far, and the next call continues there.
 *
 * **Details**
 *
 * - `InvalidRules`: the rules cannot be parsed, or contradict themselves.
 * - `NothingSelected`: a route matches no repository or no tag, or a glob of `repositories.include` or an entry of `rename` applies
 *   to no repository. The name of the run stays free for other rules.
 * - `OtherRules`: the database has a run of this name with other rules.
 * - `UnknownRun`: the database has no run of this name.
 * - `NewerStore`: a newer version of this package wrote the database.
 * - `Interrupted`: this process lost its lock, for example since a busy machine gave it no CPU time.
 * - `Locked`: another process works on this run, or has locked the file of the database.
 * - `RunnerFailed`: the process cannot listen on the address of the runner, or has another number of shards than the others.
 * - `StoreFull`: the disk of the database is full.
 * - `StoreFailed`: the database cannot be read or written for another reason.
 * - `Denied`: a registry refuses the login, so that all other requests would fail too. `deniedBy` names it.
 * - `PlaceFailed`: the repositories of a source cannot be listed, a layout cannot be written, the disk of a folder is full, or 96
 *   artifacts in a row failed in at least three repositories.
 *
 * @category errors
 * @since 0.1.0
 */
export class MigrationError extends Schema.TaggedError<MigrationError>("@effect-acr/migration/MigrationError")(
  "MigrationError",
  {
    /** What is wrong. */
    problem: Schema.Literals([
      "InvalidRules",
      "NothingSelected",
      "OtherRules",
      "UnknownRun",
      "NewerStore",
      "Interrupted",
      "Locked",
      "RunnerFailed",
      "StoreFull",
      "StoreFailed",
      "Denied",
      "PlaceFailed"
    ]),
    /** What happened, in words. */
    description: Schema.String,
    /** With `Denied`: the registry that refuses the login, and whether the rules have it as source or target. */
    deniedBy: Schema.optionalKey(
      Schema.Struct({ side: Schema.Literals(["source", "target"]), registry: Schema.String })
    ),
    /** With `PlaceFailed`: why the source cannot be reached, if its TLS is the reason. */
    connection: Schema.optionalKey(ConnectionProblem)
  }
) {
  /** Whether the same call may succeed later without a change by the caller. */
  get isRetryable(): boolean {
    return this.problem === "Locked" || this.problem === "Interrupted"
  }

  override get message(): string {
    return this.description
  }
}
