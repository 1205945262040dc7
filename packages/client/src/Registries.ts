/**
 * Any number of registries, by the names in references.
 *
 * The first reference to a registry makes a transport for it, with its own tokens, limits and connections. All later
 * references to that registry share the transport, until the layer's scope closes. For one registry, or for two that
 * are known in advance, use `Registry.layer`.
 *
 * **Gotchas**
 *
 * A reference decides which host receives requests. A program that accepts references from strangers lets them choose
 * that host, which may be in its own network. `open` sends nothing: before the first operation, check
 * `transport.loginServer` of its result, where each host has one spelling. Each opened registry takes about 60 KiB
 * until the layer's scope closes.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LayerMap from "effect/LayerMap"
import * as References from "effect/References"
import type * as Scope from "effect/Scope"
import type * as HttpClient from "effect/http/HttpClient"
import * as ContainerRegistry from "./ContainerRegistry.ts"
import * as Credentials from "./Credentials.ts"
import type * as Digest from "./Digest.ts"
import { refuse } from "./internal/api/arguments.ts"
import * as Names from "./internal/api/registries.ts"
import type * as Reference from "./Reference.ts"
import * as Registry from "./Registry.ts"
import * as RegistryContent from "./RegistryContent.ts"
import { InvalidRequest, RegistryError } from "./RegistryError.ts"
import type * as RepositoryName from "./RepositoryName.ts"
import * as Tag from "./Tag.ts"
import * as Transport from "./Transport.ts"

/**
 * Options for all registries, and for single ones.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Omit<RegistryContent.Options, "endpoint" | "registry"> {
  /** Not an option here: references name the registries. `registries` has the addresses of single ones. */
  readonly endpoint?: never
  readonly registry?: never
  /**
   * Options of single registries by their names in references. They override the options for all registries. An
   * `endpoint` sends the requests to another address: `{ "127.0.0.1:5000": { endpoint: "http://127.0.0.1:5000" } }` for
   * a registry without TLS on this machine, `{ "docker.io": { endpoint: "https://mirror.example.com" } }` for a mirror.
   * Case, the default port and the names of Docker Hub are normalized as in references. A function is called with the
   * login server of each registry when the registry is opened.
   */
  readonly registries?:
    | { readonly [loginServer: string]: Partial<RegistryContent.Options> }
    | ((loginServer: string) => Partial<RegistryContent.Options>)
}

/**
 * The repository and the tag or digest of a reference, and the services of its registry.
 *
 * @category models
 * @since 0.1.0
 */
export interface Opened {
  /** The reference, with the full name of the repository: `docker.io/library/alpine` for `docker.io/alpine`. */
  readonly reference: Reference.Reference
  /** The repository of the reference, for operations. */
  readonly repository: RepositoryName.RepositoryName
  /** The digest of the reference, or its tag, or `latest` if it has neither, as for `docker pull`. */
  readonly tagOrDigest: Tag.Tag | Digest.Digest
  /** The contents of the registry. */
  readonly content: RegistryContent.Service
  /** The management API of the registry. On registries that are not ACR, its operations fail with `Unsupported`. */
  readonly registry: ContainerRegistry.Service
  /** The transport of the registry, which both services share. */
  readonly transport: Transport.Service
}

/**
 * The operations of `Registries`.
 *
 * @category services
 * @since 0.1.0
 */
export interface Service {
  /**
   * Opens the registry that a reference names. Sends nothing. Fails with `InvalidRequest` if the reference names no
   * registry: `alpine:3.20` and `shop/api` are refused, and so is the short name of an ACR registry, `myregistry/app`.
   */
  readonly open: (reference: string | Reference.Reference) => Effect.Effect<Opened, RegistryError>
  /**
   * Makes a layer with the services of one registry, for programs that are written against `RegistryContent` or
   * `ContainerRegistry`. They share the transport with `open`. The layer fails with `InvalidRequest` if the name is not
   * that of a registry.
   *
   * If `endpoint` is a mirror of Docker Hub, use the full names of repositories, `library/alpine`.
   */
  readonly layerFor: (loginServer: string) => Layer.Layer<Registry.Services, RegistryError>
}

