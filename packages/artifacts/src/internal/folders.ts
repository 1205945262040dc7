/**
 * Folders that are made with those above them.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"

/**
 * Makes a folder with those above it. Of a file system that can only be read, a recursive call of Node says that something is not
 * there. Making the topmost folder by itself says why.
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
