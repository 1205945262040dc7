/**
 * The HTTP client for registries on Node.
 *
 * Any `HttpClient` of Effect will do, `FetchHttpClient` for one. This one is faster (docs/performance.md), and guards
 * the network that the program runs in.
 *
 * @since 0.1.0
 */
import { type InvalidRequest, RegistryError } from "@effect-acr/client/RegistryError"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as HttpClient from "effect/http/HttpClient"
import * as GuardedAgents from "./internal/guardedAgents.ts"
import * as Proxies from "./internal/proxies.ts"
import * as NodeHasher from "./NodeHasher.ts"

/**
 * A proxy that connects to registries by name (CONNECT).
 *
 * @category options
 * @since 0.1.0
 */
export interface Proxy {
  /**
   * Its URL: `http://proxy.example:3128`, or `https` where it speaks TLS. A URL without a scheme is one of http. A login,
   * `http://user:password@proxy.example:3128` in percent-encoding, is sent to the proxy alone and appears in no error, log
   * or span.
   */
  readonly url: string | Redacted.Redacted<string>
  /** Hosts that are connected to directly, written as in `NO_PROXY`. Defaults to none. */
  readonly noProxy?: ReadonlyArray<string>
}

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
  /**
   * The proxy by which all hosts are reached, those of this machine included; or `"none"`, so that all are reached
   * directly. Defaults to what the environment says.
   */
  readonly proxy?: Proxy | "none"
}

const unfit = (reason: InvalidRequest) => new RegistryError({ operation: "NodeRegistryHttpClient.layer", reason })

const routeOf = (proxy: Options["proxy"]): Effect.Effect<Proxies.Route, InvalidRequest> => {
  if (proxy === undefined) return Proxies.fromEnvironment
  if (proxy === "none") return Effect.succeed(Proxies.direct)
  const { noProxy = [], url } = proxy
  return Proxies.through(typeof url === "string" ? url : Redacted.value(url), noProxy)
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
export const layerOptions = (options: Options = {}): Layer.Layer<HttpClient.HttpClient, RegistryError> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.flatMap(Effect.mapError(routeOf(options.proxy), unfit), (route) =>
      GuardedAgents.make({
        pool: {
          ...(options.connections === undefined ? {} : { connections: options.connections }),
          ...(options.keepAlive === undefined
            ? {}
            : { keepAliveTimeout: Duration.toMillis(Duration.fromInputUnsafe(options.keepAlive)) })
        },
        connect: options.ca === undefined ? {} : { ca: typeof options.ca === "string" ? options.ca : [...options.ca] },
        route
      })
    )
  ).pipe(Layer.merge(NodeHasher.layer))

/**
 * `layerOptions` with nothing set: what most programs want.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient, RegistryError> = layerOptions()
