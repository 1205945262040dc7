/**
 * A test on the emulator, with all that it needs in one file.
 */
import { ContainerRegistry } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"

// The code under test. Yours stands in a file of its own, which the test imports.
const previews = (repository: string) =>
  Effect.gen(function* () {
    const registry = yield* ContainerRegistry.ContainerRegistry
    const tags = yield* Stream.runCollect(registry.tags(repository))
    return tags.map(({ name }) => name).filter((name) => name.startsWith("pr-"))
  })

// An emulator, and the services of a client that is logged in to it
const Test = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))

it.effect("previews are the tags of pull requests", () =>
  Effect.gen(function* () {
    const { seed } = yield* AcrEmulator.AcrEmulator
    yield* seed({ repository: "contoso/web", tags: ["v1", "latest"] })
    yield* seed({ repository: "contoso/web", tags: ["pr-1"], layers: ["a preview"] })
    assert.deepStrictEqual(yield* previews("contoso/web"), ["pr-1"])
  }).pipe(Effect.provide(Test))
)
