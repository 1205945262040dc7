/**
 * The requirements and errors of the layers of credentials.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { expectTypeOf } from "vitest"
import type { HttpClient } from "effect/http/HttpClient"
import * as Credentials from "../src/Credentials.ts"

type Anybody<E = never, R = never> = Layer.Layer<Credentials.Credentials, E, R>

const secret = Redacted.make("secret")

expectTypeOf(Credentials.layerAnonymous).toEqualTypeOf<Anybody>()
expectTypeOf(Credentials.layerPassword({ username: "admin", password: secret })).toEqualTypeOf<Anybody>()
expectTypeOf(Credentials.layerRefreshToken(secret)).toEqualTypeOf<Anybody>()
expectTypeOf(Credentials.layerAccessToken(secret)).toEqualTypeOf<Anybody>()
expectTypeOf(Credentials.layerConfig()).toEqualTypeOf<Anybody<Config.ConfigError>>()

/*
 * The effect that acquires a token may need services; its failure is one of the operation, not of the layer
 */

declare const token: Effect.Effect<Redacted.Redacted<string>, "expired", HttpClient>

expectTypeOf(Credentials.layerEntra(token)).toEqualTypeOf<Anybody<never, HttpClient>>()
expectTypeOf(Credentials.layerEntra(Config.Redacted("ENTRA_TOKEN"))).toEqualTypeOf<Anybody>()

/*
 * The requirements of both layers, and no failure: a layer that cannot be built is passed over
 */

expectTypeOf(Credentials.layerConfig().pipe(Credentials.orElse(Credentials.layerEntra(token)))).toEqualTypeOf<
  Anybody<never, HttpClient>
>()
expectTypeOf(Credentials.orElse(Credentials.layerConfig(), Credentials.layerEntra(token))).toEqualTypeOf<
  Anybody<never, HttpClient>
>()
expectTypeOf(Credentials.layerAnonymous.pipe(Credentials.orElse(Credentials.layerAnonymous))).toEqualTypeOf<Anybody>()

/*
 * Limited to some registries, they have the same requirements and errors
 */

expectTypeOf(Credentials.layerConfig().pipe(Credentials.onlyFor(["ghcr.io"]))).toEqualTypeOf<
  Anybody<Config.ConfigError>
>()
expectTypeOf(Credentials.onlyFor(Credentials.layerEntra(token), [".azurecr.cn"])).toEqualTypeOf<
  Anybody<never, HttpClient>
>()

/* A secret is redacted from the first moment */

export const refused = [
  // @ts-expect-error a password is redacted
  Credentials.layerPassword({ username: "admin", password: "secret" }),
  // @ts-expect-error a token is redacted
  Credentials.layerAccessToken("secret"),
  // @ts-expect-error a token is redacted
  Credentials.layerEntra(Effect.succeed("secret"))
]
