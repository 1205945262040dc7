/**
 * Locks a tag, so that it can be neither overwritten nor deleted, sees that the lock holds, and unlocks it again.
 */
import { ContainerRegistry } from "@effect-acr/client"
import { Config, Console, Effect } from "effect"
import { RegistryLive, run } from "./support/registry.ts"

export const setArtifactProperties = Effect.gen(function* () {
  const registry = yield* ContainerRegistry.ContainerRegistry
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("library/hello-world"))
  const tag = yield* Config.String("TAG").pipe(Config.withDefault("latest"))

  const locked = yield* registry.updateTag(repository, tag, { canWrite: false, canDelete: false })
  yield* Console.log(`${repository}:${tag} is locked: canWrite ${locked.canWrite}, canDelete ${locked.canDelete}`)

  yield* registry.deleteTag(repository, tag).pipe(
    Effect.andThen(Console.log("The tag is gone, in spite of its lock.")),
    Effect.catchReason("RegistryError", "Locked", ({ message }) => Console.log(`It can't be deleted: ${message}`)),
    // Whatever happens, the tag is unlocked afterwards.
    Effect.ensuring(Effect.ignore(registry.updateTag(repository, tag, { canWrite: true, canDelete: true })))
  )

  const unlocked = yield* registry.tagProperties(repository, tag)
  yield* Console.log(`Unlocked again: canWrite ${unlocked.canWrite}, canDelete ${unlocked.canDelete}`)
})

if (import.meta.main) run(setArtifactProperties, RegistryLive)
