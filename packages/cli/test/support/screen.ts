/**
 * What a terminal shows of an output: as much of one as the command uses.
 */

// oxlint-disable-next-line no-control-regex
const piece = /\u001b\[(\d*)([A-Za-z])|\r|\n|[^\u001b\r\n]/gu

/** The lines of a screen after an output. A character behind the last column goes to the next line. */
export const screen = (output: string, columns: number): ReadonlyArray<string> => {
  const lines: Array<Array<string>> = [[]]
  let row = 0
  let column = 0
  const lineAt = (at: number): Array<string> => (lines[at] ??= [])
  for (const [text, count = "", command] of output.matchAll(piece)) {
    switch (command === undefined ? text : `escape ${command}`) {
      case "escape A":
        row = Math.max(0, row - Number(count === "" ? 1 : count))
        break
      case "escape J":
        lineAt(row).splice(column)
        lines.splice(row + 1)
        break
      case "\r":
        column = 0
        break
      case "\n":
        row += 1
        lineAt(row)
        break
      default:
        if (command !== undefined) break
        if (column === columns) {
          row += 1
          column = 0
        }
        lineAt(row)[column] = text
        column += 1
    }
  }
  return lines.map((line) =>
    Array.from(line, (character) => character ?? " ")
      .join("")
      .trimEnd()
  )
}
