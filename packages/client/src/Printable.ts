/**
 * Texts for people: texts of other programs that are safe to print, durations, and the problems of documents that people write.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type * as Schema from "effect/Schema"
import * as DocumentProblems from "./internal/schema/documentProblems.ts"
import * as JsonProblem from "./internal/schema/jsonProblem.ts"

/**
 * Unicode's general categories of control characters (C0, C1, DEL), format characters (bidirectional controls and
 * characters of no width among them), line and paragraph separators, and surrogates, which match only if they are
 * unpaired.
 */
const unprintable = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/** Escapes that are more familiar than code points. */
const names = new Map([
  ["\n", String.raw`\n`],
  ["\r", String.raw`\r`],
  ["\t", String.raw`\t`]
])

const hex = (character: string): string => (character.codePointAt(0) ?? 0).toString(16)

const escape = (character: string): string =>
  names.get(character) ?? (character.length === 1 ? `\\u${hex(character).padStart(4, "0")}` : `\\u{${hex(character)}}`)

/**
 * Replaces every unprintable character with an escape, such as `\u001b`. The result is a single line.
 *
 * **Details**
 *
 * Control characters can move the cursor of a terminal and forge lines of a log; other characters reverse the direction of text or
 * are invisible.
 *
 * **When to use**
 *
 * Use before you print names, annotations and messages that a registry sends.
 *
 * @category formatting
 * @since 0.1.0
 */
export const printable = (text: string): string => text.replace(unprintable, escape)

const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1000]
] as const

/**
 * Writes a duration in the largest unit that fits without a rest, such as `30 days` or `90 minutes`. `Duration.fromInput` reads it.
 *
 * @category formatting
 * @since 0.1.0
 */
export const duration = (time: Duration.Duration): string => {
  const millis = Duration.toMillis(time)
  const unit = units.find(([, length]) => millis !== 0 && millis % length === 0)
  if (unit === undefined) return String(time)
  const [name, length] = unit
  const count = millis / length
  return `${count} ${name}${count === 1 ? "" : "s"}`
}

/**
 * Says in one line what is wrong with a document that a person wrote, such as a file of rules: where, and for an unknown key which
 * key is meant.
 *
 * @category formatting
 * @since 0.1.0
 */
export const documentProblems = (error: Schema.SchemaError): string => DocumentProblems.format(error)

/**
 * Says in one line why a text is not JSON, with the line and the column if the runtime can tell them.
 *
 * @category formatting
 * @since 0.1.0
 */
export const jsonProblem = (text: string): string => JsonProblem.format(text)
