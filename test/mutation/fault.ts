/**
 * Mistakes that a change of the code could make.
 */

/** A fault, as a change of one file. */
export interface Fault {
  /** What goes wrong for a user. */
  readonly wrong: string
  /** The file, from the root of the workspace. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  /** Takes its place. */
  readonly replace: string
}

/** How often the text that a fault replaces occurs in its file. Any number but 1 means that the fault is out of date. */
export const occurrences = (text: string, { find }: Fault): number => text.split(find).length - 1

/** A file with a fault in it. */
export const faulty = (text: string, { find, replace }: Fault): string => text.replace(find, () => replace)

/** The folder of the package that a fault is in: `packages/client/`. */
export const packageOf = ({ file }: Fault): string => `${file.split("/", 2).join("/")}/`
