/**
 * An Azure Container Registry in a box.
 *
 * It speaks the protocol that recordings of the real service show, over real connections on this machine: OAuth with
 * its scopes, the management API with its locks, and OCI distribution. It keeps a journal of what it was asked, and
 * misbehaves when it is told to.
 *
 * **Example** (A test with a registry that is throttled once)
 *
 * ```ts
 * import { ContainerRegistry } from "@effect-acr/client"
 * import { AcrEmulator } from "@effect-acr/emulator"
 * import { assert, it } from "@effect/vitest"
 * import { Effect, Layer } from "effect"
 *
 * const TestRegistry = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))
 *
 * it.live("sees a throttled registry through", () =>
 *   Effect.gen(function* () {
 *     const emulator = yield* AcrEmulator.AcrEmulator
 *     yield* emulator.seed({ repository: "library/alpine", tags: ["3.20"] })
 *     yield* emulator.inject({
 *       path: "/acr/v1/",
 *       consequence: { _tag: "Answer", status: 429, headers: { "retry-after": "1" } }
 *     })
 *     const registry = yield* ContainerRegistry.ContainerRegistry
 *     assert.strictEqual((yield* registry.tagProperties("library/alpine", "3.20")).name, "3.20")
 *   }).pipe(Effect.provide(TestRegistry))
 * )
 * ```
 *
 * How it is made, and what it keeps: docs/emulator.md.
 *
 * @since 0.1.0
 */
import { randomBytes } from "node:crypto"
import * as Credentials from "@effect-acr/client/Credentials"
import type { Digest } from "@effect-acr/client/Digest"
import type { RateLimits } from "@effect-acr/client/RateLimits"
import * as Registry from "@effect-acr/client/Registry"
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as ByteSize from "effect/ByteSize"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as HttpServerError from "effect/http/HttpServerError"
import type { DirectoryError } from "./DirectoryError.ts"
import type { Fault } from "./Fault.ts"
import * as Answering from "./internal/answering.ts"
import * as Certificate from "./internal/certificate.ts"
import * as Distribution from "./internal/distribution.ts"
import * as Listener from "./internal/listener.ts"
import * as Management from "./internal/management.ts"
import * as PublicHost from "./internal/publicHost.ts"
import * as Referrers from "./internal/referrers.ts"
import * as Routes from "./internal/routes.ts"
import * as Saved from "./internal/saved.ts"
import { seed } from "./internal/seed.ts"
import * as Serving from "./internal/serving.ts"
import * as Storage from "./internal/storage.ts"
import * as Store from "./internal/store.ts"
import * as Throttle from "./internal/throttle.ts"
import * as Tokens from "./internal/tokens.ts"
import * as Trash from "./internal/trash.ts"
import * as Uploads from "./internal/uploads.ts"
import type { JournalEntry } from "./Journal.ts"
import type { ScopeMapRule } from "./ScopeMap.ts"
import type { SeedImage } from "./SeedImage.ts"

/**
 * A user name with a password.
 *
 * @category models
 * @since 0.1.0
 */
export interface Login {
  /** The name. */
  readonly username: string
  /** The password. */
  readonly password: Redacted.Redacted<string>
}

/**
 * A token of a scope map: a login for some repositories and some actions.
 *
 * **Details**
 *
 * ACR's documentation, "Create a token with repository-scoped permissions".
 *
 * **Example** (A token that may only pull one team's images)
 *
 * ```ts
 * import { AcrEmulator } from "@effect-acr/emulator"
 * import { Redacted } from "effect"
 *
 * const Emulator = AcrEmulator.layer({
 *   scopeMapTokens: [
 *     {
 *       username: "team-a-pull",
 *       password: Redacted.make("only for this test"),
 *       scopeMap: [{ repository: "team-a/*", actions: ["content/read", "metadata/read"] }]
 *     }
 *   ]
 * })
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface ScopeMapToken extends Login {
  /** What may be done, by repository. */
  readonly scopeMap: ReadonlyArray<ScopeMapRule>
}