/**
 * Registries by the names in references.
 *
 * **Details**
 *
 * A registry has one transport for all spellings of its name: `docker.io`, `index.docker.io` and `registry-1.docker.io`
 * are one registry, and case and the default port do not matter.
 *
 * **Example** (Copying a manifest between registries that references name)
 *
 * ```ts
 * import { Registries } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * export const retag = (from: string, to: string) =>
 *   Effect.gen(function* () {
 *     const source = yield* Registries.open(from)
 *     const target = yield* Registries.open(to)
 *     const manifest = yield* source.content.manifest(source.repository, source.tagOrDigest)
 *     yield* target.content.putManifest(target.repository, manifest, { tag: target.tagOrDigest })
 *   })
 * ```
 *
 * @category services
 * @since 0.1.0
 */
export class Registries extends Context.Service<Registries, Service>()("@effect-acr/client/Registries") {}

const operation = "Registries.make"

/** Refused before the first reference, because the first one may be a stranger's. */
const unlimited = () =>
  new RegistryError({
    operation,
    reason: new InvalidRequest({
      description:
        'they give the same secret to every registry, and a reference could name a stranger\'s: limit them to their registries with Credentials.onlyFor(["myregistry.azurecr.io"])',
      argument: "credentials"
    })
  })

/** The options of single registries, by their login servers. */
const byLoginServer = (registries: Exclude<NonNullable<Options["registries"]>, Function>) =>
  Effect.reduce(
    Object.entries(registries),
    () => new Map<string, Partial<RegistryContent.Options>>(),
    (known, [name, options]) =>
      Effect.flatMap(Names.loginServer(operation, name, "registries"), (loginServer) =>
        known.has(loginServer)
          ? refuse(operation, `it is another name of ${loginServer}, which has options already`, "registries", name)
          : Effect.succeed(known.set(loginServer, options))
      )
  )

/** A name that no registry has (RFC 6761), to check options before there is a registry. */
const noRegistry = "registry.invalid"

/**
 * Makes the service. For building custom layers. Most programs want `layer`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* ({ registries = {}, ...defaults }: Options = {}): Effect.fn.Return<
  Service,
  RegistryError,
  HttpClient.HttpClient | Credentials.Credentials | Scope.Scope
> {
  if ((yield* Credentials.Credentials).sameForAll === true) return yield* unlimited()
  const single = yield* byLoginServer(typeof registries === "function" ? {} : registries)
  const ownOf = typeof registries === "function" ? registries : (loginServer: string) => single.get(loginServer)
  const layerOf = (loginServer: string) => {
    const own = ownOf(loginServer)
    // One address for all registries would receive all their logins.
    return Registry.layer({ ...defaults, ...own, endpoint: own?.endpoint ?? `https://${loginServer}` })
  }

  const context = yield* Effect.context<HttpClient.HttpClient | Credentials.Credentials | Scope.Scope>()
  const conversations = yield* LayerMap.make(layerOf, { idleTimeToLive: Duration.infinity })
  /** Only the layer's context: the credentials of the program that opens a registry first are not for every program. */
  const own: (caller: Context.Context<never>) => typeof context = () => context
  const conversation = (loginServer: string) =>
    Effect.updateContext(Effect.scoped(conversations.contextEffect(loginServer)), own)

  // Wrong options must fail here: a transport that fails to build would be cached, and fail again for each reference.
  // The transport of each registry logs its warnings again, with the name of the registry.
  yield* Effect.scoped(Layer.build(layerOf(noRegistry))).pipe(Effect.provideService(References.MinimumLogLevel, "None"))
  yield* Effect.forEach(single.keys(), conversation, { discard: true })

  return Registries.of({
    open: Effect.fnUntraced(function* (input) {
      const { loginServer, reference } = yield* Names.locate("Registries.open", input)
      const services = yield* conversation(loginServer)
      return {
        reference,
        repository: reference.repository,
        tagOrDigest: reference.digest ?? reference.tag ?? Tag.Tag.make("latest"),
        content: Context.get(services, RegistryContent.RegistryContent),
        registry: Context.get(services, ContainerRegistry.ContainerRegistry),
        transport: Context.get(services, Transport.Transport)
      }
    }),
    layerFor: (name) =>
      Layer.effectContext(Effect.flatMap(Names.loginServer("Registries.layerFor", name, "loginServer"), conversation))
  })
})

