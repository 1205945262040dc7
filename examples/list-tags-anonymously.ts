/**
 * Lists the tags of a repository without a login. The registry must allow anonymous pull.
 */
import { ContainerRegistry } from "@effect-acr/client"
import { Config, Console, DateTime, Effect, Stream } from "effect"
import { AnonymousRegistryLive, run } from "./support/registry.ts"

export const listTagsAnonymously = Effect.gen(function* () {
  const registry = yield* ContainerRegistry.ContainerRegistry
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("library/hello-world"))

  yield* registry.tags(repository, { orderBy: "newest" }).pipe(
    Stream.map(({ lastUpdatedOn, name }) => `${name}  ${DateTime.formatIso(lastUpdatedOn)}`),
    Stream.runForEach((line) => Console.log(`${registry.loginServer}/${repository}:${line}`))
  )
})

if (import.meta.main) run(listTagsAnonymously, AnonymousRegistryLive)