/**
 * How a registry treats referrers: manifests that have a `subject`, such as signatures.
 *
 * **When to use**
 *
 * Use it to test a client against registries that lack a part of the referrers API. Each default is what the emulator
 * does as a registry of ACR that has the API.
 *
 * **Details**
 *
 * OCI distribution specification, "Listing Referrers" and "Pushing manifests with subject".
 *
 * **Gotchas**
 *
 * No recording shows ACR's referrers API: its page size, its order and whether it filters are not known. The emulator
 * follows the specification.
 *
 * **Example** (A registry without the referrers API)
 *
 * ```ts
 * import { AcrEmulator } from "@effect-acr/emulator"
 *
 * const Emulator = AcrEmulator.layer({ referrers: { api: false } })
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export interface ReferrersOptions {
  /**
   * Whether the registry has the referrers API. Defaults to `true`. Registries of ACR that are encrypted with a
   * customer-managed key do not have it, nor does the registry of the distribution project. Without it, the path is
   * answered 404 in plain text, a push of a referrer is answered without `OCI-Subject`, and the deletion of a subject
   * keeps its referrers, whatever `subjectHeader` and `cascade` are.
   */
  readonly api?: boolean
  /**
   * Whether a push of a manifest with a subject is answered with `OCI-Subject`. Defaults to `true`. Without it, clients
   * must maintain the fallback tag although the API lists the referrer.
   */
  readonly subjectHeader?: boolean
  /**
   * Whether the list is filtered by the `artifactType` of the query. Defaults to `true`. Otherwise all referrers are
   * listed, without `OCI-Filters-Applied`, and the client must filter.
   */
  readonly filter?: boolean
  /**
   * The number of referrers a page, 1 or more. A `Link` leads to the next page. Defaults to one page for all.
   */
  readonly pageSize?: number
  /** Whether the deletion of a subject deletes its referrers, as ACR does. Defaults to `true`. */
  readonly cascade?: boolean
}

/**
 * The soft delete policy of a registry: what is deleted stays in a trash for a while, and can be restored.
 *
 * **Details**
 *
 * ACR's documentation, "Recover deleted artifacts with soft delete policy". Deleted manifests and tags, and those of a
 * deleted repository, are listed under `/acr/v1/_deleted` and restored from there.
 *
 * **Gotchas**
 *
 * No public text shows how ACR refuses a restore or the push of a deleted digest. docs/emulator.md says what the emulator
 * answers.
 *
 * **Example** (A registry that keeps what is deleted for two weeks)
 *
 * ```ts
 * import { AcrEmulator } from "@effect-acr/emulator"
 *
 * const Emulator = AcrEmulator.layer({ softDelete: { retention: "14 days" } })
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export interface SoftDeleteOptions {
  /**
   * How long deleted things stay in the trash, counted from their deletion. Defaults to 7 days, as ACR's, which takes 1 to
   * 90 days. The emulator takes any time above zero.
   */
  readonly retention?: Duration.Input
}

/**
 * A certificate for an emulator, with its key.
 *
 * **When to use**
 *
 * Use it if the clients already trust an authority that signs certificates for this machine, such as that of `mkcert`.
 * Otherwise `https: true` makes a certificate.
 *
 * **Gotchas**
 *
 * If the certificate is not for the host of the storage (`localhost` if the emulator listens on `127.0.0.1`, and the
 * other way round), the emulator serves blobs instead of redirecting to the storage. `blobs` of the service tells.
 *
 * **Example** (A certificate of an authority that the clients trust)
 *
 * ```ts
 * import { AcrEmulator } from "@effect-acr/emulator"
 * import { Redacted } from "effect"
 *
 * const emulator = (certificate: string, key: Redacted.Redacted<string>) =>
 *   AcrEmulator.layer({ host: "localhost", https: { certificate, key } })
 * ```
 *
 * @category options
 * @since 0.1.0
 */
export interface CertificateOptions {
  /** The certificate in PEM. Those of its authorities may follow it. */
  readonly certificate: string
  /** The private key of the certificate in PEM, not encrypted. */
  readonly key: Redacted.Redacted<string>
}

