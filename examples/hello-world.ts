/**
 * Lists the names of all repositories.
 */
import { ContainerRegistry } from "@effect-acr/client"
import { Console, Effect, Stream } from "effect"
import { RegistryLive, run } from "./support/registry.ts"

export const helloWorld = Effect.gen(function* () {
  const registry = yield* ContainerRegistry.ContainerRegistry
  yield* registry.repositories().pipe(Stream.runForEach((name) => Console.log(name)))
})

if (import.meta.main) run(helloWorld, RegistryLive)
