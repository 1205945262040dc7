/**
 * The code in pages, and in the comments of modules.
 */

/** A block of code: what stands behind the ticks of its first line, and what is in it. */
export interface Fence {
  readonly info: string
  readonly code: string
}

const fence = /^( *\* )?```(.*)\n([\s\S]*?)^(?: *\* )?```$/gm

/** The blocks of a text, in order. In a comment a star is before each line. */
export const fencesOf = (text: string): ReadonlyArray<Fence> =>
  Array.from(text.matchAll(fence), ([, star, info = "", code = ""]) => ({
    info,
    code: star === undefined ? code : code.replace(/^ *\* ?/gm, "")
  }))