/**
 * What kind of registry to be.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The port to listen on; any that is free if not given. */
  readonly port?: number
  /** The address to listen on; `127.0.0.1` if not given. */
  readonly host?: string
  /**
   * Whether to serve https instead of http. Defaults to `false`. With `true` the emulator makes a certificate for
   * `localhost`, `127.0.0.1`, `::1` and the `publicHost`, signed by an authority of its own: `certificate` of the service
   * is that authority. The key of the certificate also signs the tokens.
   */
  readonly https?: boolean | CertificateOptions
  /**
   * The host by which clients reach the emulator, with a port if that is not the one it listens on: `registry.test`,
   * `registry.test:5001`. The endpoint, the login server, references and the address of the token service have it. Blobs are
   * served then, as the storage has no such name. Without it, the token service is at the host that a request names.
   */
  readonly publicHost?: string
  /** Whether everyone may list and pull. */
  readonly anonymousPull?: boolean
  /** The Entra token that is exchanged; one that nobody can guess if not given. */
  readonly entraToken?: Redacted.Redacted<string>
  /** Which Entra tokens are exchanged besides: those of something that plays Entra ID. None if not given. */
  readonly acceptsEntraToken?: (token: Redacted.Redacted<string>) => boolean
  /**
   * How rights are granted, in ACR's words: to the whole registry, or by repository (attribute-based access control),
   * where no token is for all repositories. `rbac` if not given.
   */
  readonly roleAssignmentMode?: "rbac" | "rbac-abac"
  /** The login of the admin user; user `admin` with a password that nobody can guess if not given. */
  readonly adminUser?: Login
  /** The tokens of scope maps that there are; none if not given. */
  readonly scopeMapTokens?: ReadonlyArray<ScopeMapToken>
  /** How long access tokens live; 75 minutes if not given, as ACR's. */
  readonly accessTokenLifetime?: Duration.Input
  /** How long refresh tokens live; 195 minutes if not given, as ACR's. */
  readonly refreshTokenLifetime?: Duration.Input
  /**
   * Requests a minute, by kind, as ACR counts them (see `RateLimits` of `@effect-acr/client`); what is too many is
   * answered 429 with `Retry-After`. They are those of the whole registry, and come before those of `tier`. Not limited if
   * neither is given.
   */
  readonly rateLimits?: RateLimits
  /**
   * The tier of the registry, in ACR's words, whose limits it then has: those of the whole registry, and half of them for
   * each identity. The admin user is one identity, each scope-map token another one, all callers of Entra ID a third, and
   * all that log in as nobody a fourth.
   */
  readonly tier?: "basic" | "standard" | "premium"
  /**
   * Whether downloads of blobs are redirected to another host, as ACR's are, or served. Defaults to `redirect` on
   * `127.0.0.1`, whose storage is `localhost`, and on `localhost`, whose storage is `127.0.0.1`. On any other `host` they
   * are served, whatever is given here, and so they are with a `publicHost`, and with a certificate that is not for the
   * storage: `blobs` of the service says so.
   */
  readonly blobs?: "redirect" | "direct"
  /** The largest body of an upload request, in bytes; more is answered 413. No limit if not given. */
  readonly maxRequestBodySize?: ByteSize.Input
  /** What `OCI-Chunk-Min-Length` asks for, in bytes; not sent if not given. */
  readonly chunkMinLength?: ByteSize.Input
  /** How the registry treats referrers. Defaults to those of a registry of ACR that has the referrers API. */
  readonly referrers?: ReferrersOptions
  /**
   * The soft delete policy. Without it, deletions are final; what an emulator with the policy left in the trash of the
   * `directory` stays there and can be restored.
   */
  readonly softDelete?: SoftDeleteOptions
  /**
   * Whether a push of a tag honours `If-Match` and `If-None-Match`. Defaults to `false`: these headers are ignored.
   *
   * With it, a push by tag is answered 412 `PRECONDITION_FAILED` unless the tag names a manifest of `If-Match` (`*`: any),
   * or if it names one of `If-None-Match` (`*`: any). The `ETag` of a manifest is its digest in quotes. Pushes by digest
   * have no conditions.
   */
  readonly conditionalPut?: boolean
  /**
   * The folder that holds the repositories and their content, for one emulator at a time: what another one left there
   * is there again. It is made if it is missing. One that goes with the emulator if not given.
   */
  readonly directory?: string
}

/**
 * What an emulator is, and what it can be told.
 *
 * @category services
 * @since 0.1.0
 */
