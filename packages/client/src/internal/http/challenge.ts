/**
 * Reads `WWW-Authenticate`.
 *
 * RFC 9110, sections 11.2 to 11.6.1: a list of challenges, each a scheme with parameters, all separated by commas,
 * while the values of parameters hold commas and spaces themselves (`scope="repository:a:pull,push
 * repository:b:pull"`). Several headers arrive joined by a comma and read the same. The parser makes one pass over any
 * text.
 */

import { scan } from "./scanner.ts"

/**
 * A challenge of a registry.
 */
export interface Challenge {
  /** In lower case: `bearer`, `basic`. */
  readonly scheme: string
  /** By lower-case name. If a name occurs twice, the first value counts. */
  readonly parameters: ReadonlyMap<string, string>
}

const token = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y
const separators = /[\s,]*/y
const equals = /\s*=\s*/y
const quoted = /"((?:[^"\\]|\\[^])*)"/y
const bare = /[^\s,"]*/y

/**
 * Parses all challenges of a header, in order. Invalid ones are skipped.
 */
export const parse = (header: string): ReadonlyArray<Challenge> => {
  const { atEnd, skip, take } = scan(header)
  const challenges: Array<{ readonly scheme: string; readonly parameters: Map<string, string> }> = []
  while (!atEnd()) {
    take(separators)
    const name = take(token)?.[0].toLowerCase()
    if (name === undefined) {
      skip()
    } else if (take(equals) === null) {
      challenges.push({ scheme: name, parameters: new Map() })
    } else {
      const text = take(quoted)
      const value = text === null ? (take(bare)?.[0] ?? "") : (text[1] ?? "").replace(/\\([^])/g, "$1")
      const parameters = challenges.at(-1)?.parameters
      if (parameters !== undefined && !parameters.has(name)) parameters.set(name, value)
    }
  }
  return challenges
}
