/**
 * Folders for layouts, on the disk of this machine.
 */
import { createHash } from "node:crypto"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

export const layer = NodeServices.layer

/** A folder that is gone after the test. The layout in it is not there yet. */
export const layoutFolder = Effect.gen(function* () {
  const files = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  return path.join(yield* files.makeTempDirectoryScoped({ prefix: "effect-acr-layout-" }), "layout")
})

/** All files of a folder with their bytes and times, except those in the folder where files are written first. */
export const snapshot = (folder: string) =>
  Effect.gen(function* () {
    const files = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const names = (yield* files.readDirectory(folder, { recursive: true })).toSorted()
    const found: Array<{ readonly name: string; readonly hash: string; readonly mtime: number }> = []
    for (const name of names) {
      const info = yield* files.stat(path.join(folder, name))
      if (info.type !== "File") continue
      const bytes = yield* files.readFile(path.join(folder, name))
      const mtime = info.mtime._tag === "Some" ? info.mtime.value.getTime() : 0
      found.push({ name, hash: createHash("sha256").update(bytes).digest("hex"), mtime })
    }
    return found
  })