export interface Service {
  /** Its origin: `http://127.0.0.1:41234`. */
  readonly endpoint: string
  /** Its host and port, as they stand in references. */
  readonly loginServer: string
  /**
   * The certificate to trust, in PEM, if it serves https: that of its own authority, or the one that it was given.
   */
  readonly certificate: Option.Option<string>
  /** Whether downloads of blobs are redirected to the storage, or served. */
  readonly blobs: "redirect" | "direct"
  /** How to log in. */
  readonly logins: {
    /** The Entra token that is exchanged. */
    readonly entraToken: Redacted.Redacted<string>
    /** The admin user, who may do everything. */
    readonly adminUser: Login
  }
  /**
   * What it was asked so far, in order, by whomever.
   *
   * **Example** (What an operation asks)
   *
   * ```ts
   * import { ContainerRegistry } from "@effect-acr/client"
   * import { AcrEmulator } from "@effect-acr/emulator"
   * import { Effect, Stream } from "effect"
   *
   * const requests = Effect.gen(function* () {
   *   const emulator = yield* AcrEmulator.AcrEmulator
   *   const registry = yield* ContainerRegistry.ContainerRegistry
   *   yield* emulator.clearJournal
   *   yield* registry.repositories().pipe(Stream.runDrain)
   *   return (yield* emulator.journal).map(({ method, path, status }) => `${method} ${path} ${status}`)
   * })
   * ```
   */
  readonly journal: Effect.Effect<ReadonlyArray<JournalEntry>>
  /** Forgets what it was asked so far. */
  readonly clearJournal: Effect.Effect<void>
  /**
   * Makes something go wrong. Of several faults that fit a request the one that was injected first hits.
   *
   * **Example** (A download that breaks off after 1000 bytes, once)
   *
   * ```ts
   * import { AcrEmulator } from "@effect-acr/emulator"
   * import { Effect } from "effect"
   *
   * const breakDownload = Effect.flatMap(AcrEmulator.AcrEmulator, (emulator) =>
   *   emulator.inject({
   *     method: "GET",
   *     path: "/blobs/",
   *     consequence: { _tag: "CutBody", afterBytes: 1000 }
   *   })
   * )
   * ```
   */
  readonly inject: (fault: Fault) => Effect.Effect<void>
  /** Takes back all faults: nothing goes wrong from now on. */
  readonly clearFaults: Effect.Effect<void>
  /** Forgets all access tokens: they are answered `invalid_token` from now on. */
  readonly revokeAccessTokens: Effect.Effect<void>
  /** Forgets all refresh tokens: who has one must log in again. */
  readonly revokeRefreshTokens: Effect.Effect<void>
  /**
   * Puts an image into it without a request, and tells its digest.
   *
   * **Example** (An image for two platforms, pushed an hour ago)
   *
   * ```ts
   * import { AcrEmulator } from "@effect-acr/emulator"
   * import { Clock, Effect } from "effect"
   *
   * const seedIndex = Effect.gen(function* () {
   *   const emulator = yield* AcrEmulator.AcrEmulator
   *   return yield* emulator.seed({
   *     repository: "library/alpine",
   *     tags: ["3.20", "latest"],
   *     platforms: ["linux/amd64", "linux/arm64"],
   *     pushedAtMillis: (yield* Clock.currentTimeMillis) - 60 * 60 * 1000
   *   })
   * })
   * ```
   */
  readonly seed: (image: SeedImage) => Effect.Effect<Digest>
  /** How many uploads were started and neither finished nor cancelled, of those of which a client was told. */
  readonly openUploads: Effect.Effect<number>
}

/**
 * A running emulator.
 *
 * @category services
 * @since 0.1.0
 */
export class AcrEmulator extends Context.Service<AcrEmulator, Service>()("@effect-acr/emulator/AcrEmulator") {}

const secret = (): Redacted.Redacted<string> => Redacted.make(randomBytes(24).toString("base64url"))

const millis = (duration: Duration.Input): number => Duration.toMillis(Duration.fromInputUnsafe(duration))

const softDeleteOf = (options: SoftDeleteOptions | undefined): Trash.SoftDelete => {
  if (options === undefined) return { enabled: false, retentionMillis: Number.POSITIVE_INFINITY }
  const retentionMillis = millis(options.retention ?? "7 days")
  if (!(retentionMillis > 0)) throw new RangeError(`softDelete.retention must be above zero, not ${retentionMillis} ms`)
  return { enabled: true, retentionMillis }
}

const bytesOf = (size: ByteSize.Input | undefined): number | undefined =>
  size === undefined ? undefined : ByteSize.toNumberUnsafe(ByteSize.fromInputUnsafe(size))

