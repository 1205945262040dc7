/**
 * Where a layout writes its files first, before they appear as a whole.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import { bufferFor, nonce, syncFolder, type Whole, writeFile } from "../wholeFiles.ts"

/** The folder, as other tools name it. */
export const ingestFolder = "ingest"

export const isAbsent = (error: PlatformError): boolean => error.reason._tag === "NotFound"

export const make = (files: FileSystem.FileSystem, path: Path.Path, folder: string) => {
  const ingest = path.join(folder, ingestFolder)

  /** Runs what names a file. Nearly always its folder is there, so that it is made only where this fails. */
  const inFolder = <A, R>(at: string, effect: Effect.Effect<A, PlatformError, R>): Effect.Effect<A, PlatformError, R> =>
    Effect.catchIf(effect, isAbsent, () =>
      Effect.andThen(files.makeDirectory(path.dirname(at), { recursive: true }), effect)
    )

  const making: Parameters<typeof writeFile>[0] = {
    open: (at, options) => inFolder(at, files.open(at, options)),
    rename: (from, to) => inFolder(to, files.rename(from, to)),
    remove: files.remove
  }

  /** Blobs are written by the same few pieces of memory, one after the other: to have new ones takes as long as to fill them. */
  const buffers: Array<Uint8Array> = []
  const largest = bufferFor().length

  /** Writes a file of a size in bytes, and makes its folder if there is none. */
  const write = <E, R>(
    target: string,
    whole: Pick<Whole<E, R>, "content" | "isAllowed"> & { readonly size: number }
  ): Effect.Effect<boolean, E | PlatformError, R> =>
    Effect.acquireUseRelease(
      Effect.sync(() => (whole.size < largest ? bufferFor(whole.size) : (buffers.pop() ?? bufferFor()))),
      (buffer) =>
        Effect.flatMap(nonce, (name) => writeFile(making, path.join(ingest, name), target, { ...whole, buffer })),
      (buffer) =>
        Effect.sync(() => {
          if (buffer.length === largest) buffers.push(buffer)
        })
    )

  return { write, syncFolder: (at: string) => syncFolder(files, at) }
}
