/**
 * Text in columns.
 */

/** What stands above a column, and on which side its text is. */
export interface Column {
  readonly title: string
  readonly side: "left" | "right"
}

const pad = (text: string, side: Column["side"], width: number): string =>
  side === "left" ? text.padEnd(width) : text.padStart(width)

export const table = (columns: ReadonlyArray<Column>, rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const padded = columns.map(({ side, title }, index) => {
    const cells = [title, ...rows.map((row) => row[index] ?? "")]
    const width = Math.max(...cells.map(({ length }) => length))
    return cells.map((cell) => pad(cell, side, width))
  })
  return ["", ...rows]
    .map((_, line) =>
      padded
        .map((cells) => cells[line])
        .join("  ")
        .trimEnd()
    )
    .join("\n")
}
