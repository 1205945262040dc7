/**
 * States as numbers, as rows store them.
 */
import { State } from "../../MigrationReport.ts"

/** Rows store the position of a state in the schema. */
export const numberOf = (state: State): number => State.literals.indexOf(state)

/** States of selected artifacts that the target lacks. */
export const notAtTarget: ReadonlyArray<State> = ["failed", "refused", "skipped", "vanished"]

export const stateOf = (number: number): State => State.literals[number] ?? "planned"

/** The number of characters of a message that are stored. */
const mostDetail = 300

export const detailOf = (detail: string | null | undefined): string | null => {
  if (detail === null || detail === undefined) return null
  return detail.length <= mostDetail ? detail : `${detail.slice(0, mostDetail - 1)}…`
}
