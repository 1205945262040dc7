/**
 * The lines of a program that matter, out of its file: a copy would not change with the program.
 */

const indentOf = (line: string): number => line.length - line.trimStart().length

/** The last line of the statement that begins at a line: deeper lines belong to it, and so do the brackets that close it. */
const lastOf = (lines: ReadonlyArray<string>, first: number): number => {
  const indent = indentOf(lines[first] ?? "")
  const belongs = (line: string): boolean =>
    line === "" || indentOf(line) > indent || (indentOf(line) === indent && /^[)\]}]/.test(line.trimStart()))
  const next = lines.findIndex((line, index) => index > first && !belongs(line))
  const end = next === -1 ? lines.length : next
  // A blank line between two statements belongs to neither.
  return lines.findLastIndex((line, index) => index < end && line !== "")
}

/** The lines of the one statement that begins with a line that contains the text. */
const statementAt = (lines: ReadonlyArray<string>, text: string): readonly [first: number, last: number] => {
  const found = lines.flatMap((line, index) => (line.includes(text) ? [index] : []))
  const [first] = found
  if (first === undefined || found.length > 1) throw new Error(`${found.length} lines contain: ${text}`)
  return [first, lastOf(lines, first)]
}

const withoutIndent = (lines: ReadonlyArray<string>): ReadonlyArray<string> => {
  const indent = indentOf(lines[0] ?? "")
  return lines.map((line) => line.slice(indent))
}

/** The statements whose first lines contain the texts, in that order, with a line between those that are apart. */
export const excerpt = (program: string, texts: ReadonlyArray<string>): ReadonlyArray<string> => {
  const lines = program.split("\n")
  const places = texts.map((text) => statementAt(lines, text))
  return places.flatMap(([first, last], index) => {
    const before = places[index - 1]
    const isApart = before !== undefined && first !== before[1] + 1
    const own = withoutIndent(lines.slice(first, last + 1))
    // An argument stands here without the ones after it.
    const alone = own.map((line, place) => (place === own.length - 1 ? line.replace(/,$/, "") : line))
    return isApart ? ["…", ...alone] : alone
  })
}
