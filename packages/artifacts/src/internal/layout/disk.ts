/**
 * Where a layout writes its files first, before they appear as a whole.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type * as Stream from "effect/Stream"
import { nonce, syncFolder, writeFile } from "../wholeFiles.ts"

/** The folder, as other tools name it. */
export const ingestFolder = "ingest"

export const make = (files: FileSystem.FileSystem, path: Path.Path, folder: string) => {
  const ingest = path.join(folder, ingestFolder)

  const write = <E, R>(
    target: string,
    content: Stream.Stream<Uint8Array, E, R>,
    isAllowed?: Effect.Effect<boolean>
  ): Effect.Effect<boolean, E | PlatformError, R> =>
    Effect.gen(function* () {
      yield* files.makeDirectory(ingest, { recursive: true })
      return yield* writeFile(files, path.join(ingest, yield* nonce), target, content, isAllowed)
    })

  return { write, syncFolder: (at: string) => syncFolder(files, at) }
}
