/**
 * Puts finished files into a folder. A file is written in a staging folder beside its final place, and gets its name by renaming,
 * so that a file of that name is either the old or the new one, complete.
 *
 * No file is written through a symbolic link that is in the folder: each parent folder of a file is checked first. The check and
 * the renaming are two steps, since Effect has no `openat`: a program with write access to the folder can put a link there in
 * between, but could as well write the file itself.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import { makeFolder } from "../folders.ts"
import { AlreadyThere, FileFailed, FolderError, type Reason, RefusedEntry } from "../../FolderError.ts"
import { nonce } from "../wholeFiles.ts"
import { foldersOf, shown } from "./names.ts"

const stagingPrefix = ".effect-acr-"

/** What to do with an existing file. */
export interface PlaceOptions {
  readonly overwrite: boolean
}

/** Whether an existing file or link equals the one to put in its place. */
export type IsSame = (at: string, found: FileSystem.File.Info) => Effect.Effect<boolean, PlatformError>

/** A folder into which files are put. Their names must have passed the checks of `names.ts`. */
export interface Site {
  /** An empty folder on the same file system, private to this user. It is removed with the scope. */
  readonly staging: string
  readonly pathOf: (name: string) => string
  readonly failure: (reason: Reason) => FolderError
  readonly ofFile: (cause: PlatformError) => FolderError
  /**
   * Whether to put a file here: false if the same file exists and files are not replaced. Fails if the file cannot be put here.
   */
  readonly checkFile: (name: string, options: PlaceOptions, isSame?: IsSame) => Effect.Effect<boolean, FolderError>
  /** Fails if a folder cannot be created here. */
  readonly checkFolder: (name: string) => Effect.Effect<void, FolderError>
  /** Creates a folder and its parents. Returns whether the folder was missing. */
  readonly makeFolder: (name: string, mode?: number) => Effect.Effect<boolean, FolderError>
  /** Moves a file or a symbolic link from the staging folder into its place. */
  readonly place: (name: string, staged: string, options: PlaceOptions) => Effect.Effect<void, FolderError>
}

/** The entry at a path, without following symbolic links; none if there is none. */
const lookAt = (files: FileSystem.FileSystem, at: string) =>
  files.lstat(at).pipe(
    Effect.asSome,
    Effect.catchIf(
      ({ reason }) => reason._tag === "NotFound",
      () => Effect.succeedNone
    )
  )

const stage = (files: FileSystem.FileSystem, path: Path.Path, root: string) =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      yield* makeFolder(files, path, root)
      const staging = path.join(root, `${stagingPrefix}${yield* nonce}`)
      // Files that others may not read in the end must be private meanwhile, too.
      yield* files.makeDirectory(staging, { mode: 0o700 })
      return staging
    }),
    (staging) => Effect.ignore(files.remove(staging, { recursive: true, force: true }))
  )

const refused = (name: string, problem: string) =>
  new RefusedEntry({ entry: name, description: `${shown(name)}: ${problem}` })

/** Opens a folder to put files into it. It is created if it does not exist, and may be a symbolic link. */
export const open = (root: string): Effect.Effect<Site, FolderError, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const failure = (reason: Reason) => new FolderError({ folder: root, reason })
    const ofFile = (cause: PlatformError) => failure(new FileFailed({ description: cause.message, cause }))
    // The process may change its working directory meanwhile.
    const base = path.resolve(root)
    const staging = yield* Effect.mapError(stage(files, path, base), ofFile)
    const pathOf = (name: string) => path.join(base, ...name.split("/"))
    const look = (name: string) => Effect.mapError(lookAt(files, pathOf(name)), ofFile)

    // A folder is checked once: archives have many files in each.
    const isThere = new Map<string, boolean>()

    /** Whether a folder exists. Fails if something else is in its place. */
    const lookAtFolder = Effect.fnUntraced(function* (name: string) {
      const known = isThere.get(name)
      if (known !== undefined) return known
      const found = yield* look(name)
      if (Option.exists(found, ({ type }) => type !== "Directory")) {
        const isLink = Option.exists(found, ({ type }) => type === "SymbolicLink")
        const problem = isLink
          ? "a symbolic link is there, and is not followed"
          : "a file is there, where a folder is needed"
        return yield* failure(refused(name, problem))
      }
      isThere.set(name, Option.isSome(found))
      return Option.isSome(found)
    })

    /** Whether all parent folders of a name exist. A missing folder has no content. */
    const haveFolders = Effect.fnUntraced(function* (name: string) {
      for (const folder of foldersOf(name)) if (!(yield* lookAtFolder(folder))) return false
      return true
    })

    const checkFolder = Effect.fnUntraced(function* (name: string) {
      if (yield* haveFolders(name)) yield* lookAtFolder(name)
    })

    const checkFile = Effect.fnUntraced(function* (
      name: string,
      { overwrite }: PlaceOptions,
      isSame: IsSame = () => Effect.succeed(false)
    ) {
      if (!(yield* haveFolders(name))) return true
      const found = yield* look(name)
      if (Option.isNone(found)) return true
      if (found.value.type === "Directory")
        return yield* failure(refused(name, "a folder is there, where a file is put"))
      if (overwrite) return true
      if (yield* Effect.mapError(isSame(pathOf(name), found.value), ofFile)) return false
      return yield* failure(new AlreadyThere({ description: `${shown(name)} is there already` }))
    })

    const makeOne = Effect.fnUntraced(function* (name: string, mode: number | undefined) {
      if (yield* lookAtFolder(name)) return false
      isThere.delete(name)
      const made = yield* files.makeDirectory(pathOf(name), mode === undefined ? {} : { mode }).pipe(
        Effect.as(true),
        // Another program was faster.
        Effect.catchIf(
          ({ reason }) => reason._tag === "AlreadyExists",
          () => Effect.succeed(false)
        ),
        Effect.mapError(ofFile)
      )
      if (made) isThere.set(name, true)
      else yield* lookAtFolder(name)
      return made
    })

    const makeFolder = Effect.fnUntraced(function* (name: string, mode?: number) {
      for (const folder of foldersOf(name)) yield* makeOne(folder, mode)
      return yield* makeOne(name, mode)
    })

    const place = Effect.fnUntraced(function* (name: string, staged: string, options: PlaceOptions) {
      for (const folder of foldersOf(name)) yield* makeOne(folder, undefined)
      if (!options.overwrite) yield* checkFile(name, options)
      // Renaming replaces a symbolic link, and does not follow it. It does not replace a folder.
      yield* Effect.catch(files.rename(staged, pathOf(name)), (cause) =>
        Effect.andThen(checkFile(name, options), Effect.fail(ofFile(cause)))
      )
    })

    const site: Site = { staging, pathOf, failure, ofFile, checkFile, checkFolder, makeFolder, place }
    return site
  })
