/**
 * Copies all tags of a repository from one registry to another: `support/registries.ts` says how they are named.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Config, Console, Effect, Stream } from "effect"
import { copyImage, nameIn } from "./support/copyImage.ts"
import { placeIn, Registries } from "./support/registries.ts"

export const copyBetweenRegistries = Effect.gen(function* () {
  const repository = yield* Config.String("REPOSITORY").pipe(Config.withDefault("library/hello-world"))
  const from = yield* placeIn("SOURCE", repository)
  const to = yield* placeIn("TARGET", `mirror/${repository}`)

  yield* from.content
    .tags(repository)
    .pipe(
      Stream.runForEach((tag) =>
        Effect.andThen(copyImage(from, to, tag, { tag }), Console.log(`${nameIn(from, tag)} → ${nameIn(to, tag)}`))
      )
    )
}).pipe(Effect.scoped, Effect.provide(Registries.layer))

if (import.meta.main) NodeRuntime.runMain(copyBetweenRegistries)
