/**
 * The types of the emulator's layers and faults.
 */
import type * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Credentials from "@effect-acr/client/Credentials"
import type { Digest } from "@effect-acr/client/Digest"
import type { RegistryContent } from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type { Transport } from "@effect-acr/client/Transport"
import type { ConfigError } from "effect/Config"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import type { HttpClient } from "effect/http/HttpClient"
import type { ServeError } from "effect/http/HttpServerError"
import { expectTypeOf } from "vitest"
import * as AcrEmulator from "../src/AcrEmulator.ts"
import type { DirectoryError } from "../src/DirectoryError.ts"
import type { SeedError } from "../src/SeedError.ts"
import type { SeededImage } from "../src/SeedImage.ts"

type Services = ContainerRegistry.ContainerRegistry | RegistryContent | Transport

declare const emulator: AcrEmulator.Service
declare const token: Effect.Effect<Redacted.Redacted<string>, "expired", HttpClient>

expectTypeOf(AcrEmulator.layer()).toEqualTypeOf<
  Layer.Layer<AcrEmulator.AcrEmulator, ServeError | DirectoryError | SeedError>
>()
expectTypeOf(AcrEmulator.layerRegistry()).toEqualTypeOf<Layer.Layer<Services, RegistryError, AcrEmulator.AcrEmulator>>()
expectTypeOf(AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))).toEqualTypeOf<
  Layer.Layer<Services | AcrEmulator.AcrEmulator, RegistryError | ServeError | DirectoryError | SeedError>
>()

// The layer has the requirements and the errors of the credentials.
expectTypeOf(AcrEmulator.layerRegistry({ credentials: Credentials.layerAnonymous })).toEqualTypeOf<
  Layer.Layer<Services, RegistryError, AcrEmulator.AcrEmulator>
>()
expectTypeOf(AcrEmulator.layerRegistry({ credentials: Credentials.layerConfig() })).toEqualTypeOf<
  Layer.Layer<Services, RegistryError | ConfigError, AcrEmulator.AcrEmulator>
>()
expectTypeOf(AcrEmulator.layerRegistry({ credentials: Credentials.layerEntra(token) })).toEqualTypeOf<
  Layer.Layer<Services, RegistryError, AcrEmulator.AcrEmulator | HttpClient>
>()

expectTypeOf(emulator.seed({ repository: "library/hello-world" })).toEqualTypeOf<Effect.Effect<Digest, SeedError>>()
expectTypeOf(emulator.seedFrom({ from: "images" })).toEqualTypeOf<
  Effect.Effect<ReadonlyArray<SeededImage>, SeedError>
>()

export const accepted = emulator.inject({ path: "/v2/", consequence: { _tag: "CutBody", afterBytes: 10 } })

export const refused = [
  // @ts-expect-error the emulator knows where it is
  AcrEmulator.layerRegistry({ endpoint: "myregistry" }),
  // @ts-expect-error a body is cut somewhere
  emulator.inject({ consequence: { _tag: "CutBody" } }),
  // @ts-expect-error a stall has no place
  emulator.inject({ consequence: { _tag: "Stall", afterBytes: 10 } })
]
