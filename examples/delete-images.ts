/**
 * Deletes all images but the newest three of each repository, four repositories at a time.
 *
 * On a registry of your own it only tells what it would delete, unless `DRY_RUN=false`.
 */
import { ContainerRegistry } from "@effect-acr/client"
import { Config, Console, Effect, Stream } from "effect"
import { isOwnRegistry, RegistryLive, run } from "./support/registry.ts"

export const deleteImages = Effect.gen(function* () {
  const registry = yield* ContainerRegistry.ContainerRegistry
  const dryRun = yield* Config.Boolean("DRY_RUN").pipe(Config.withDefault(yield* isOwnRegistry))

  const keepNewestThree = (repository: string) =>
    registry.manifests(repository, { orderBy: "newest" }).pipe(
      // The images inside a multi-platform image have no tags of their own, and are needed by it.
      Stream.filter((manifest) => manifest.tags.length > 0),
      Stream.drop(3),
      // First the whole list, then the deletions: pages shift when what they list goes away.
      Stream.runCollect,
      Effect.flatMap(
        Effect.forEach(
          (manifest) =>
            Effect.gen(function* () {
              if (!dryRun) yield* registry.deleteManifest(repository, manifest.digest)
              const names = manifest.tags.map((tag) => `${repository}:${tag}`).join(", ")
              yield* Console.log(`${dryRun ? "would delete" : "deleted"} ${names}`)
            }),
          { concurrency: 8, discard: true }
        )
      )
    )

  yield* registry.repositories().pipe(Stream.mapEffect(keepNewestThree, { concurrency: 4 }), Stream.runDrain)
})

if (import.meta.main) run(deleteImages, RegistryLive)
