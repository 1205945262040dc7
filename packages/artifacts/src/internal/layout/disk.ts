/**
 * The folder in which a layout writes files before they get their final names.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import { makeFolder } from "../folders.ts"
import { nonce, syncFolder, type Whole, writeFile } from "../wholeFiles.ts"

/** The name that other tools use for the folder. */
export const ingestFolder = "ingest"

export const isAbsent = (error: PlatformError): boolean => error.reason._tag === "NotFound"

export const make = (files: FileSystem.FileSystem, path: Path.Path, folder: string) => {
  const ingest = path.join(folder, ingestFolder)

  /** Runs an effect on a file. The folder of the file nearly always exists, so it is only created if the effect fails without it. */
  const inFolder = <A, R>(at: string, effect: Effect.Effect<A, PlatformError, R>): Effect.Effect<A, PlatformError, R> =>
    Effect.catchIf(effect, isAbsent, () => Effect.andThen(makeFolder(files, path, path.dirname(at)), effect))

  const making: Parameters<typeof writeFile>[0] = {
    open: (at, options) => inFolder(at, files.open(at, options)),
    rename: (from, to) => inFolder(to, files.rename(from, to)),
    remove: files.remove
  }

  /** Writes a file, and creates its folder if it does not exist. */
  const write = <E, R>(target: string, whole: Whole<E, R>): Effect.Effect<boolean, E | PlatformError, R> =>
    Effect.flatMap(nonce, (name) => writeFile(making, path.join(ingest, name), target, whole))

  return { write, syncFolder: (at: string) => syncFolder(files, at) }
}
