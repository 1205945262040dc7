/**
 * Files that verbs write, and the flag that lets them replace others.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Flag from "effect/cli/Flag"

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
