/**
 * Uploads a blob that nothing refers to, and deletes it again.
 */
import { BlobSource, RegistryContent } from "@effect-acr/client"
import { Config, Console, Effect } from "effect"
import { RegistryLive, run } from "./support/registry.ts"

export const deleteBlob = Effect.gen(function* () {
  const content = yield* RegistryContent.RegistryContent
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("samples/scratch"))

  const { digest } = yield* content.uploadBlob(repository, BlobSource.fromString("not needed\n"))
  const { size } = yield* content.headBlob(repository, digest)
  yield* Console.log(`${repository} holds ${digest}, ${size} bytes`)

  yield* content.deleteBlob(repository, digest)
  yield* content.headBlob(repository, digest).pipe(
    Effect.andThen(Console.log("It is still there.")),
    Effect.catchReason("RegistryError", "NotFound", () => Console.log("It is gone."))
  )
})

if (import.meta.main) run(deleteBlob, RegistryLive)
