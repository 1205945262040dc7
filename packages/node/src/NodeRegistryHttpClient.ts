/**
 * The HTTP client for registries on Node.
 *
 * Any `HttpClient` of Effect works, such as `FetchHttpClient`. This one is faster (docs/performance.md), and protects
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
import type { Dispatcher } from "undici"
import * as Certificates from "./internal/certificates.ts"
import * as GuardedAgents from "./internal/guardedAgents.ts"
import * as Proxies from "./internal/proxies.ts"
import * as UndiciClient from "./internal/undiciClient.ts"
import * as NodeHasher from "./NodeHasher.ts"

/**
 * A proxy that connects to registries by name (CONNECT).
 *
 * @category options
 * @since 0.1.0
 */
export interface Proxy {
  /**
   * The URL of the proxy: `http://proxy.example:3128`, or `https` if the proxy uses TLS. The scheme defaults to `http`.
   * A login, `http://user:password@proxy.example:3128` in percent-encoding, is sent to the proxy alone and appears in
   * no error, log or span.
   */
  readonly url: string | Redacted.Redacted<string>
  /** Hosts that are connected to directly, written as in `NO_PROXY`. Defaults to none. */
  readonly noProxy?: ReadonlyArray<string>
}

/**
 * A certificate that authenticates the client.
 *
 * @category options
 * @since 0.1.0
 */
export interface ClientCertificate {
  /** The certificate in PEM, followed by those of intermediate authorities, if there are any. */
  readonly certificate: string
  /** The private key of the certificate, in PEM. */
  readonly key: Redacted.Redacted<string>
  /** The passphrase of the key, if it is encrypted. */
  readonly passphrase?: Redacted.Redacted<string>
}

