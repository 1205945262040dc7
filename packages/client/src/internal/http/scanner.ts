/**
 * Reads the value of a header from left to right, in one pass.
 */

/** No registry needs more. The rest is not read. */
export const maxLength = 8192

export interface Scanner {
  /** Whether everything has been read. */
  readonly atEnd: () => boolean
  /** Takes the match of a sticky pattern at the current position, if there is one. */
  readonly take: (pattern: RegExp) => RegExpExecArray | null
  readonly skip: () => void
}

export const scan = (header: string): Scanner => {
  const input = header.slice(0, maxLength)
  let position = 0
  return {
    atEnd: () => position >= input.length,
    take: (pattern) => {
      pattern.lastIndex = position
      const match = pattern.exec(input)
      if (match !== null) position = pattern.lastIndex
      return match
    },
    skip: () => {
      position += 1
    }
  }
}
