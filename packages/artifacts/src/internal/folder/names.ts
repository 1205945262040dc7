/**
 * Checks which names of files can be written into a folder safely. A name comes from an archive or an annotation of a registry,
 * has `/` between its components, and is relative to the folder.
 *
 * Names with a special meaning only on Windows are refused only there: `\x2d` and `12:30.log` are ordinary names of files on
 * Linux.
 */
import * as Option from "effect/Option"

/** Limits of Linux, which other platforms do not exceed. */
const mostComponentBytes = 255
const mostNameBytes = 4096

/** Deeper than any program nests folders, and few enough to check each one. */
export const mostDepth = 128

const shownCharacters = 200

/** A name for a message: quoted, with control characters escaped, and shortened. */
export const shown = (name: string): string =>
  JSON.stringify(name.length > shownCharacters ? `${name.slice(0, shownCharacters)}…` : name)

const encoder = new TextEncoder()

/** Whether a text has more bytes than allowed. A UTF-16 unit is at most three bytes of UTF-8. */
const isLonger = (text: string, mostBytes: number): boolean =>
  text.length * 3 > mostBytes && encoder.encode(text).length > mostBytes

/**
 * Names of devices on Windows, in every folder and with any extension. The digits include superscripts. "Naming Files, Paths, and
 * Namespaces", learn.microsoft.com.
 */
const device = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[\d¹²³])[ ]*(?:[.:]|$)/i

/** The problem of a component of a name on Windows. */
const windowsProblem = (component: string): string | undefined => {
  if (component.includes("\\")) return "Windows reads \\ as a separator"
  if (/[<>:"|?*]/.test(component)) return 'Windows allows none of < > : " | ? *'
  if (/[. ]$/.test(component)) return "Windows removes dots and spaces at the end of a name"
  return device.test(component) ? "it is a device on Windows" : undefined
}

const componentProblem = (component: string, isWindows: boolean): string | undefined => {
  if (component === "") return "a part of it is empty"
  if (component === ".") return "a part of it is ."
  if (component === "..") return "it leaves the folder by .."
  if (isLonger(component, mostComponentBytes)) return `a part of it is longer than ${mostComponentBytes} bytes`
  return isWindows ? windowsProblem(component) : undefined
}

const findProblem = (name: string, isWindows: boolean): string | undefined => {
  if (name === "") return "it is empty"
  if (name.startsWith("/")) return "it is absolute"
  if (/\p{Cc}/u.test(name)) return "it has control characters"
  // A replacement character stands for bytes that are not UTF-8: two names may have become the same.
  if (/\uFFFD|\p{Surrogate}/u.test(name)) return "it is not valid Unicode"
  if (isLonger(name, mostNameBytes)) return `it is longer than ${mostNameBytes} bytes`
  const components = name.split("/")
  if (components.length > mostDepth) return `it is more than ${mostDepth} folders deep`
  for (const component of components) {
    const problem = componentProblem(component, isWindows)
    if (problem !== undefined) return problem
  }
  return undefined
}

/** Whether a platform is Windows, by its separator. */
export const isWindows = (separator: string): boolean => separator === "\\"

/** Why a name cannot be written, on a platform with this separator; none if it can. */
export const problemOf = (name: string, separator: string): Option.Option<string> =>
  Option.fromUndefinedOr(findProblem(name, isWindows(separator)))

/**
 * A key that is equal for names that are the same file on a file system of macOS or Windows. File systems have different tables
 * for the case of letters: this key joins more names than any of them.
 */
export const collisionKey = (name: string): string =>
  // Most names are ASCII.
  /^[ -~]*$/.test(name) ? name.toLowerCase() : name.normalize("NFC").toUpperCase().toLowerCase().normalize("NFC")

/** The folder of a name; empty if that is the folder to which all names are relative. */
export const folderOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf("/")))

/** The folders of a name, the outermost first. */
export const foldersOf = (name: string): ReadonlyArray<string> => {
  const folders: Array<string> = []
  for (let end = name.indexOf("/"); end !== -1; end = name.indexOf("/", end + 1)) folders.push(name.slice(0, end))
  return folders
}

/** Why files of these names cannot be in one folder; none if they can. */
export const conflictOf = (names: ReadonlyArray<string>): Option.Option<string> => {
  const found = new Map<string, { readonly name: string; readonly isFolder: boolean }>()
  const add = (name: string, isFolder: boolean): string | undefined => {
    const key = collisionKey(name)
    const other = found.get(key)
    if (other === undefined) {
      found.set(key, { name, isFolder })
      return undefined
    }
    if (other.name !== name) return `${shown(other.name)} and ${shown(name)} are one file on some file systems`
    if (other.isFolder && isFolder) return undefined
    return other.isFolder || isFolder ? `${shown(name)} is a file and a folder` : `${shown(name)} is there twice`
  }
  for (const name of names) {
    const problem =
      foldersOf(name)
        .map((folder) => add(folder, true))
        .find((one) => one !== undefined) ?? add(name, false)
    if (problem !== undefined) return Option.some(problem)
  }
  return Option.none()
}
