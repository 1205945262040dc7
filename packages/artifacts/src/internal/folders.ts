/**
 * Creates folders with their parents.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"

/**
 * Creates a folder with its parents. On a read-only file system, Node's recursive call fails with a misleading "not found";
 * creating the topmost folder separately fails with the real reason.
 */
export const makeFolder = (
  files: FileSystem.FileSystem,
  path: Path.Path,
  folder: string
): Effect.Effect<void, PlatformError> => {
  const above = path.dirname(folder)
  return Effect.catchIf(
    files.makeDirectory(folder, { recursive: true }),
    ({ reason }) => reason._tag === "NotFound",
    (error) =>
      Effect.flatMap(files.exists(above), (isThere) => {
        if (isThere) return files.makeDirectory(folder)
        return above === folder ? Effect.fail(error) : makeFolder(files, path, above)
      })
  )
}
