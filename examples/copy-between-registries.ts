/**
 * Copies all tags of a repository from one registry to another, with the signatures and SBOMs that refer to their images:
 * `support/registries.ts` says how the registries are named.
 */
import { Copy } from "@effect-acr/artifacts"
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Stream } from "effect"
import { repositoryIn, Registries } from "./support/registries.ts"
import { nameIn } from "./support/repositories.ts"

export const copyBetweenRegistries = Effect.gen(function* () {
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("library/hello-world"))
  const from = yield* repositoryIn("SOURCE", repository)
  const to = yield* repositoryIn("TARGET", `mirror/${repository}`)

  yield* from.tags.pipe(
    Stream.runForEach((tag) =>
      Effect.andThen(Copy.run(from, to, tag), Console.log(`${nameIn(from, tag)} → ${nameIn(to, tag)}`))
    )
  )
}).pipe(Effect.scoped, Effect.provide(Registries.layer))

if (import.meta.main) NodeRuntime.runMain(copyBetweenRegistries)
