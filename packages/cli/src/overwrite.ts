/**
 * Files that verbs write, and the flag that lets them replace others.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Flag from "effect/cli/Flag"
import { NotThere } from "./problem.ts"

export const overwriteFlag = (description: string) =>
  Flag.Boolean("overwrite").pipe(Flag.withDescription(description), Flag.withDefault(false))

/** Whether a path exists. A broken link counts as existing. */
export const isThere = (file: string) =>
  Effect.flatMap(FileSystem.FileSystem, (files) =>
    Effect.matchEffect(files.readLink(file), {
      onFailure: () => files.exists(file),
      onSuccess: () => Effect.succeed(true)
    })
  )

/** Fails if the folder of a new file does not exist. Otherwise, the error would name a temporary file. */
export const expectFolder = Effect.fnUntraced(function* (file: string) {
  const path = yield* Path.Path
  const folder = path.dirname(path.resolve(file))
  if (yield* (yield* FileSystem.FileSystem).exists(folder)) return
  return yield* new NotThere({ description: `there is no folder ${folder}` })
})