/**
 * Options of connections: certificates, limits, and the proxy.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * Certificates of authorities to trust, in PEM, besides those that Node trusts: for a registry with a certificate of
   * a company's own authority, or of a test. Node trusts its built-in authorities, those of `NODE_EXTRA_CA_CERTS` and,
   * with `--use-system-ca`, those of the system.
   */
  readonly ca?: string | ReadonlyArray<string>
  /**
   * Certificates of authorities to trust, in PEM, instead of those that Node trusts. With both `caOnly` and `ca`, the
   * authorities of both are trusted, and no others. Both options also apply to TLS with a proxy.
   */
  readonly caOnly?: string | ReadonlyArray<string>
  /**
   * The certificate for registries that require one of their clients (mutual TLS). It is sent to the registry, and to
   * the hosts of `trustedRealms` and `allowedHosts`. It is not sent to other hosts that the registry leads to, nor to a
   * proxy.
   */
  readonly clientCertificate?: ClientCertificate
  /** The maximum number of connections to one host. Defaults to no limit: each concurrent request has one. */
  readonly connections?: number
  /** How long an idle connection is kept. Defaults to the time that the registry states, or else to 4 seconds. */
  readonly keepAlive?: Duration.Input
  /**
   * The proxy for all hosts, including this machine; or `"none"` to connect to all hosts directly. Defaults to the
   * proxy of the environment.
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
 * Makes an HTTP client on Node's own undici. It keeps connections alive, leaves redirects to the library, and transfers
 * blobs over HTTP/1.1: undici's HTTP/2 has one flow-control window for everything, which makes it many times slower.
 * Digests are computed by `node:crypto`.
 *
 * **When to use**
 *
 * Use for certificates, a proxy or limits of connections. Most programs want `layer`. If these options do not suffice,
 * use `layerDispatcher`.
 *
 * **Details**
 *
 * The client checks the remote address of every connection (see `Outbound` of `@effect-acr/client`). A registry on the
 * internet cannot lead a request to this machine, its network or the metadata service of its cloud, neither by a
 * redirect nor by its own DNS. Behind a proxy the client does not see the remote address, and checks the addresses that
 * the local DNS has for a name (docs/origins.md).
 *
 * The proxy is that of `HTTPS_PROXY` or `HTTP_PROXY`, unless `NO_PROXY` names the host, as in docker and other programs
 * in Go; `proxy` replaces it. The layer fails with `InvalidRequest` if a proxy or a certificate cannot be used.
 *
 * **Gotchas**
 *
 * The client sends bytes and streams of bytes. A request with a form or a raw body of the platform fails with
 * `TransportError`.
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
 * **Example** (A registry that requires a certificate of its clients)
 *
 * ```ts
 * import { NodeRegistryHttpClient } from "@effect-acr/node"
 * import { Effect, FileSystem, Layer, Redacted } from "effect"
 *
 * const HttpClientLive = Layer.unwrap(
 *   Effect.gen(function* () {
 *     const files = yield* FileSystem.FileSystem
 *     const certificate = yield* files.readFileString("/run/secrets/client.pem")
 *     const key = Redacted.make(yield* files.readFileString("/run/secrets/client.key"))
 *     return NodeRegistryHttpClient.layerOptions({ clientCertificate: { certificate, key } })
 *   })
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOptions = (options: Options = {}): Layer.Layer<HttpClient.HttpClient, RegistryError> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.all([routeOf(options.proxy), Certificates.read(options)]).pipe(
      Effect.mapError(unfit),
      Effect.flatMap(([route, certificates]) =>
        GuardedAgents.make({
          pool: {
            ...(options.connections === undefined ? {} : { connections: options.connections }),
            ...(options.keepAlive === undefined
              ? {}
              : { keepAliveTimeout: Duration.toMillis(Duration.fromInputUnsafe(options.keepAlive)) })
          },
          certificates,
          route
        })
      )
    )
  ).pipe(Layer.merge(NodeHasher.layer))

/**
 * Makes an HTTP client on your own undici dispatcher.
 *
 * **When to use**
 *
 * Use for what `Options` do not cover: SOCKS, a Unix socket, a recording, a mock.
 *
 * **Details**
 *
 * The dispatcher makes the connections, so certificates, proxies, connection timeouts and HTTP/2 are configured there.
 * The layer reads no environment variables, and does not close the dispatcher. It needs the handlers of undici 7 or
 * later (`onRequestStart`).
 *
 * **Gotchas**
 *
 * The client does not see the connections. It still refuses a redirect or an upload location that leads to an address
 * of this machine, a private network or a metadata service, and to a name of this machine. It cannot check the
 * addresses of other names: a registry can lead to the metadata service by a name of its own. A connection that one
 * registry was allowed may also serve another. Where that matters, check addresses in the dispatcher, with
 * `Outbound.reachOf`.
 *
 * The dispatcher must not follow redirects. The client would not see them, and credentials could leave the registry.
 * Nor may it keep the pieces of a body once it has responded, because their memory is used again.
 *
 * **Example** (An agent that connects to a Unix socket)
 *
 * ```ts
 * import { NodeRegistryHttpClient } from "@effect-acr/node"
 * import { Effect, Layer } from "effect"
 * import { Agent } from "undici"
 *
 * const HttpClientLive = Layer.unwrap(
 *   Effect.acquireRelease(
 *     Effect.sync(() => new Agent({ allowH2: false, connect: { socketPath: "/run/registry.sock" } })),
 *     (agent) => Effect.promise(() => agent.destroy())
 *   ).pipe(Effect.map(NodeRegistryHttpClient.layerDispatcher))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerDispatcher = (dispatcher: Pick<Dispatcher, "dispatch">): Layer.Layer<HttpClient.HttpClient> =>
  Layer.succeed(HttpClient.HttpClient, UndiciClient.make(dispatcher)).pipe(Layer.merge(NodeHasher.layer))

/**
 * `layerOptions` with the defaults: the authorities that Node trusts, and the proxy of the environment.
 *
 * **When to use**
 *
 * Use in most programs on Node, Bun and Deno.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<HttpClient.HttpClient, RegistryError> = layerOptions()
