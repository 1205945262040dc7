/**
 * Rows: in columns on a terminal, and separated by tabs elsewhere.
 */
import * as CliOutput from "effect/cli/CliOutput"
import { printable } from "@effect-acr/client/Printable"

/** How text is shown. */
export interface View {
  readonly isTerminal: boolean
  readonly canColor: boolean
}

const dim = (view: View, text: string): string => (view.canColor ? `\u001b[2m${text}\u001b[22m` : text)

const padded = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - CliOutput.displayWidth(text)))

const widthsOf = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<number> =>
  rows.reduce<ReadonlyArray<number>>(
    (widths, row) => row.map((cell, column) => Math.max(widths[column] ?? 0, CliOutput.displayWidth(cell))),
    []
  )

const gap = "  "

/** Writes rows. Only a terminal gets the header. */
export const table = (
  view: View,
  header: ReadonlyArray<string>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const cells = rows.map((row) => row.map(printable))
  if (!view.isTerminal) return cells.map((row) => row.join("\t"))
  if (cells.length === 0) return []
  const widths = widthsOf([header, ...cells])
  const line = (row: ReadonlyArray<string>) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : padded(cell, widths[column] ?? 0))).join(gap)
  return [dim(view, line(header)), ...cells.map(line)]
}

/** Writes names and their values. Several values of one name are on lines below each other. */
export const pairs = (
  view: View,
  entries: ReadonlyArray<readonly [name: string, values: string | ReadonlyArray<string>]>
): ReadonlyArray<string> => {
  const rows = entries.flatMap(([name, values]) =>
    (typeof values === "string" ? [values] : values).map((value, index) =>
      [view.isTerminal && index > 0 ? "" : name, value].map(printable)
    )
  )
  if (!view.isTerminal) return rows.map((row) => row.join("\t"))
  const width = Math.max(...rows.map(([name = ""]) => CliOutput.displayWidth(name)))
  return rows.map(([name = "", value = ""]) => `${dim(view, padded(name, width))}${gap}${value}`)
}
