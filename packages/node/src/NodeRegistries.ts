/**
 * Everything that a script on Node needs to work with artifacts, in one layer.
 *
 * @since 0.1.0
 */
import type * as Compression from "@effect-acr/client/Compression"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Registries from "@effect-acr/client/Registries"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as NodeServices from "@effect/platform-node/NodeServices"
import type * as Config from "effect/Config"
import * as Layer from "effect/Layer"
import * as DockerConfig from "./DockerConfig.ts"
import * as NodeCompression from "./NodeCompression.ts"
import * as NodeHasher from "./NodeHasher.ts"
import * as NodeRegistryHttpClient from "./NodeRegistryHttpClient.ts"

/**
 * `layer` with options for `Registries`: registries without TLS, mirrors, limits of requests.
 *
 * **Example** (A script against the emulator)
 *
 * Push to it with a login of docker: `docker login 127.0.0.1:5001 -u admin -p emulator`.
 *
 * ```ts
 * import { ImageArchive, Repository } from "@effect-acr/artifacts"
 * import { NodeRegistries } from "@effect-acr/node"
 * import { NodeRuntime } from "@effect/platform-node"
 * import { Effect } from "effect"
 *
 * const Live = NodeRegistries.layerOptions({
 *   registries: { "127.0.0.1:5001": { endpoint: "http://127.0.0.1:5001" } }
 * })
 * const store = Repository.open("127.0.0.1:5001/library/hello-world")
 * const save = Effect.flatMap(store, (image) => ImageArchive.save(image, "latest", "hello.tar"))
 *
 * export const main = () => save.pipe(Effect.provide(Live), NodeRuntime.runMain)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOptions = (
  options: Registries.Options
): Layer.Layer<
  Compression.Compression | NodeServices.NodeServices | Registries.Registries,
  Config.ConfigError | RegistryError
> =>
  Layer.mergeAll(
    Layer.provide(Registries.layerOptions(options), [
      DockerConfig.layer.pipe(Credentials.orElse(Credentials.layerAnonymous)),
      NodeRegistryHttpClient.layer
    ]),
    NodeServices.layer,
    NodeCompression.layer,
    NodeHasher.layer
  )

/**
 * Registries by their names, with the logins of docker where there are some, files, and compression.
 *
 * **When to use**
 *
 * Use in scripts. A program with credentials, certificates or registries of its own puts the same parts together itself:
 * `Registries`, `Credentials`, `NodeRegistryHttpClient`, `NodeCompression`, and `NodeServices` of `@effect/platform-node`.
 *
 * **Details**
 *
 * A registry for which docker has no login is asked without one. For a registry without TLS on this machine, such as the emulator, use
 * `layerOptions`.
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
