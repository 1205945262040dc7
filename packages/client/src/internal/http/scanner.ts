/**
 * Reads the value of a header from left to right, once.
 */

/** No registry needs more; what follows is not read. */
export const maxLength = 8192

export interface Scanner {
  /** Whether everything has been read. */
  readonly atEnd: () => boolean
  /** Takes what a sticky pattern matches at this place, if it does. */
  readonly take: (pattern: RegExp) => RegExpExecArray | null
  /** Passes over one character. */
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
