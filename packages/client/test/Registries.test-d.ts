/**
 * The types of programs with many registries: they need no scope, and no credentials besides the layer's.
 */
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { HttpClient } from "effect/http/HttpClient"
import { expectTypeOf } from "vitest"
import type { Credentials } from "../src/Credentials.ts"
import type { Reference } from "../src/Reference.ts"
import * as Registries from "../src/Registries.ts"
import type * as RegistryContent from "../src/RegistryContent.ts"
import type { Services } from "../src/Registry.ts"
import type { RegistryError } from "../src/RegistryError.ts"

declare const reference: Reference

expectTypeOf(Registries.open("ghcr.io/contoso/api")).toEqualTypeOf<
  Effect.Effect<Registries.Opened, RegistryError, Registries.Registries>
>()
expectTypeOf(Registries.open(reference)).toEqualTypeOf<
  Effect.Effect<Registries.Opened, RegistryError, Registries.Registries>
>()
expectTypeOf(Registries.image("ghcr.io/contoso/api", { platform: "linux/arm64" })).toEqualTypeOf<
  Effect.Effect<RegistryContent.Image, RegistryError, Registries.Registries>
>()
expectTypeOf(Registries.layerFor("ghcr.io")).toEqualTypeOf<
  Layer.Layer<Services, RegistryError, Registries.Registries>
>()
expectTypeOf(Registries.layer).toEqualTypeOf<
  Layer.Layer<Registries.Registries, RegistryError, HttpClient | Credentials>
>()
expectTypeOf(Registries.layerOptions({ registries: { "ghcr.io": { idleTimeout: "1 second" } } })).toEqualTypeOf<
  typeof Registries.layer
>()

export const refused = [
  // @ts-expect-error there is no one endpoint
  Registries.layerOptions({ endpoint: "ghcr.io" }),
  // @ts-expect-error a bare name may be that of one registry
  Registries.layerOptions({ registry: "acr" }),
  // @ts-expect-error an option that no registry has
  Registries.layerOptions({ registries: { "ghcr.io": { login: "contoso" } } })
]
