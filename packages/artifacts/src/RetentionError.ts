/**
 * Why a retention plan could not be made or carried out.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A retention run could not start. Nothing was deleted.
 *
 * **Details**
 *
 * - `InvalidRules`: the rules cannot be decoded, or contradict themselves.
 * - `UnknownList`: a rule needs a list of digests or pull times that were not supplied.
 * - `OtherRules`, `OtherRepository`: the plan was made by other rules or for another repository, or the rules do not cover the
 *   repository.
 * - `TooOld`: the plan is older than the run allows.
 * - `InconsistentPlan`: the plan was edited, and deletes something that an object which it keeps needs.
 * - `LimitExceeded`: the plan deletes more than the rules' limits allow.
 * - `OtherPlan`: the journal belongs to another plan.
 * - `LocksNotAllowed`: the plan deletes locked objects, and the option `allowLocked` is not set.
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
    /** The message for people to read. */
    description: Schema.String
  }
) {
  /** Always false: the rules, the plan or the options must change first. */
  get isRetryable(): boolean {
    return false
  }

  override get message(): string {
    return this.description
  }
}
