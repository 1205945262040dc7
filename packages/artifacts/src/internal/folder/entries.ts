/**
 * Checks the entries of an archive, and computes the folder that they unpack to, without touching a file. For each accepted
 * entry, returns the file to write into a staging folder, under a number; refuses others.
 *
 * Parent folders of an entry are real folders: an entry is refused if an earlier one made one of them a link. A symbolic link may
 * go up only through real folders. Both rules together ensure that no accepted link leads outside, even if links are chained.
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Tar from "effect/encoding/Tar"
import { InvalidArchive, LimitExceeded, type Reason, RefusedEntry } from "../../FolderError.ts"
import { collisionKey, folderOf, foldersOf, isWindows, mostDepth, problemOf, shown } from "./names.ts"

/** The limit of all names and link targets together, in UTF-16 units: they are in memory until the archive ends. */
const mostNameUnits = 256 * 1024 * 1024

/**
 * The limit of records of one extended header. A file has at most a dozen attributes, but records of a global header are repeated
 * at each entry.
 */
const mostRecords = 1000

/** The limit of Linux. */
const mostTargetUnits = 4095

const permissionBits = 0o777

/** Whiteouts are instructions of image layers to remove files of the layers below. */
const whiteout = /(?:^|\/)\.wh\./

/** A file whose content is in the staging folder. */
export interface StagedFile {
  readonly kind: "file"
  readonly name: string
  /** The number of its content. A hard link has the number of the file that it links to. */
  readonly content: number
  readonly isAgain: boolean
  readonly size: number
  readonly mode: number
  readonly mtime: Date
}

export interface Link {
  readonly kind: "link"
  readonly name: string
  readonly target: string
}

export interface Folder {
  readonly kind: "folder"
  readonly name: string
  /** None if no entry names it. */
  readonly named: Option.Option<{ readonly mode: number; readonly mtime: Date }>
}

export type Node = StagedFile | Link | Folder

/** The file whose content an entry has; none if the entry needs no content. */
export type Step = Option.Option<StagedFile>

/** The limits and rules for an archive. */
export interface Rules {
  readonly maxBytes: number
  readonly maxEntries: number
  readonly specialFiles: "refuse" | "skip"
  /** The separator of the platform. */
  readonly separator: string
  /** The folder that all names of the archive begin with; empty if there is none. */
  readonly prefix: string
}

const refuse = (entry: string, problem: string) =>
  Result.fail(new RefusedEntry({ entry, description: `${shown(entry)}: ${problem}` }))

const exceeded = (description: string) => Result.fail(new LimitExceeded({ description }))

/** The name without the parts that mean nothing in archives: a leading `./`, a repeated `/`, and a `/` at the end. */
const cleaned = (name: string): string =>
  name
    .replaceAll(/\/{2,}/g, "/")
    .replace(/^(?:\.\/)+/, "")
    .replace(/(?<=[^/])\/$/, "")

/** Whether an entry stands for the folder itself. */
const isRoot = (path: string): boolean => path !== "" && ["", "."].includes(cleaned(path))

const modeOf = ({ mode }: Tar.Header): number => mode & permissionBits

const isSpecial = ({ type }: Tar.Header): boolean => type === "CharDevice" || type === "BlockDevice" || type === "Fifo"

/** Why a symbolic link in a folder of this depth may not have this target, judged by the target alone. */
const targetProblem = (target: string, depth: number, separator: string): string | undefined => {
  if (target === "") return "a link without a target"
  if (target.startsWith("/")) return "a link to an absolute path"
  if (target.includes("\0") || target.length > mostTargetUnits) return "a link whose target cannot be written"
  if (isWindows(separator) && /[\\:]/.test(target)) return "a link to a path that Windows reads otherwise"
  let at = depth
  for (const component of target.split("/")) {
    if (component === "..") at -= 1
    else if (component !== "" && component !== ".") at += 1
    if (at < 0) return "a link that leads outside of the folder"
    if (at > 2 * mostDepth) return "a link whose target is too deep"
  }
  return undefined
}

