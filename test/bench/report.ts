/**
 * What a run of the benchmarks finds: figures, and what they should be.
 */
import * as Schema from "effect/Schema"
import { median } from "./turns.ts"

/**
 * A ratio, a share or a difference, once for each round. No figure is a time: those say more of a machine than of a
 * program.
 */
export const Figure = Schema.Struct({
  /** What is compared: `throughput, ours ÷ bare loop (undici)`. */
  what: Schema.String,
  values: Schema.Array(Schema.Finite),
  unit: Schema.Literals(["×", "%", "MiB", "bytes", "requests", "s", ""]),
  atLeast: Schema.optionalKey(Schema.Finite),
  atMost: Schema.optionalKey(Schema.Finite),
  /** Its place in a row of figures that shows how something grows. */
  point: Schema.optionalKey(Schema.Struct({ of: Schema.String, x: Schema.Finite, unit: Schema.String }))
})
export type Figure = typeof Figure.Type

export const CaseReport = Schema.Struct({
  name: Schema.String,
  title: Schema.String,
  figures: Schema.Array(Figure),
  /** Contestants that were not there. */
  leftOut: Schema.Array(Schema.String)
})
export type CaseReport = typeof CaseReport.Type

export const Report = Schema.Struct({
  date: Schema.String,
  command: Schema.String,
  rounds: Schema.Int,
  machine: Schema.Struct({
    processor: Schema.String,
    cores: Schema.Int,
    memoryGiB: Schema.Finite,
    system: Schema.String,
    node: Schema.String
  }),
  cases: Schema.Array(CaseReport)
})
export type Report = typeof Report.Type

/** Whether a figure is as it should be; undefined where nothing was set. */
export const isMet = ({ atLeast, atMost }: Figure, value: number): boolean | undefined =>
  atLeast === undefined && atMost === undefined
    ? undefined
    : value >= (atLeast ?? Number.NEGATIVE_INFINITY) && value <= (atMost ?? Number.POSITIVE_INFINITY)

export const format = (value: number, unit: Figure["unit"]): string =>
  unit === "×"
    ? value.toFixed(2)
    : unit === "%"
      ? `${value.toFixed(0)} %`
      : unit === ""
        ? String(value)
        : `${value.toFixed(value < 10 ? 2 : 0)} ${unit}`

export const goalOf = ({ atLeast, atMost, unit }: Figure): string =>
  atLeast !== undefined ? `≥ ${format(atLeast, unit)}` : atMost !== undefined ? `≤ ${format(atMost, unit)}` : ""

/** A figure as a line: what, the median, the spread, the goal and whether it is met. */
export const line = (figure: Figure): string => {
  const { unit, values } = figure
  const middle = median(values)
  const spread = `${format(Math.min(...values), unit)} … ${format(Math.max(...values), unit)}`
  const met = isMet(figure, middle)
  const verdict = met === undefined ? "" : `${goalOf(figure)}  ${met ? "met" : "NOT MET"}`
  return `  ${figure.what.padEnd(58)} ${format(middle, unit).padStart(9)}  (${spread})  ${verdict}`.trimEnd()
}
