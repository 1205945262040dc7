/**
 * The services and the errors of the layers of this package.
 */
import type { Credentials } from "@effect-acr/client/Credentials"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type { ConfigError } from "effect/Config"
import type * as Layer from "effect/Layer"
import type { HttpClient } from "effect/http/HttpClient"
import { Agent } from "undici"
import { expectTypeOf } from "vitest"
import * as DockerConfig from "../src/DockerConfig.ts"
import * as NodeHasher from "../src/NodeHasher.ts"
import * as NodeRegistryHttpClient from "../src/NodeRegistryHttpClient.ts"

expectTypeOf(DockerConfig.layer).toEqualTypeOf<Layer.Layer<Credentials, ConfigError>>()
expectTypeOf(DockerConfig.layerOptions({ path: "auth.json", helperTimeout: "10 seconds" })).toEqualTypeOf<
  Layer.Layer<Credentials, ConfigError>
>()
expectTypeOf(NodeRegistryHttpClient.layer).toEqualTypeOf<Layer.Layer<HttpClient, RegistryError>>()
expectTypeOf(NodeRegistryHttpClient.layerOptions({ ca: ["one", "two"], connections: 8 })).toEqualTypeOf<
  Layer.Layer<HttpClient, RegistryError>
>()
expectTypeOf(NodeRegistryHttpClient.layerDispatcher(new Agent())).toEqualTypeOf<Layer.Layer<HttpClient>>()
expectTypeOf(NodeHasher.layer).toEqualTypeOf<Layer.Layer<never>>()
