/**
 * The HTTP client for registries on Node.
 *
 * Any `HttpClient` of Effect will do, `FetchHttpClient` for one. This one is faster (docs/performance.md), and guards
 * the network that the program runs in.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Layer from "effect/Layer"
import * as HttpClient from "effect/http/HttpClient"
import * as GuardedAgents from "./internal/guardedAgents.ts"
import * as NodeHasher from "./NodeHasher.ts"

/**
 * How connections are made.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * Certificates of authorities to trust instead of Node's own, in PEM: for a registry whose certificate a company or
   * a test has signed itself.
   */
  readonly ca?: string | ReadonlyArray<string>
  /** How many connections to one host there may be at a time; as many as there are requests if not given. */
  readonly connections?: number
  /** How long a connection that nobody uses is kept; as long as the registry says, or 4 seconds, if not given. */
  readonly keepAlive?: Duration.Input
}

/**
 * A client on Node's own undici: connections are kept alive, redirects are left to the library, and blobs go over
 * HTTP/1.1, because one flow-control window for everything makes HTTP/2 many times slower there. Content is hashed by
 * `node:crypto`.
 *
 * **Details**
 *
 * Every connection is judged by the address at its other end (see `Outbound` of `@effect-acr/client`): no registry out
 * there leads a request to this machine, its network or the metadata service of its cloud, neither by a redirect nor by
 * its own DNS.
 *
 * **Gotchas**
 *
 * It sends bytes and streams of bytes. A request with a form or a raw body of the platform fails with `TransportError`.
 *
 * **Example** (A registry whose certificate a company has signed)
 *
 * ```ts
 * import { ContainerRegistry, Credentials } from "@effect-acr/client"
 * import { NodeRegistryHttpClient } from "@effect-acr/node"
 * import { Effect, FileSystem, Layer } from "effect"
 *
 * const HttpClientLive = Layer.unwrap(
 *   Effect.gen(function* () {
 *     const files = yield* FileSystem.FileSystem
 *     const ca = yield* files.readFileString("/etc/contoso/ca.pem")
 *     return NodeRegistryHttpClient.layerOptions({ ca })
 *   })
 * )
 *
 * const RegistryLive = ContainerRegistry.layer({ endpoint: "registry.contoso.com" }).pipe(
 *   Layer.provide(Credentials.layerConfig()),
 *   Layer.provide(HttpClientLive)
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOptions = (options: Options = {}): Layer.Layer<HttpClient.HttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    GuardedAgents.make({
      allowH2: false,
      ...(options.connections === undefined ? {} : { connections: options.connections }),
      ...(options.keepAlive === undefined
        ? {}
        : { keepAliveTimeout: Duration.toMillis(Duration.fromInputUnsafe(options.keepAlive)) }),
      ...(options.ca === undefined
        ? {}
        : { connect: { ca: typeof options.ca === "string" ? options.ca : [...options.ca] } })
    })
  ).pipe(Layer.merge(NodeHasher.layer))

/**
 * `layerOptions` with nothing set: what most programs want.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient> = layerOptions()
