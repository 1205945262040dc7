/**
 * Text of artifacts and registries, made safe for a terminal.
 */

/** Line ends, escape sequences, marks that reverse the direction of text or have no width, and halves of characters. */
const unsafe = /[\\\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Names are shorter. A manifest may have one of 4 MiB. */
const longestText = 200

const escaped = (character: string): string =>
  character === "\\" ? "\\\\" : `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`

/** Text from elsewhere, in one line that a terminal shows as it is. */
export const printable = (text: string): string => {
  const shown = text.slice(0, longestText).replace(unsafe, escaped)
  return text.length > longestText ? `${shown}…` : shown
}
