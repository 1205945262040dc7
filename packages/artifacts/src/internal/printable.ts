/**
 * Text of artifacts and registries, made safe for a terminal.
 */

/** Line breaks, escape sequences, bidirectional and zero-width marks, and lone surrogates. */
const unsafe = /[\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Longer than ordinary names; a manifest may have one of 4 MiB. */
const longestText = 200

const escaped = (character: string): string =>
  character === "\\" ? "\\\\" : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`

/** Untrusted text as one line that is safe for a terminal. */
export const printable = (text: string): string => {
  const shown = text.slice(0, longestText).replace(unsafe, escaped)
  return text.length > longestText ? `${shown}…` : shown
}
