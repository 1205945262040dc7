/**
 * A complete registry: `ContainerRegistry` and `RegistryContent` on one transport with one set of tokens.
 *
 * @since 0.1.0
 */
import type * as Config from "effect/Config"
import * as Layer from "effect/Layer"
import type * as HttpClient from "effect/http/HttpClient"
import * as ContainerRegistry from "./ContainerRegistry.ts"
import type * as Credentials from "./Credentials.ts"
import * as RegistryContent from "./RegistryContent.ts"
import type { RegistryError } from "./RegistryError.ts"
import * as Transport from "./Transport.ts"

/**
 * Both services, and the transport that they share.
 *
 * @category models
 * @since 0.1.0
 */
export type Services = ContainerRegistry.ContainerRegistry | RegistryContent.RegistryContent | Transport.Transport

const layerTransport = (options: RegistryContent.ContentOptions) =>
  Layer.merge(ContainerRegistry.layerTransport, RegistryContent.layerTransport(options))

/**
 * Makes both services of a registry. Fails with `InvalidRequest` if the endpoint is not the address of a registry.
 *
 * **When to use**
 *
 * Use in programs that need the management API of ACR and the contents of its repositories. If one of them is enough,
 * use `ContainerRegistry.layer` or `RegistryContent.layer`. If references name the registries, use `Registries.layer`.
 *
 * **Example** (Both services of a registry with anonymous pull)
 *
 * ```ts
 * import { Credentials, Registry } from "@effect-acr/client"
 * import { NodeRegistryHttpClient } from "@effect-acr/node"
 * import { Layer } from "effect"
 *
 * const RegistryLive = Registry.layer({ endpoint: "https://myregistry.azurecr.io" }).pipe(
 *   Layer.provide([Credentials.layerAnonymous, NodeRegistryHttpClient.layer])
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: RegistryContent.Options
): Layer.Layer<Services, RegistryError, HttpClient.HttpClient | Credentials.Credentials> =>
  Layer.provideMerge(layerTransport(options), Transport.layer(options))

/**
 * `layer` for the endpoint that the configuration names, by default `REGISTRY_ENDPOINT`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: RegistryContent.ConfigOptions = {}
): Layer.Layer<Services, RegistryError | Config.ConfigError, HttpClient.HttpClient | Credentials.Credentials> =>
  Layer.provideMerge(layerTransport(options), Transport.layerConfig(options))
