/**
 * The layers for scripts: how they reach a registry on this machine, and with which credentials.
 */
import { Compression, Credentials, Registries } from "@effect-acr/client"
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

const tagsOf = (loginServer: string) =>
  Effect.gen(function* () {
    // What else a script needs is there as well.
    yield* FileSystem.FileSystem
    yield* Compression.Compression
    const { content, repository } = yield* Registries.open(`${loginServer}/shop/api`)
    return yield* Stream.runCollect(content.tags(repository))
  })

const withEnv = (env: Record<string, string>) => Layer.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env })))

layer(Emulator, { excludeTestServices: true })("NodeRegistries", (it) => {
  it.effect("reaches a registry on this machine without TLS, with the login of docker", () =>
    Effect.gen(function* () {
      const { loginServer, seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "shop/api", tags: ["v1"] })
      const auth = Buffer.from("admin:emulator").toString("base64")
      const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: { [loginServer]: { auth } } }) }
      assert.deepStrictEqual(yield* Effect.provide(tagsOf(loginServer), NodeRegistries.layer.pipe(withEnv(env))), [
        "v1"
      ])
    })
  )

  it.effect("uses other credentials where docker has no login", () =>
    Effect.gen(function* () {
      const { loginServer, seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "shop/api", tags: ["v1"] })
      const credentials = Credentials.layerPassword(adminUser).pipe(Credentials.onlyFor([loginServer]))
      const env = { DOCKER_AUTH_CONFIG: JSON.stringify({ auths: {} }), HOME: "/nonexistent" }
      const Live = (options: NodeRegistries.Options) => NodeRegistries.layerOptions(options).pipe(withEnv(env))
      assert.deepStrictEqual(yield* Effect.provide(tagsOf(loginServer), Live({ credentials })), ["v1"])
      const refused = yield* Effect.flip(Effect.provide(tagsOf(loginServer), Live({})))
      assert.strictEqual(refused._tag === "RegistryError" && refused.reason._tag, "Unauthenticated")
    })
  )

  it.effect("reaches registries as its options say, if they name some", () =>
    Effect.gen(function* () {
      const { endpoint, loginServer, seed } = yield* AcrEmulator.AcrEmulator
      yield* seed({ repository: "shop/api", tags: ["v1"] })
      const credentials = Credentials.layerPassword(adminUser).pipe(Credentials.onlyFor([loginServer]))
      const Live = NodeRegistries.layerOptions({
        credentials,
        registries: { "shop.example": { endpoint, allowInsecureHttp: true } }
      }).pipe(withEnv({ HOME: "/nonexistent" }))
      assert.deepStrictEqual(yield* Effect.provide(tagsOf("shop.example"), Live), ["v1"])
      const refused = yield* Effect.flip(Effect.provide(tagsOf(loginServer), Live))
      assert.include(refused.message, "TLS")
      const byFunction = NodeRegistries.layerOptions({ credentials, registries: () => ({}) })
      assert.deepStrictEqual(
        yield* Effect.provide(tagsOf(loginServer), byFunction.pipe(withEnv({ HOME: "/nonexistent" }))),
        ["v1"]
      )
    })
  )
})
