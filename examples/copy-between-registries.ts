/**
 * Copies all tags of a repository from one registry to another: `support/registries.ts` says how they are named.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Stream } from "effect"
import { copyImage, nameIn } from "./support/copyImage.ts"
import { Registries, registryNamed } from "./support/registries.ts"

export const copyBetweenRegistries = Effect.gen(function* () {
  const source = yield* registryNamed("SOURCE")
  const target = yield* registryNamed("TARGET")
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("library/hello-world"))
  const from = source.place(repository)
  const to = target.place(`mirror/${repository}`)

  yield* source.registry
    .tags(repository)
    .pipe(
      Stream.runForEach(({ name }) =>
        Effect.andThen(
          copyImage(from, to, name, { tag: name }),
          Console.log(`${nameIn(from, name)} → ${nameIn(to, name)}`)
        )
      )
    )
}).pipe(Effect.scoped, Effect.provide(Registries.layer))

if (import.meta.main) NodeRuntime.runMain(copyBetweenRegistries)
