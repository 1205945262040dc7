/**
 * What the tests of the examples have in common.
 */
import { ContainerRegistry, Credentials } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { Effect, Layer, Stream } from "effect"
import { TestConsole } from "effect/testing"
import { EmulatorLive } from "../support/registry.ts"

/** The emulator that examples find, and its registry with all rights. */
export const Identity = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(EmulatorLive))

/** The same registry for an anonymous caller. */
export const Anonymous = AcrEmulator.layerRegistry({ credentials: Credentials.layerAnonymous }).pipe(
  Layer.provide(EmulatorLive)
)

/** What an example has printed. */
export const printed = Effect.map(TestConsole.logLines, (lines) => lines.map(String))

/** The names of a repository's tags. */
export const tagsOf = (repository: string) =>
  Effect.flatMap(ContainerRegistry.ContainerRegistry, (registry) =>
    registry.tags(repository).pipe(
      Stream.map(({ name }) => name),
      Stream.runCollect
    )
  )
