/**
 * An error about a variable names the one that was read: with the prefix of `Config.nested`, and as the program's provider
 * spells it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as HttpClient from "effect/http/HttpClient"
import * as ContainerRegistry from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import * as Registry from "../src/Registry.ts"
import * as RegistryContent from "../src/RegistryContent.ts"
import * as Transport from "../src/Transport.ts"

type Env = { readonly [name: string]: string }

/** A variable that is empty is set, and invalid. */
const fromEnv = (env: Env) => ConfigProvider.fromEnv({ env, preserveEmptyStrings: true })

/** How variables get another name. */
interface Naming {
  readonly by: string
  readonly prefix: string
  readonly provider: (env: Env) => ConfigProvider.ConfigProvider
  readonly nest: <A>(config: Config.Config<A>) => Config.Config<A>
}

const namings: ReadonlyArray<Naming> = [
  { by: "nothing", prefix: "", provider: fromEnv, nest: identity },
  { by: "Config.nested", prefix: "STAGING_", provider: fromEnv, nest: Config.nested("STAGING") },
  {
    by: "ConfigProvider.nested",
    prefix: "STAGING_",
    provider: (env) => ConfigProvider.nested(fromEnv(env), "STAGING"),
    nest: identity
  },
  {
    by: "a provider with names of its own",
    prefix: "STAGING_",
    provider: (env) => fromEnv(env).pipe(ConfigProvider.nested("staging"), ConfigProvider.constantCase),
    nest: identity
  },
  {
    by: "both",
    prefix: "EU_STAGING_",
    provider: (env) => ConfigProvider.nested(fromEnv(env), "EU"),
    nest: Config.nested("STAGING")
  },
  {
    by: "the first of two providers",
    prefix: "STAGING_",
    provider: (env) => ConfigProvider.orElse(ConfigProvider.nested(fromEnv(env), "STAGING"), fromEnv({})),
    nest: identity
  }
]

/** Builds a layer, which sends nothing, and returns why it cannot be built. */
const failureOf = <A, E>(
  layer: Layer.Layer<A, E, Credentials.Credentials | HttpClient.HttpClient>,
  provider: ConfigProvider.ConfigProvider
) =>
  Layer.build(layer).pipe(
    Effect.scoped,
    Effect.flip,
    Effect.provide([
      ConfigProvider.layer(provider),
      Credentials.layerAnonymous,
      Layer.succeed(
        HttpClient.HttpClient,
        HttpClient.make(() => Effect.never)
      )
    ]),
    Effect.map(String)
  )

const own = Config.map(Config.Redacted("CI_TOKEN"), (token): Credentials.Credential => ({ _tag: "AccessToken", token }))

for (const { by, nest, prefix, provider } of namings) {
  describe(`variables whose names are changed by ${by}`, () => {
    const login = Credentials.layerConfig(nest(Credentials.config))
    const expected = `expected one login: ${prefix}REGISTRY_USERNAME with ${prefix}REGISTRY_PASSWORD, ${prefix}REGISTRY_REFRESH_TOKEN or ${prefix}REGISTRY_ACCESS_TOKEN`

    it.effect("are named like that if there is no login", () =>
      Effect.map(failureOf(login, provider({})), (failure) =>
        assert.strictEqual(failure, `ConfigError(SourceError: ${expected})`)
      )
    )

    it.effect("are named like that if there are two logins", () =>
      Effect.map(
        failureOf(
          login,
          provider({ [`${prefix}REGISTRY_REFRESH_TOKEN`]: "a", [`${prefix}REGISTRY_ACCESS_TOKEN`]: "b" })
        ),
        (failure) => assert.include(failure, expected)
      )
    )

    it.effect("are named like that if one is invalid", () =>
      Effect.map(failureOf(login, provider({ [`${prefix}REGISTRY_USERNAME`]: "" })), (failure) =>
        assert.include(failure, `at ["${prefix}REGISTRY_USERNAME"]`)
      )
    )

    it.effect("are named like that if they are the program's own", () =>
      Effect.map(failureOf(Credentials.layerConfig(nest(own)), provider({})), (failure) =>
        assert.include(failure, `at ["${prefix}CI_TOKEN"]`)
      )
    )

    it.effect("are named like that among the credentials that were passed over", () =>
      Effect.gen(function* () {
        const { get } = yield* Credentials.Credentials
        const failure = yield* Effect.flip(
          get({ endpoint: "https://myregistry.azurecr.io", loginServer: "myregistry.azurecr.io" })
        )
        assert.strictEqual(failure.passedOver[0]?.description, expected)
        assert.include(failure.passedOver[1]?.description, `at ["${prefix}CI_TOKEN"]`)
      }).pipe(
        Effect.provide(
          login.pipe(
            Credentials.orElse(Credentials.layerConfig(nest(own))),
            Layer.provide(ConfigProvider.layer(provider({})))
          )
        )
      )
    )

    const layers = [
      ["Transport", Transport.layerConfig],
      ["Registry", Registry.layerConfig],
      ["RegistryContent", RegistryContent.layerConfig],
      ["ContainerRegistry", ContainerRegistry.layerConfig]
    ] as const
    for (const [name, layerConfig] of layers) {
      it.effect(`are named like that if ${name} lacks its endpoint`, () =>
        Effect.gen(function* () {
          const endpoint = nest(Config.String("MY_REGISTRY"))
          assert.include(yield* failureOf(layerConfig({ endpoint }), provider({})), `at ["${prefix}MY_REGISTRY"]`)
          if (nest !== identity) return
          const failure = yield* failureOf(layerConfig(), provider({}))
          assert.include(failure, `at ["${prefix}REGISTRY_ENDPOINT"]`)
          assert.include(failure, "expected a registry's login server")
        })
      )
    }
  })
}
