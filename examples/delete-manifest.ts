/**
 * Deletes the image that a tag names, and with it all tags of that image.
 *
 * On a registry of your own it only tells what it would delete, unless `DRY_RUN=false`.
 */
import { ContainerRegistry, RegistryContent } from "@effect-acr/client"
import { Config, Console, Effect } from "effect"
import { isOwnRegistry, RegistryLive, run } from "./support/registry.ts"

export const deleteManifest = Effect.gen(function* () {
  const registry = yield* ContainerRegistry.ContainerRegistry
  const content = yield* RegistryContent.RegistryContent
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("contoso/worker"))
  const tag = yield* Config.String("TAG").pipe(Config.withDefault("latest"))
  const dryRun = yield* Config.Boolean("DRY_RUN").pipe(Config.withDefault(yield* isOwnRegistry))

  const { digest, tags } = yield* registry.manifestProperties(repository, tag)
  // By its digest: the tag may have moved on in the meantime.
  if (!dryRun) yield* content.deleteManifest(repository, digest)
  yield* Console.log(`${dryRun ? "would delete" : "deleted"} ${repository}@${digest}, tagged ${tags.join(" and ")}`)
})

if (import.meta.main) run(deleteManifest, RegistryLive)
