/**
 * Says where a text is not JSON.
 */
import * as Result from "effect/Result"

const messageOf = (json: string): string =>
  Result.match(
    Result.try(() => JSON.parse(json)),
    { onFailure: (error) => (error instanceof Error ? error.message : String(error)), onSuccess: () => "" }
  )

const hasUnexpected = (json: string): boolean => messageOf(json).startsWith("Unexpected token")

/** The length of the shortest beginning with the same problem. Longer beginnings have it too. */
const lengthOf = (json: string): number => {
  let [valid, invalid] = [0, json.length]
  while (invalid - valid > 1) {
    const middle = Math.floor((valid + invalid) / 2)
    if (hasUnexpected(json.slice(0, middle))) invalid = middle
    else valid = middle
  }
  return invalid
}

/** The engine's message, with the line and the column of an unexpected token, which it leaves out. */
export const format = (json: string): string => {
  const message = messageOf(json).replace(/\s+/g, " ")
  if (!hasUnexpected(json)) return message
  const lines = json.slice(0, lengthOf(json)).split("\n")
  return `${message} (line ${lines.length} column ${lines.at(-1)?.length ?? 0})`
}
