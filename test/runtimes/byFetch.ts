/**
 * The transfer by `@effect-acr/client` and `fetch` alone.
 */
import { Credentials, RegistryContent } from "@effect-acr/client"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import { transfer } from "./transfer.ts"

const RegistryLive = RegistryContent.layerConfig().pipe(
  Layer.provide([Credentials.layerConfig(), FetchHttpClient.layer])
)

await Effect.runPromise(Effect.provide(transfer, RegistryLive))