const publicHostOf = (text: string): PublicHost.PublicHost => {
  const parsed = PublicHost.parse(text)
  if (parsed === undefined) throw new RangeError(`publicHost must be a host as registry.test:5001, not ${text}`)
  return parsed
}

/** The certificate to serve https with. */
const certificateOf = (
  https: true | CertificateOptions,
  publicHost: PublicHost.PublicHost | undefined
): Effect.Effect<Certificate.Certificate, HttpServerError.ServeError> =>
  https === true
    ? Certificate.make(publicHost === undefined ? [] : [publicHost.host])
    : Effect.mapError(Effect.fromResult(Certificate.parse(https)), (cause) => new HttpServerError.ServeError({ cause }))

/** The host to which downloads are redirected, if there is one. */
const storageHostOf = (
  { blobs, publicHost }: Options,
  host: string,
  certificate: Certificate.Certificate | undefined
): string | undefined => {
  const beside = blobs === "direct" || publicHost !== undefined ? undefined : Storage.hostBeside(host)
  return beside === undefined || certificate === undefined || Certificate.isFor(certificate, beside)
    ? beside
    : undefined
}

/**
 * Starts an emulator, which stops when the scope closes.
 *
 * **Details**
 *
 * It fails with `ServeError` if the port is taken or the certificate can't be used, and with `DirectoryError` if its
 * directory can't be used.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<Service, HttpServerError.ServeError | DirectoryError, Scope.Scope> {
  const clock = yield* Clock.Clock
  const now = () => clock.currentTimeMillisUnsafe()
  const directory = yield* Saved.folder(options.directory)
  const store = Store.make()
  yield* Saved.load(store, directory)
  const save = options.directory === undefined ? () => Promise.resolve() : Saved.saver(store, directory)

  const publicHost = options.publicHost === undefined ? undefined : publicHostOf(options.publicHost)
  const { https = false } = options
  const certificate = https === false ? undefined : yield* certificateOf(https, publicHost)
  const scheme = certificate === undefined ? "http" : "https"
  const host = options.host ?? "127.0.0.1"
  const logins = {
    entraToken: options.entraToken ?? secret(),
    adminUser: options.adminUser ?? { username: "admin", password: secret() }
  }

  const serving = Serving.make()

  const storage = Storage.make(store)
  const storageHost = storageHostOf(options, host, certificate)
  const storageListener = storageHost === undefined ? undefined : yield* Listener.listenOnLoopback(certificate)
  if (storageListener !== undefined) {
    serving.serve("storage", storageListener, async (request) => storage.download(request, now()))
  }

  const referrers = Referrers.settings(options.referrers ?? {})
  const trash = Trash.make(store, softDeleteOf(options.softDelete))
  const distribution = Distribution.make({
    store,
    trash,
    directory,
    referrers,
    conditionalPut: options.conditionalPut ?? false
  })
  const uploads = Uploads.make({
    store,
    directory,
    maxRequestBodyBytes: bytesOf(options.maxRequestBodySize) ?? Number.POSITIVE_INFINITY,
    chunkMinBytes: bytesOf(options.chunkMinLength)
  })

  const tier = options.tier === undefined ? undefined : Throttle.tiers[options.tier]
  const listener = yield* Listener.listen({ host, port: options.port ?? 0, certificate })
  const loginServer =
    publicHost === undefined
      ? `${PublicHost.inAddress(host)}:${listener.port}`
      : PublicHost.loginServerOf(scheme, publicHost, listener.port)
  const endpoint = `${scheme}://${loginServer}`
  const tokens = Tokens.make({
    service: loginServer,
    certificate,
    anonymousPull: options.anonymousPull ?? false,
    acceptsEntraToken: (token) =>
      Equal.equals(token, logins.entraToken) || (options.acceptsEntraToken?.(token) ?? false),
    byRepository: options.roleAssignmentMode === "rbac-abac",
    accounts: [
      { ...logins.adminUser, identity: { _tag: "Owner" } },
      ...(options.scopeMapTokens ?? []).map(Tokens.scopeMapAccount)
    ],
    accessTokenMillis: millis(options.accessTokenLifetime ?? "75 minutes"),
    refreshTokenMillis: millis(options.refreshTokenLifetime ?? "195 minutes")
  })
  const answer = Answering.make({
    service: loginServer,
    tokens,
    routes: Routes.make({
      management: Management.make({ registry: loginServer, store, trash, referrers }),
      trash,
      distribution,
      uploads,
      referrers,
      downloadAddress:
        storageListener === undefined
          ? undefined
          : (digest, nowMillis) =>
              `${scheme}://${storageHost}:${storageListener.port}${storage.address(digest, nowMillis)}`
    }),
    throttle: Throttle.make({ ...tier?.registry, ...options.rateLimits }),
    throttleOf: Throttle.makeFor(tier?.identity ?? {})
  })

  serving.serve("registry", listener, async (request) => {
    const nowMillis = now()
    const time = { nowMillis, stamp: store.stamp(nowMillis) }
    trash.expire(nowMillis)
    const origin = publicHost === undefined ? `${scheme}://${request.headers["host"] ?? loginServer}` : endpoint
    const given = await answer(origin, request, time)
    // What a client was told of must not be lost.
    await save()
    return given
  })

  return AcrEmulator.of({
    endpoint,
    loginServer,
    certificate: Option.fromUndefinedOr(certificate?.ca),
    blobs: storageListener === undefined ? "direct" : "redirect",
    logins,
    journal: Effect.sync(serving.journal),
    clearJournal: Effect.sync(serving.clearJournal),
    inject: (fault) => Effect.sync(() => serving.inject(fault)),
    clearFaults: Effect.sync(serving.clearFaults),
    revokeAccessTokens: Effect.sync(tokens.revokeAccessTokens),
    revokeRefreshTokens: Effect.sync(tokens.revokeRefreshTokens),
    seed: (image) =>
      Effect.promise(async () => {
        trash.expire(now())
        const digest = await seed({ store, directory, distribution }, image, now())
        await save()
        return digest
      }),
    openUploads: Effect.sync(uploads.count)
  })
})

/**
 * A layer with a running emulator; it stops, and leaves nothing behind but what `directory` keeps, when the layer's scope
 * closes.
 *
 * **Example** (Testing against an emulator)
 *
 * ```ts
 * import { AcrEmulator } from "@effect-acr/emulator"
 * import { Effect } from "effect"
 *
 * const program = Effect.gen(function* () {
 *   const emulator = yield* AcrEmulator.AcrEmulator
 *   yield* emulator.seed({ repository: "library/hello-world", tags: ["latest"] })
 *   return emulator.endpoint
 * }).pipe(Effect.provide(AcrEmulator.layer({ https: true })))
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<AcrEmulator, HttpServerError.ServeError | DirectoryError> =>
  Layer.effect(AcrEmulator, make(options))

/**
 * How a client treats the emulator, and as whom it asks.
 *
 * @category options
 * @since 0.1.0
 */
