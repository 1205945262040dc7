/**
 * Shows an artifact as a tree: its platforms, layers, attestations, signatures and SBOMs. `REPOSITORY` and `TAG` name it.
 */
import { Graph } from "@effect-acr/artifacts"
import { RegistryContent } from "@effect-acr/client"
import { Config, Console, Effect } from "effect"
import { RegistryLive, run } from "./support/registry.ts"
import { nameIn, repositoryOf } from "./support/repositories.ts"

export const showArtifact = Effect.gen(function* () {
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("library/hello-world"))
  const tag = yield* Config.String("TAG").pipe(Config.withDefault("latest"))
  const store = yield* repositoryOf(yield* RegistryContent.RegistryContent, repository)

  const root = yield* Effect.flatMap(store.resolve(tag), Effect.fromOption)
  const graph = yield* Graph.read(store, root, { referrers: {} })
  yield* Console.log(`${nameIn(store, tag)}\n${Graph.format(graph)}`)
})

if (import.meta.main) run(showArtifact, RegistryLive)
