/**
 * Makes texts of other programs safe to print. Control characters can move the cursor of a terminal and forge lines of
 * a log; other characters reverse the direction of text or are invisible.
 *
 * @since 0.1.0
 */

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
 * **When to use**
 *
 * Use before you print names, annotations and messages that a registry sends.
 *
 * @category formatting
 * @since 0.1.0
 */
export const printable = (text: string): string => text.replace(unprintable, escape)
