/**
 * Why a plan of a retention could not be made, or is not carried out.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A retention that does not begin. Nothing was deleted.
 *
 * **Details**
 *
 * - `InvalidRules`: the rules cannot be read, or do not say what they mean.
 * - `UnknownList`: a rule names a list of digests, or asks for the time of pulls, that was not supplied.
 * - `OtherRules`, `OtherRepository`: the plan was made by other rules, or for another repository, or the rules are not for the
 *   repository.
 * - `TooOld`: the plan is older than the run allows.
 * - `InconsistentPlan`: the plan was edited, and deletes what something needs that it keeps.
 * - `LimitExceeded`: the plan deletes more than the rules' limits allow.
 * - `OtherPlan`: the journal belongs to another plan.
 * - `LocksNotAllowed`: the plan deletes locked objects, and the run does not allow that.
 * - `CacheFailed`, `JournalFailed`: the cache or the journal cannot be read or written.
 *
 * @category errors
 * @since 0.1.0
 */
export class RetentionError extends Schema.TaggedError<RetentionError>("@effect-acr/artifacts/RetentionError")(
  "RetentionError",
  {
    /** What is wrong. */
    problem: Schema.Literals([
      "InvalidRules",
      "UnknownList",
      "OtherRules",
      "OtherRepository",
      "TooOld",
      "InconsistentPlan",
      "LimitExceeded",
      "OtherPlan",
      "LocksNotAllowed",
      "CacheFailed",
      "JournalFailed"
    ]),
    /** What happened, for a person to read. */
    description: Schema.String
  }
) {
  /** Always false: the rules, the plan or the run has to change first. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return this.description
  }
}
