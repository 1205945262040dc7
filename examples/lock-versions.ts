/**
 * Locks every version: each tag that begins with a "v", and what it names, so that neither can be overwritten or
 * deleted. What is locked already is left alone.
 *
 * On a registry of your own it only tells what it would lock, unless `DRY_RUN=false`.
 */
import { ContainerRegistry, type RegistryError, type TagProperties } from "@effect-acr/client"
import { Config, Console, Effect, Stream } from "effect"
import { count } from "./support/numbers.ts"
import { isOwnRegistry, RegistryLive, run } from "./support/registry.ts"

/** Nothing can be deleted that can't be overwritten; the lock against deletion is set too, for its readers. */
const locked = { canWrite: false, canDelete: false }

export const lockVersions = Effect.gen(function* () {
  const registry = yield* ContainerRegistry.ContainerRegistry
  const dryRun = yield* Config.Boolean("DRY_RUN").pipe(Config.withDefault(yield* isOwnRegistry))

  /**
   * Locks a manifest and those that it refers to, as a multi-platform image is nothing without its platforms. Tells how
   * many were open.
   */
  const lockManifest = (repository: string, digest: string): Effect.Effect<number, RegistryError.RegistryError> =>
    Effect.gen(function* () {
      const properties = yield* registry.manifestProperties(repository, digest)
      const inside = yield* Effect.forEach(
        properties.relatedArtifacts,
        (related) => lockManifest(repository, related.digest),
        { concurrency: 4 }
      )
      const open = properties.canWrite
      if (open && !dryRun) yield* registry.updateManifest(repository, digest, locked)
      return inside.reduce((sum, count) => sum + count, open ? 1 : 0)
    })

  const lockTag = Effect.fnUntraced(function* (listed: TagProperties.TagProperties) {
    const { name, repositoryName } = listed
    const open = listed.canWrite
    // The tag first: once it can't move any more, what it names is what has to be locked.
    const tag = open && !dryRun ? yield* registry.updateTag(repositoryName, name, locked) : listed
    const manifests = yield* lockManifest(repositoryName, tag.digest)
    const found = [...(open ? ["the tag"] : []), ...(manifests > 0 ? [count(manifests, "manifest")] : [])]
    const done = `${dryRun ? "would lock" : "locked"} ${found.join(" and ")}`
    yield* Console.log(`${repositoryName}:${name}  ${found.length === 0 ? "was locked already" : done}`)
  })

  yield* registry.repositories().pipe(
    Stream.flatMap((repository) => registry.tags(repository), { concurrency: 4 }),
    Stream.filter(({ name }) => name.startsWith("v")),
    // One after the other: tags may share what they name.
    Stream.runForEach(lockTag)
  )
})

if (import.meta.main) run(lockVersions, RegistryLive)
