/**
 * Reads `Warning`, and passes on what it says.
 *
 * OCI distribution specification, "Warnings": `299 - "text"`, a header for each; several headers arrive joined by a
 * comma. Other codes are caches' own.
 */
import * as Effect from "effect/Effect"
import type { Quote } from "./quote.ts"
import { scan } from "./scanner.ts"

const code = /\s*(\d{3})\s+(\S+)\s+/y
const quoted = /"((?:[^"\\]|\\[^])*)"/y
const toComma = /[^,]*,?/y

/** No more are read of one answer. */
const most = 32

/** The texts of a header, in order. What can't be read is passed over. */
export const parseWarnings = (header: string): ReadonlyArray<string> => {
  const { atEnd, take } = scan(header)
  const texts: Array<string> = []
  while (!atEnd() && texts.length < most) {
    const begin = take(code)
    const text = begin === null ? null : take(quoted)
    if (begin?.[1] === "299" && text !== null) texts.push((text[1] ?? "").replace(/\\([^])/g, "$1"))
    take(toComma)
  }
  return texts.filter((text) => text !== "")
}

/** More different warnings than a registry has. What comes after is not told. */
const mostWarnings = 256

/** Reports each warning once, quoted: to the log and to the caller. */
export const reportWarnings = (loginServer: string, tell: (text: string) => Effect.Effect<void>) => {
  const told = new Set<string>()
  return (header: string | undefined, quote: Quote): Effect.Effect<void> => {
    if (header === undefined) return Effect.void
    return Effect.forEach(
      parseWarnings(header),
      (warning) => {
        const text = quote.text(warning)
        if (told.has(text) || told.size >= mostWarnings) return Effect.void
        told.add(text)
        return Effect.andThen(Effect.logWarning(`${loginServer} warns: ${text}`), tell(text))
      },
      { discard: true }
    )
  }
}
