/**
 * Lists the tags of a repository without a login. The registry must allow anonymous pull.
 */
import { ContainerRegistry, Reference } from "@effect-acr/client"
import { Config, Console, DateTime, Effect, Stream } from "effect"
import { AnonymousRegistryLive, run } from "./support/registry.ts"

export const listTagsAnonymously = Effect.gen(function* () {
  const registry = yield* ContainerRegistry.ContainerRegistry
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("library/hello-world"))

  yield* registry.tags(repository, { orderBy: "newest" }).pipe(
    Stream.runForEach((tag) =>
      Effect.gen(function* () {
        const reference = yield* registry.reference(repository, tag.name)
        yield* Console.log(`${Reference.format(reference)}  ${DateTime.formatIso(tag.lastUpdatedOn)}`)
      })
    )
  )
})

if (import.meta.main) run(listTagsAnonymously, AnonymousRegistryLive)
