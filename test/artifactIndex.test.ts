/**
 * An index that is made of images in a registry, and pulled by platform.
 */
import * as Artifact from "@effect-acr/artifacts/Artifact"
import * as Repository from "@effect-acr/artifacts/Repository"
import * as Reference from "@effect-acr/client/Reference"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"

const repository = "contoso/web"

const Emulated = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))

describe("an index of images in a registry", () => {
  it.effect("is pulled by platform", () =>
    Effect.gen(function* () {
      const { seed } = yield* AcrEmulator.AcrEmulator
      const content = yield* RegistryContent.RegistryContent
      const amd64 = yield* seed({ repository, tags: ["v1-amd64"], platforms: ["linux/amd64"] })
      const others = yield* seed({ repository, tags: ["v1-arm"], platforms: ["linux/arm/v7", "linux/arm64"] })
      const reference = yield* Effect.fromResult(Reference.parse(`${content.loginServer}/${repository}`))
      const store = Repository.make(content, reference)

      const made = yield* Artifact.index(store, ["v1-amd64", "v1-arm"], { tags: ["v1"] })

      assert.strictEqual((yield* content.resolve(repository, "v1")).digest, made.digest)
      const pull = (reference: string, platform: string) =>
        Effect.map(content.image(repository, reference, { platform }), ({ descriptor }) => descriptor.digest)
      assert.strictEqual(yield* pull("v1", "linux/amd64"), amd64)
      assert.strictEqual(yield* pull("v1", "linux/arm64"), yield* pull(others, "linux/arm64"))
      assert.strictEqual(yield* pull("v1", "linux/arm/v7"), yield* pull(others, "linux/arm/v7"))
    }).pipe(Effect.provide(Emulated))
  )
})