/**
 * `layer` with options. Fails with `InvalidRequest` if an option is invalid, if a name in `registries` is not that of a
 * registry, and if the credentials are the same for all registries.
 *
 * **Example** (A registry without TLS on this machine, and a mirror of Docker Hub)
 *
 * ```ts
 * import { Credentials, Registries } from "@effect-acr/client"
 * import { NodeRegistryHttpClient } from "@effect-acr/node"
 * import { Layer } from "effect"
 *
 * const RegistriesLive = Registries.layerOptions({
 *   maxConcurrentRequests: 8,
 *   registries: {
 *     "127.0.0.1:5000": { endpoint: "http://127.0.0.1:5000" },
 *     "docker.io": { endpoint: "https://mirror.example.com" }
 *   }
 * }).pipe(Layer.provide([Credentials.layerAnonymous, NodeRegistryHttpClient.layer]))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOptions = (
  options: Options
): Layer.Layer<Registries, RegistryError, HttpClient.HttpClient | Credentials.Credentials> =>
  // Fresh, because a program with two sets of credentials would otherwise share the transports of the first set.
  Layer.fresh(Layer.effect(Registries, make(options)))

/**
 * Makes the service, with a transport for each registry.
 *
 * **When to use**
 *
 * Use in programs that learn the registries from references: a copy tool, a scanner, a webhook. For a registry that the
 * program's configuration names, use `Registry.layer`.
 *
 * **Details**
 *
 * Transports are kept until the layer's scope closes. Programs that open registries need no scope.
 *
 * Each registry receives the credentials that `Credentials` has for it. A reference must not decide which host receives
 * a secret. So the layer fails with `InvalidRequest` if the credentials are the same for all registries, as those of
 * `layerPassword`, `layerRefreshToken`, `layerAccessToken` and `layerConfig` are. Limit these with
 * `Credentials.onlyFor`. `DockerConfig.layer` has a login for each registry, and Entra tokens are limited to the
 * registries of their cloud.
 *
 * **Example** (The logins of docker, and anonymous elsewhere)
 *
 * ```ts
 * import { Credentials, Registries } from "@effect-acr/client"
 * import { DockerConfig, NodeRegistryHttpClient } from "@effect-acr/node"
 * import { Layer } from "effect"
 *
 * const Login = DockerConfig.layer.pipe(Credentials.orElse(Credentials.layerAnonymous))
 *
 * const RegistriesLive = Registries.layer.pipe(Layer.provide([Login, NodeRegistryHttpClient.layer]))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Registries, RegistryError, HttpClient.HttpClient | Credentials.Credentials> =
  layerOptions({})

/**
 * Opens the registry that a reference names, see `Service.open`.
 *
 * **Example** (The tags of a repository of any registry)
 *
 * ```ts
 * import { Registries } from "@effect-acr/client"
 * import { Effect, Stream } from "effect"
 *
 * const tags = Effect.flatMap(Registries.open("mcr.microsoft.com/dotnet/runtime"), ({ content, repository }) =>
 *   Stream.runCollect(content.tags(repository))
 * )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const open = (reference: string | Reference.Reference): Effect.Effect<Opened, RegistryError, Registries> =>
  Registries.use((registries) => registries.open(reference))

/**
 * Finds the image that a reference names for a platform, and reads its manifest and configuration, as
 * `RegistryContent.image` does.
 *
 * **Details**
 *
 * If the reference has a digest and a tag, the digest is used. A reference with neither means `latest`, as for `docker
 * pull`.
 *
 * **Example** (The labels of an image on one platform)
 *
 * ```ts
 * import { Registries } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * const labels = Effect.map(
 *   Registries.image("mcr.microsoft.com/dotnet/runtime:10.0", { platform: "linux/arm64" }),
 *   ({ config }) => config.config?.Labels ?? {}
 * )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const image = (
  reference: string | Reference.Reference,
  options?: RegistryContent.ImageOptions
): Effect.Effect<RegistryContent.Image, RegistryError, Registries> =>
  Effect.flatMap(open(reference), ({ content, repository, tagOrDigest }) =>
    content.image(repository, tagOrDigest, options)
  )

/**
 * Makes a layer with the services of one registry, see `Service.layerFor`.
 *
 * **Example** (Running a program for one registry on another)
 *
 * ```ts
 * import { Registries, RegistryContent } from "@effect-acr/client"
 * import { Effect } from "effect"
 *
 * const resolve = RegistryContent.RegistryContent.use((content) => content.resolve("contoso/api", "latest"))
 *
 * const digests = Effect.forEach(["myregistry.azurecr.io", "ghcr.io"], (loginServer) =>
 *   Effect.provide(resolve, Registries.layerFor(loginServer))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFor = (loginServer: string): Layer.Layer<Registry.Services, RegistryError, Registries> =>
  Layer.unwrap(Registries.useSync((registries) => registries.layerFor(loginServer)))
