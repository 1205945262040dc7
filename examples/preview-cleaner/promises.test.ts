/**
 * A test of promises on an emulator, for programs whose tests do not use Effect.
 */
import { ContainerRegistry } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { Effect, Layer, ManagedRuntime } from "effect"
import { afterAll, expect, test } from "vitest"

const runtime = ManagedRuntime.make(AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer())))

afterAll(() => runtime.dispose())

test("a lock keeps a tag", async () => {
  const { seed } = await runtime.runPromise(AcrEmulator.AcrEmulator)
  await runtime.runPromise(seed({ repository: "contoso/web", tags: ["v1"] }))

  const registry = await runtime.runPromise(ContainerRegistry.ContainerRegistry)
  await runtime.runPromise(registry.updateTag("contoso/web", "v1", { canDelete: false }))
  const { reason } = await runtime.runPromise(Effect.flip(registry.deleteTag("contoso/web", "v1")))
  expect(reason._tag).toBe("Locked")
})
