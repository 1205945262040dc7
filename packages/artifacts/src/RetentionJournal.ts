/**
 * What a run has done so far, so that it can be resumed.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import * as Files from "./internal/retention/journalFile.ts"
import type { RetentionError } from "./RetentionError.ts"
import type { Plan } from "./RetentionPlan.ts"
import type { Outcome } from "./RetentionReport.ts"

/**
 * Where a run writes what it does.
 *
 * @category models
 * @since 0.1.0
 */
export interface RetentionJournal {
  /**
   * Begins or resumes the run of a plan, and returns what became of its actions so far. Fails with `OtherPlan` if the journal
   * belongs to another plan.
   */
  readonly begin: (plan: Plan) => Effect.Effect<ReadonlyArray<Outcome>, RetentionError>
  /** Writes what became of an action. The run goes on once it is written. */
  readonly record: (outcome: Outcome) => Effect.Effect<void, RetentionError>
}

/**
 * A journal in a file: one line of JSON for the plan, and one for each action. It is made if it is not there, and stays open
 * as long as the scope.
 *
 * **Details**
 *
 * A line that was cut off by a crash is ignored: the run looks at its object again and finds it gone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const file: (
  path: string
) => Effect.Effect<RetentionJournal, RetentionError, FileSystem.FileSystem | Scope.Scope> = Files.open
