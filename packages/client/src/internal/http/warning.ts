/**
 * Reads the `Warning` header, and reports its texts.
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

/** The maximum number of warnings read from one answer. */
const most = 32

/** The texts of a header, in order. Invalid ones are skipped. */
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

/** More distinct warnings than a registry has. Further ones are not reported. */
const mostWarnings = 256

export interface Warnings {
  /** Logs the new warnings of a header, and stores them for the caller. */
  readonly report: (header: string, quote: Quote) => Effect.Effect<void>
  /** Reports the stored warnings to the caller. Undefined if there are none, as nearly always. */
  readonly tell: () => Effect.Effect<void> | undefined
}

/** Reports each warning once, quoted: to the log at once, to the caller when no request waits for it. */
export const makeWarnings = (loginServer: string, onWarning: (text: string) => Effect.Effect<void>): Warnings => {
  const known = new Set<string>()
  const untold: Array<string> = []
  const tellNext: Effect.Effect<void> = Effect.suspend(() => {
    const text = untold.shift()
    return text === undefined ? Effect.void : Effect.andThen(onWarning(text), tellNext)
  })
  return {
    tell: () => (untold.length === 0 ? undefined : tellNext),
    report: (header, quote) =>
      Effect.forEach(
        parseWarnings(header),
        (warning) => {
          const text = quote.text(warning)
          if (known.has(text) || known.size >= mostWarnings) return Effect.void
          known.add(text)
          untold.push(text)
          return Effect.logWarning(`${loginServer} warns: ${text}`)
        },
        { discard: true }
      )
  }
}
