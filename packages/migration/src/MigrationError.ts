/**
 * Why a migration does not begin, or stops before its end.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A migration that does not begin, or that stopped. What was done so far is in the database, and the next run continues there.
 *
 * **Details**
 *
 * - `InvalidRules`: the rules cannot be read, or do not say what they mean.
 * - `NothingSelected`: a route matches no repository, or none of its tags. The name is free for other rules.
 * - `OtherRules`: the database has a run of this name with other rules.
 * - `UnknownRun`: the database has no run of this name.
 * - `NewerStore`: a newer version of this package wrote the database.
 * - `Interrupted`: this process lost the lock of the database, as one does that gets no time on a busy machine.
 * - `Locked`: another process works on this run, or has locked the file of the database.
 * - `RunnerFailed`: the address of the runner cannot be listened on.
 * - `StoreFull`: the disk of the database is full.
 * - `StoreFailed`: the database cannot be read or written for another reason.
 * - `Denied`: a registry refuses the login. Nothing else would succeed with it.
 * - `PlaceFailed`: a registry cannot be opened, a folder cannot be read, its disk is full, or 96 artifacts in a row failed in at
 *   least three repositories.
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
    /** What happened, for a person to read. */
    description: Schema.String
  }
) {
  /** Whether the same run may continue later, with nothing changed by the caller. */
  get isRetryable(): boolean {
    return this.problem === "Locked" || this.problem === "Interrupted"
  }

  override get message(): string {
    return this.description
  }
}