export interface RegistryOptions<E = never, R = never> extends Omit<RegistryContent.Options, "endpoint"> {
  /** Who asks; an identity with the emulator's Entra token if not given. */
  readonly credentials?: Layer.Layer<Credentials.Credentials, E, R>
}

/**
 * The client's services in conversation with the emulator.
 *
 * **Example** (As somebody who is not logged in)
 *
 * ```ts
 * import { Credentials } from "@effect-acr/client"
 * import { AcrEmulator } from "@effect-acr/emulator"
 * import { Layer } from "effect"
 *
 * const Anonymous = AcrEmulator.layerRegistry({ credentials: Credentials.layerAnonymous }).pipe(
 *   Layer.provideMerge(AcrEmulator.layer({ anonymousPull: true }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRegistry = <E = never, R = never>(
  options: RegistryOptions<E, R> = {}
): Layer.Layer<Registry.Services, RegistryError | E, AcrEmulator | R> =>
  Layer.unwrap(
    AcrEmulator.useSync(({ certificate, endpoint, logins }) => {
      const ownLogin: Layer.Layer<Credentials.Credentials, E, R> = Credentials.layerEntra(
        Effect.succeed(logins.entraToken),
        { loginServers: [new URL(endpoint).hostname] }
      )
      const { credentials = ownLogin, ...rest } = options
      return Registry.layer({ ...rest, endpoint }).pipe(
        Layer.provide(credentials),
        Layer.provide(NodeRegistryHttpClient.layerOptions(Option.isSome(certificate) ? { ca: certificate.value } : {}))
      )
    })
  )