export const make = (rules: Rules) => {
  const nodes = new Map<string, Node>()
  let entries = 0
  let bytes = 0
  let units = 0
  let files = 0

  const count = (length: number) => {
    entries += 1
    units += length
    if (entries > rules.maxEntries) return exceeded(`the archive has more than ${rules.maxEntries} entries`)
    if (units > mostNameUnits)
      return exceeded(`the names in the archive are longer than ${mostNameUnits} characters together`)
    return Result.void
  }

  const countBytes = (more: number) => {
    bytes += more
    return bytes > rules.maxBytes
      ? exceeded(`the content of the archive is larger than ${rules.maxBytes} bytes`)
      : Result.void
  }

  /** The earlier entry at a name; refused if its name is different but the same on some file systems. */
  const find = (name: string): Result.Result<Node | undefined, Reason> => {
    const found = nodes.get(collisionKey(name))
    return found === undefined || found.name === name
      ? Result.succeed(found)
      : refuse(name, `it is the same as ${shown(found.name)} on some file systems`)
  }

  const addFolder = (name: string, of: string): Result.Result<void, Reason> =>
    Result.flatMap(find(name), (found): Result.Result<void, Reason> => {
      if (found?.kind === "folder") return Result.void
      if (found !== undefined) return refuse(of, `an earlier entry made a ${found.kind} of ${shown(name)}`)
      return Result.map(count(name.length), () => {
        nodes.set(collisionKey(name), { kind: "folder", name, named: Option.none() })
      })
    })

  const addFolders = (name: string): Result.Result<void, Reason> => {
    const parent = folderOf(name)
    if (parent === "") return Result.void
    const known = nodes.get(collisionKey(parent))
    // A folder stays a folder, and so do its parents.
    if (known?.kind === "folder" && known.name === parent) return Result.void
    for (const folder of foldersOf(name)) {
      const added = addFolder(folder, name)
      if (Result.isFailure(added)) return added
    }
    return Result.void
  }

  /** Of two entries with the same name, the later one replaces the earlier. */
  const put = (node: Node): Result.Result<void, Reason> =>
    Result.gen(function* () {
      yield* addFolders(node.name)
      const before = yield* find(node.name)
      if (before?.kind === "folder" && node.kind !== "folder") {
        return yield* refuse(node.name, "an earlier entry made a folder of it")
      }
      nodes.set(collisionKey(node.name), node)
    })

  /** The name without the folder that all names begin with; empty for that folder itself. */
  const withoutPrefix = (path: string): Result.Result<string, Reason> => {
    const name = cleaned(path)
    const { prefix } = rules
    if (prefix === "") return Result.succeed(name)
    if (name === prefix) return Result.succeed("")
    return name.startsWith(`${prefix}/`)
      ? Result.succeed(name.slice(prefix.length + 1))
      : refuse(path, `it is not in the folder ${shown(prefix)}`)
  }

  const nameOf = (path: string): Result.Result<string, Reason> =>
    Result.flatMap(withoutPrefix(path), (name) => checked(path, name))

  const checked = (path: string, name: string): Result.Result<string, Reason> => {
    const problem = problemOf(name, rules.separator)
    if (Option.isSome(problem)) return refuse(path, problem.value)
    return whiteout.test(name)
      ? refuse(path, "a whiteout, which removes files of other layers, is not applied")
      : Result.succeed(name)
  }

  const acceptFile = (header: Tar.Header, name: string): Result.Result<Step, Reason> => {
    // Programs disagree whether it is a file or a folder.
    if (header.path.endsWith("/")) return refuse(header.path, "a file whose name ends with /")
    const file: StagedFile = {
      kind: "file",
      name,
      content: files++,
      isAgain: false,
      size: header.size,
      mode: modeOf(header),
      mtime: header.mtime
    }
    return Result.map(put(file), () => Option.some(file))
  }

  const acceptHardlink = (header: Tar.Header, name: string): Result.Result<Step, Reason> =>
    Result.gen(function* () {
      const target = yield* nameOf(header.linkTarget ?? "")
      const of = yield* find(target)
      if (of?.kind !== "file") {
        return yield* refuse(name, `a hard link to ${shown(target)}, which is not a file of an earlier entry`)
      }
      yield* put({ ...of, name, isAgain: true })
      return Option.none()
    })

  const acceptSymlink = (header: Tar.Header, name: string): Result.Result<Step, Reason> => {
    const target = header.linkTarget ?? ""
    const problem = targetProblem(target, foldersOf(name).length, rules.separator)
    if (problem !== undefined) return refuse(name, `${problem}: ${shown(target)}`)
    return Result.map(put({ kind: "link", name, target }), () => Option.none())
  }

  const acceptNamed = (header: Tar.Header, name: string): Result.Result<Step, Reason> => {
    switch (header.type) {
      case "File":
        return acceptFile(header, name)
      case "Directory": {
        const named = Option.some({ mode: modeOf(header), mtime: header.mtime })
        return Result.map(put({ kind: "folder", name, named }), () => Option.none())
      }
      case "Symlink":
        return acceptSymlink(header, name)
      case "Hardlink":
        return acceptHardlink(header, name)
      default:
        return refuse(name, "a device or a pipe")
    }
  }

  const accept = (header: Tar.Header): Result.Result<Step, Reason> =>
    Result.gen(function* () {
      yield* count(header.path.length + (header.linkTarget?.length ?? 0))
      yield* countBytes(header.size)
      if (Object.keys(header.pax).length > mostRecords) {
        return yield* exceeded(`an extended header of the archive has more than ${mostRecords} records`)
      }
      if (header.type === "Other") {
        // The label of an archive, which GNU tar writes with --label.
        if (header.typeflag === "V") return Option.none()
        const description = `${shown(header.path)} is an entry of type ${shown(header.typeflag)}, which is not read`
        return yield* Result.fail(new InvalidArchive({ description }))
      }
      // The folder belongs to the caller, and keeps its mode.
      const isFolder = header.type === "Directory"
      if (isFolder && (isRoot(header.path) || cleaned(header.path) === rules.prefix)) return Option.none()
      const name = yield* nameOf(header.path)
      if (isSpecial(header) && rules.specialFiles === "skip") return Option.none()
      return yield* acceptNamed(header, name)
    })

  /** The folder of a name, if an entry made it. */
  const isFolder = (name: string): boolean => {
    if (name === "") return true
    const node = nodes.get(collisionKey(name))
    return node?.kind === "folder" && node.name === name
  }

  /**
   * Whether each `..` of a target goes up from a real folder of the archive. A `..` after a link leads elsewhere than its text
   * suggests.
   */
  const goesUpThroughFolders = ({ name, target }: Link): boolean => {
    const at = name.split("/").slice(0, -1)
    for (const component of target.split("/")) {
      if (component === "..") {
        if (!isFolder(at.join("/"))) return false
        at.pop()
      } else if (component !== "" && component !== ".") at.push(component)
    }
    return true
  }

  /** The content of the folder at the end of the archive: each folder before its content. */
  const finish = (): Result.Result<ReadonlyArray<Node>, Reason> => {
    const all = [...nodes.values()]
    for (const node of all) {
      if (node.kind === "link" && !goesUpThroughFolders(node)) {
        return refuse(node.name, `a link that goes up through another link, or through nothing: ${shown(node.target)}`)
      }
    }
    return Result.succeed(all)
  }

  return { accept, finish, countBytes, bytes: () => bytes }
}
export type Plan = ReturnType<typeof make>
