/**
 * Calls of the command as they stand in examples.
 */

/** Whether a shell has to run the line: it has a pipe, a redirection or a variable. */
export const needsShell = (line: string): boolean => /[|<>$;&]/.test(line)

/** The words of a line without anything for a shell but quotes. */
export const wordsOf = (line: string): ReadonlyArray<string> =>
  Array.from(
    line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g),
    ([, single, double, plain]) => single ?? double ?? plain ?? ""
  )

/** The call of the command in a line, which may be one of several in a pipe. */
export const callIn = (line: string): ReadonlyArray<string> => {
  const part = line.split("|").find((piece) => piece.trim().startsWith("eacr ")) ?? ""
  return wordsOf(part.replace(/\s\d?[<>].*$/, "")).slice(1)
}
