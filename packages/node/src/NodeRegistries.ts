/**
 * Everything that a script on Node needs to work with artifacts, in one layer.
 *
 * @since 0.1.0
 */
import type * as Compression from "@effect-acr/client/Compression"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Outbound from "@effect-acr/client/Outbound"
import * as Registries from "@effect-acr/client/Registries"
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as NodeServices from "@effect/platform-node/NodeServices"
import type * as Config from "effect/Config"
import * as Layer from "effect/Layer"
import * as DockerConfig from "./DockerConfig.ts"
import * as NodeCompression from "./NodeCompression.ts"
import * as NodeHasher from "./NodeHasher.ts"
import * as NodeRegistryHttpClient from "./NodeRegistryHttpClient.ts"

/**
 * Options of `Registries`, and the credentials to use besides docker's.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Registries.Options {
  /**
   * Credentials for registries without a login of docker, such as `AzureCredentials.layerDefault` of
   * `@effect-acr/azure-identity`. If these have none either, requests are anonymous. Defaults to none.
   */
  readonly credentials?: Layer.Layer<Credentials.Credentials, Config.ConfigError>
}

/** A registry on this machine has no certificate that a client trusts, and its traffic does not leave the machine. */
const withoutTlsOnLoopback = (loginServer: string): Partial<RegistryContent.Options> => {
  const endpoint = `http://${loginServer}`
  return Outbound.reachOf(new URL(endpoint).hostname) === "loopback" ? { endpoint } : {}
}

/**
 * Options of single registries. A function names none, so those on this machine default to http unless it returns an
 * address.
 */
const registriesOf = ({ registries = {} }: Options): NonNullable<Registries.Options["registries"]> => {
  if (typeof registries === "function") {
    return (loginServer) => ({ ...withoutTlsOnLoopback(loginServer), ...registries(loginServer) })
  }
  return Object.keys(registries).length === 0 ? withoutTlsOnLoopback : registries
}

const credentialsOf = ({ credentials }: Options) => {
  const known = credentials === undefined ? DockerConfig.layer : Credentials.orElse(DockerConfig.layer, credentials)
  return Credentials.orElse(known, Credentials.layerAnonymous)
}

/**
 * `layer` with options: Azure's credentials, mirrors, limits of concurrent requests.
 *
 * **Details**
 *
 * If `registries` is an object with entries, every registry uses https unless its `endpoint` says otherwise. If it is a
 * function, registries on this machine use http unless it returns an `endpoint` for them.
 *
 * **Example** (A script for registries of Azure, with the login of docker or of `az login`)
 *
 * ```ts
 * import { ImageArchive, Repository } from "@effect-acr/artifacts"
 * import { AzureCredentials } from "@effect-acr/azure-identity"
 * import { NodeRegistries } from "@effect-acr/node"
 * import { NodeRuntime } from "@effect/platform-node"
 * import { Effect } from "effect"
 *
 * const Live = NodeRegistries.layerOptions({ credentials: AzureCredentials.layerDefault })
 * const store = Repository.open("myregistry.azurecr.io/library/hello-world")
 * const save = Effect.flatMap(store, (image) => ImageArchive.save(image, "latest", "hello.tar"))
 *
 * export const main = () => save.pipe(Effect.provide(Live), NodeRuntime.runMain)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOptions = (
  options: Options
): Layer.Layer<
  Compression.Compression | NodeServices.NodeServices | Registries.Registries,
  Config.ConfigError | RegistryError
> => {
  const { credentials: _, registries: __, ...others } = options
  return Layer.mergeAll(
    Layer.provide(Registries.layerOptions({ ...others, registries: registriesOf(options) }), [
      credentialsOf(options),
      NodeRegistryHttpClient.layer
    ]),
    NodeServices.layer,
    NodeCompression.layer,
    NodeHasher.layer
  )
}

/**
 * Provides registries by the names in references, with the logins of docker, files, and compression.
 *
 * **When to use**
 *
 * Use in scripts. A program without docker's logins, or with its own certificates, proxy or HTTP client, combines the
 * same parts itself: `Registries`, `Credentials`, `NodeRegistryHttpClient`, `NodeCompression`, and `NodeServices` of
 * `@effect/platform-node`.
 *
 * **Details**
 *
 * Requests to a registry without a login of docker are anonymous. A registry on this machine, such as the emulator at
 * `127.0.0.1:5001`, is reached over http, as by `docker` and `crane`.
 *
 * **Example** (A script that lists tags)
 *
 * ```ts
 * import { Registries } from "@effect-acr/client"
 * import { NodeRegistries } from "@effect-acr/node"
 * import { NodeRuntime } from "@effect/platform-node"
 * import { Console, Effect, Stream } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const { content, reference } = yield* Registries.open("mcr.microsoft.com/dotnet/sdk")
 *   yield* Stream.runForEach(content.tags(reference.repository), Console.log)
 * })
 *
 * export const main = () => program.pipe(Effect.provide(NodeRegistries.layer), NodeRuntime.runMain)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<
  Compression.Compression | NodeServices.NodeServices | Registries.Registries,
  Config.ConfigError | RegistryError
> = layerOptions({})
