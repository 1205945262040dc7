/**
 * The layer for scripts reaches a registry without TLS on this machine if its options name it, with the login of docker.
 */
import { Compression, Registries } from "@effect-acr/client"
import { AcrEmulator } from "@effect-acr/emulator"
import { NodeRegistries } from "@effect-acr/node"
import { assert, layer } from "@effect/vitest"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"

const adminUser = { username: "admin", password: Redacted.make("emulator") }

const Emulator = AcrEmulator.layer({ adminUser })

layer(Emulator, { excludeTestServices: true })("NodeRegistries.layerOptions", (it) => {
  it.effect("reaches a registry without TLS, with the login of docker", () =>
    Effect.gen(function* () {
      const { endpoint, loginServer, seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "shop/api", tags: ["v1"] })
      const auth = Buffer.from("admin:emulator").toString("base64")
      const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [loginServer]: { auth } } }) }
      const Live = NodeRegistries.layerOptions({ registries: { [loginServer]: { endpoint } } }).pipe(
        Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))
      )
      const tags = Effect.gen(function* () {
        // What else a script needs is there as well.
        yield* FileSystem.FileSystem
        yield* Compression.Compression
        const { content, reference } = yield* Registries.open(`${loginServer}/shop/api`)
        return yield* Stream.runCollect(content.tags(reference.repository))
      })
      assert.deepStrictEqual(yield* Effect.provide(tags, Live), ["v1"])
    })
  )
})
