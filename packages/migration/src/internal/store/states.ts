/**
 * States as numbers, which rows have.
 */
import { State } from "../../MigrationReport.ts"

/** Rows have the place of a state in the schema. */
export const numberOf = (state: State): number => State.literals.indexOf(state)

export const stateOf = (number: number): State => State.literals[number] ?? "planned"

/** What is kept of a message. */
const mostDetail = 300

export const detailOf = (detail: string | null | undefined): string | null => detail?.slice(0, mostDetail) ?? null
