/**
 * An emulator of Azure Container Registry.
 *
 * It implements the protocol that recordings of the real service show, over real connections on this machine: OAuth
 * with its scopes, the management API with its locks, and OCI distribution. Tests can inject faults, and read a journal
 * of all requests.
 *
 * **Example** (A test with a registry that throttles once)
 *
 * ```ts
 * import { ContainerRegistry } from "@effect-acr/client"
 * import { AcrEmulator } from "@effect-acr/emulator"
 * import { assert, it } from "@effect/vitest"
 * import { Effect, Layer } from "effect"
 *
 * const TestRegistry = AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer()))
 *
 * it.live("retries a throttled request", () =>
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
 * docs/emulator.md explains the design, and what the emulator keeps.
 *
 * @since 0.1.0
 */
import { randomBytes } from "node:crypto"
import * as Credentials from "@effect-acr/client/Credentials"
import type { Digest } from "@effect-acr/client/Digest"
import * as Registry from "@effect-acr/client/Registry"
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as NodeRegistryHttpClient from "@effect-acr/node/NodeRegistryHttpClient"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as HttpServerError from "effect/http/HttpServerError"
import type { DirectoryError } from "./DirectoryError.ts"
import type { RepositoryContents, RepositorySummary } from "./Contents.ts"
import type { Fault, Injected } from "./Fault.ts"
import * as Answering from "./internal/answering.ts"
import * as Certificate from "./internal/certificate.ts"
import * as Distribution from "./internal/distribution.ts"
import * as Listener from "./internal/listener.ts"
import * as Summaries from "./internal/summaries.ts"
import * as Management from "./internal/management.ts"
import * as CurrentModes from "./internal/modes.ts"
import * as PublicHost from "./internal/publicHost.ts"
import * as Routes from "./internal/routes.ts"
import * as Saved from "./internal/saved.ts"
import * as Seeding from "./internal/seeding.ts"
import * as Serving from "./internal/serving.ts"
import * as Storage from "./internal/storage.ts"
import * as Sweep from "./internal/sweep.ts"
import * as EmulatorClock from "./internal/clock.ts"
import * as Tokens from "./internal/tokens.ts"
import * as Trash from "./internal/trash.ts"
import * as Uploads from "./internal/uploads.ts"
import type { JournalEntry } from "./Journal.ts"
import type * as Modes from "./Modes.ts"
import type { ScopeMapRule } from "./ScopeMap.ts"
import type { SeedError } from "./SeedError.ts"
import type { Seed, SeedContents, SeededImage, SeedImage } from "./SeedImage.ts"

/**
 * A user name and a password.
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
  /** The allowed actions, by repository. */
  readonly scopeMap: ReadonlyArray<ScopeMapRule>
}

/**
 * A certificate for an emulator, with its key.
 *
 * **When to use**
 *
 * Use if the clients already trust an authority that signs certificates for this machine, such as that of `mkcert`.
 * Otherwise `https: true` makes a certificate.
 *
 * **Gotchas**
 *
 * If the certificate is not for the host of the storage (`localhost` if the emulator listens on `127.0.0.1`, and the
 * other way round), the emulator serves blobs instead of redirecting to the storage. `modes` of the service shows
 * which.
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
 * Options of an emulator: its address, its logins, its contents, and the modes and limits to start with.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Modes.Options {
  /** The port to listen on. Defaults to any free port. */
  readonly port?: number
  /** The address to listen on. Defaults to `127.0.0.1`. */
  readonly host?: string
  /**
   * Whether to serve https instead of http. Defaults to `false`. With `true` the emulator makes a certificate for
   * `localhost`, `127.0.0.1`, `::1` and the `publicHost`, signed by its own authority: `certificate` of the service is
   * the certificate of that authority. The key of the server's certificate also signs the tokens.
   */
  readonly https?: boolean | CertificateOptions
  /**
   * The host name that clients use for the emulator, with a port if it differs from the one that the emulator listens
   * on: `registry.test`, `registry.test:5001`. The endpoint, the login server, references and the address of the token
   * service contain it. Blobs are then served and not redirected, because the storage has no such name. Without
   * `publicHost`, the token service is at the host that a request names.
   */
  readonly publicHost?: string
  /** The Entra token to accept. Defaults to a random one. */
  readonly entraToken?: Redacted.Redacted<string>
  /** Decides whether to accept another Entra token, such as one of a fake Entra ID. Defaults to accepting none. */
  readonly acceptsEntraToken?: (token: Redacted.Redacted<string>) => boolean
  /** The login of the admin user. Defaults to `admin` with a random password. */
  readonly adminUser?: Login
  /** The tokens of scope maps. Defaults to none. */
  readonly scopeMapTokens?: ReadonlyArray<ScopeMapToken>
  /** The lifetime of access tokens. Defaults to 75 minutes, as in ACR. */
  readonly accessTokenLifetime?: Duration.Input
  /** The lifetime of refresh tokens. Defaults to 195 minutes, as in ACR. */
  readonly refreshTokenLifetime?: Duration.Input
  /**
   * The folder that keeps the repositories and their content for the next emulator. It is created if it is missing.
   * Defaults to a temporary folder, which is removed when the emulator stops.
   *
   * One emulator at a time can use a folder. Another one fails with `DirectoryError`, which names the process. The
   * folder of a killed emulator can be used again, and has every change that the emulator had confirmed. The folder is
   * an OCI image layout: once the emulator has stopped, `index.json` lists the images as `repository:tag`.
   */
  readonly directory?: string
  /** The seeds of `startWith`. The layer is ready once the emulator has them. Defaults to none. */
  readonly seed?: ReadonlyArray<Seed>
  /** The number of requests that the journal keeps, the most recent ones. Defaults to 10,000. */
  readonly journalSize?: number
  /** Called with each request when it has ended, for a log. It must not throw. */
  readonly onRequest?: (request: JournalEntry) => void
}

/**
 * The operations of `AcrEmulator`: addresses and logins, seeds, faults, journal, clock, modes and limits.
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
   * The certificate to trust, in PEM, if the emulator serves https: that of its own authority, or the one of the
   * options.
   */
  readonly certificate: Option.Option<string>
  /** The logins with all permissions. */
  readonly logins: {
    /** The Entra token that it accepts. */
    readonly entraToken: Redacted.Redacted<string>
    /** The admin user. */
    readonly adminUser: Login
  }
  /**
   * All requests so far, in order, from any client. At most the last `journalSize` requests.
   *
   * **Example** (Recording the requests of an operation)
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
  /** Returns the requests after the one with this sequence number. */
  readonly journalAfter: (sequence: number) => Effect.Effect<ReadonlyArray<JournalEntry>>
  /** Clears the journal. Sequence numbers continue. */
  readonly clearJournal: Effect.Effect<void>
  /**
   * Injects a fault, and returns its number. If several faults match a request, the one injected first applies.
   *
   * **Example** (A download that breaks once, after 1000 bytes)
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
  readonly inject: (fault: Fault) => Effect.Effect<number>
  /** The faults that were injected and not removed, in order. */
  readonly faults: Effect.Effect<ReadonlyArray<Injected>>
  /** Removes one fault. Returns whether there was one with this number. */
  readonly removeFault: (id: number) => Effect.Effect<boolean>
  /** Removes all faults. */
  readonly clearFaults: Effect.Effect<void>
  /** Revokes all access tokens. Requests with one of them fail with `invalid_token`. */
  readonly revokeAccessTokens: Effect.Effect<void>
  /** Revokes all refresh tokens. Their clients must log in again. */
  readonly revokeRefreshTokens: Effect.Effect<void>
  /**
   * Puts an image, or another artifact, into the registry without a request, and returns the digest.
   *
   * **When to use**
   *
   * Use for images that a test describes. For images that other tools made, use `seedFrom`; for images that `reset`
   * restores, use `startWith`.
   *
   * **Details**
   *
   * Existing content is kept, and seeding twice changes nothing. A tag that names something else is kept, unless
   * `onTag` is `overwrite`. Fails with `SeedError` if the seed is invalid or the registry refuses it.
   *
   * **Example** (An image for two platforms, pushed an hour ago)
   *
   * ```ts
   * import { AcrEmulator } from "@effect-acr/emulator"
   * import { Duration, Effect } from "effect"
   *
   * const seedIndex = Effect.gen(function* () {
   *   const emulator = yield* AcrEmulator.AcrEmulator
   *   return yield* emulator.seed({
   *     repository: "library/alpine",
   *     tags: ["3.20", "latest"],
   *     platforms: ["linux/amd64", "linux/arm64"],
   *     pushedAt: Duration.hours(1)
   *   })
   * })
   * ```
   */
  readonly seed: (image: SeedImage) => Effect.Effect<Digest, SeedError>
  /**
   * Copies the images of a folder in OCI layout, or of an archive, into the registry without a request.
   *
   * **Details**
   *
   * Bytes and digests stay the same. Referrers and the signatures of cosign are copied too. Tags are treated as by
   * `seed`. Fails with `SeedError` if the folder or the archive cannot be read, or lacks an image.
   *
   * **Example** (The images of a folder)
   *
   * ```ts
   * import { AcrEmulator } from "@effect-acr/emulator"
   * import { Effect } from "effect"
   *
   * const seedFolder = Effect.flatMap(AcrEmulator.AcrEmulator, (emulator) =>
   *   emulator.seedFrom({ from: "test/images/api", repository: "shop/api" })
   * )
   * ```
   */
  readonly seedFrom: (contents: SeedContents) => Effect.Effect<ReadonlyArray<SeededImage>, SeedError>
  /** Puts the seeds into the registry, now and at each `reset`. Until it has all of them, `isReady` is false. */
  readonly startWith: (seeds: ReadonlyArray<Seed>) => Effect.Effect<void, SeedError>
  /** Whether the registry has all seeds of `startWith`. */
  readonly isReady: Effect.Effect<boolean>
  /**
   * Restores the state at the start: the images of `startWith` and nothing else, no faults, an empty journal, no
   * tokens, no uploads, the modes and limits of the options, and the clock of Effect. The content of `directory` is
   * deleted.
   *
   * **Example** (One emulator for all tests of a file)
   *
   * ```ts
   * import { AcrEmulator } from "@effect-acr/emulator"
   * import { layer } from "@effect/vitest"
   * import { Effect } from "effect"
   *
   * layer(AcrEmulator.layer({ seed: [{ repository: "library/alpine", tags: ["3.20"] }] }))((it) => {
   *   it.effect("begins with one image", () =>
   *     Effect.gen(function* () {
   *       const emulator = yield* AcrEmulator.AcrEmulator
   *       yield* emulator.reset
   *       // ...
   *     })
   *   )
   * })
   * ```
   */
  readonly reset: Effect.Effect<void, SeedError>
  /** The repositories, by name. */
  readonly repositories: Effect.Effect<ReadonlyArray<RepositorySummary>>
  /** Returns the contents of a repository, or none if it does not exist. */
  readonly contents: (repository: string) => Effect.Effect<Option.Option<RepositoryContents>>
  /** The current modes. */
  readonly modes: Effect.Effect<Modes.Modes>
  /**
   * Changes modes, from the next request on.
   *
   * **Example** (A registry that loses the referrers API)
   *
   * ```ts
   * import { AcrEmulator } from "@effect-acr/emulator"
   * import { Effect } from "effect"
   *
   * const loseReferrers = Effect.flatMap(AcrEmulator.AcrEmulator, (emulator) =>
   *   emulator.setModes({ referrers: { api: false } })
   * )
   * ```
   */
  readonly setModes: (change: Modes.ModesChange) => Effect.Effect<void>
  /** The current rate limits. */
  readonly limits: Effect.Effect<Modes.Limits>
  /** Sets the rate limits, and starts counting again. */
  readonly setLimits: (limits: Modes.Limits) => Effect.Effect<void>
  /** The emulator's time: that of Effect's clock, unless it was set or adjusted. */
  readonly time: Effect.Effect<DateTime.Utc>
  /**
   * Sets the emulator's clock, which runs on from there, within the years 1 to 9999. Tokens, links, times of pushes and
   * the trash use this clock.
   */
  readonly setTime: (time: DateTime.Utc) => Effect.Effect<void>
  /** Moves the emulator's clock forward, or back by a negative duration, within the years 1 to 9999. */
  readonly adjustTime: (duration: Duration.Input) => Effect.Effect<void>
  /** The number of uploads with a location that a client received, and that were neither finished nor cancelled. */
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

const publicHostOf = (text: string): PublicHost.PublicHost => {
  const parsed = PublicHost.parse(text)
  if (parsed === undefined) throw new RangeError(`publicHost must be a host such as registry.test:5001, not ${text}`)
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

/** The host that downloads are redirected to, if there is one. */
const storageHostOf = (
  { publicHost }: Options,
  host: string,
  certificate: Certificate.Certificate | undefined
): string | undefined => {
  const beside = publicHost !== undefined ? undefined : Storage.hostBeside(host)
  return beside === undefined || certificate === undefined || Certificate.isFor(certificate, beside)
    ? beside
    : undefined
}

/**
 * Starts an emulator, which stops when the scope closes. For building custom layers. Most programs want `layer`.
 *
 * **Details**
 *
 * Fails with `ServeError` if the port is taken or the certificate cannot be used, with `DirectoryError` if the
 * directory cannot be used, and with `SeedError` if a seed cannot be put into the registry.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options = {}
): Effect.fn.Return<Service, HttpServerError.ServeError | DirectoryError | SeedError, Scope.Scope> {
  const time = EmulatorClock.make(yield* Clock.Clock)
  const store = yield* Saved.open(options.directory, time.now)

  const publicHost = options.publicHost === undefined ? undefined : publicHostOf(options.publicHost)
  const { https = false } = options
  const certificate = https === false ? undefined : yield* certificateOf(https, publicHost)
  const scheme = certificate === undefined ? "http" : "https"
  const host = options.host ?? "127.0.0.1"
  const logins = {
    entraToken: options.entraToken ?? secret(),
    adminUser: options.adminUser ?? { username: "admin", password: secret() }
  }

  const serving = Serving.make({
    journalSize: options.journalSize ?? 10_000,
    nowMillis: time.now,
    elapsedMillis: time.elapsedMillis,
    onRequest: (request) => options.onRequest?.(request)
  })

  const storage = Storage.make(store)
  const storageHost = storageHostOf(options, host, certificate)
  const storageListener = storageHost === undefined ? undefined : yield* Listener.listenOnLoopback(certificate)
  if (storageListener !== undefined) {
    serving.serve("storage", storageListener, async (request) => storage.download(request, time.now()))
  }

  const current = CurrentModes.make(options, storageListener !== undefined)
  const { modes } = current
  const trash = Trash.make(store, modes)
  const distribution = Distribution.make({ store, trash, modes })
  const uploads = Uploads.make({ store, now: time.now, modes })
  const sweep = Sweep.make({ store, trash, uploads })
  yield* Effect.addFinalizer(() => Effect.promise(sweep.idle))

  const listener = yield* Listener.listen({ host, port: options.port ?? 0, certificate })
  const loginServer =
    publicHost === undefined
      ? `${PublicHost.inAddress(host)}:${listener.port}`
      : PublicHost.loginServerOf(scheme, publicHost, listener.port)
  const endpoint = `${scheme}://${loginServer}`
  const management = Management.make({ registry: loginServer, store, trash, modes })
  const tokens = Tokens.make({
    service: loginServer,
    certificate,
    modes,
    acceptsEntraToken: (token) =>
      Equal.equals(token, logins.entraToken) || (options.acceptsEntraToken?.(token) ?? false),
    accounts: [
      { ...logins.adminUser, identity: { _tag: "Owner", name: logins.adminUser.username } },
      ...(options.scopeMapTokens ?? []).map(Tokens.scopeMapAccount)
    ],
    accessTokenMillis: millis(options.accessTokenLifetime ?? "75 minutes"),
    refreshTokenMillis: millis(options.refreshTokenLifetime ?? "195 minutes")
  })
  const answer = Answering.make({
    service: loginServer,
    tokens,
    routes: Routes.make({
      management,
      trash,
      distribution,
      uploads,
      modes,
      downloadAddress: (digest, nowMillis) =>
        storageListener === undefined || modes().blobs === "direct"
          ? undefined
          : `${scheme}://${storageHost}:${storageListener.port}${storage.address(digest, nowMillis)}`
    }),
    throttle: current.throttle,
    throttleOf: current.throttleOf
  })

  serving.serve("registry", listener, async (request) => {
    const nowMillis = time.now()
    sweep.before(nowMillis)
    const origin = publicHost === undefined ? `${scheme}://${request.headers["host"] ?? loginServer}` : endpoint
    return answer(origin, request, { nowMillis, stamp: store.stamp(nowMillis) })
  })

  const seeding = Seeding.make({ store, trash, distribution, management }, () => {
    sweep.before(time.now())
    return time.now()
  })

  const forgetAll = Effect.promise(async () => {
    serving.clearFaults()
    tokens.revokeAccessTokens()
    tokens.revokeRefreshTokens()
    time.reset()
    current.reset()
    await Saved.clear({ store, uploads, sweep })
    serving.clearJournal()
  })
  const resets = yield* Semaphore.make(1)

  yield* seeding.startWith(options.seed ?? [])

  return AcrEmulator.of({
    endpoint,
    loginServer,
    certificate: Option.fromUndefinedOr(certificate?.ca),
    logins,
    journal: Effect.sync(() => serving.journal(0)),
    journalAfter: (sequence) => Effect.sync(() => serving.journal(sequence)),
    clearJournal: Effect.sync(serving.clearJournal),
    inject: (fault) => Effect.sync(() => serving.inject(fault)),
    faults: Effect.sync(serving.faults),
    removeFault: (id) => Effect.sync(() => serving.removeFault(id)),
    clearFaults: Effect.sync(serving.clearFaults),
    revokeAccessTokens: Effect.sync(tokens.revokeAccessTokens),
    revokeRefreshTokens: Effect.sync(tokens.revokeRefreshTokens),
    seed: seeding.seed,
    seedFrom: seeding.seedFrom,
    startWith: seeding.startWith,
    isReady: Effect.sync(seeding.isReady),
    // An interrupted reset would leave a registry without its seeds.
    reset: resets.withPermit(Effect.uninterruptible(seeding.again(forgetAll))),
    repositories: Effect.sync(() => Summaries.repositories(store)),
    contents: (name) => Effect.sync(() => Option.fromUndefinedOr(Summaries.contents(store, name))),
    modes: Effect.sync(current.modes),
    setModes: (change) => Effect.sync(() => current.setModes(change)),
    limits: Effect.sync(current.limits),
    setLimits: (limits) => Effect.sync(() => current.setLimits(limits)),
    time: Effect.sync(() => DateTime.makeUnsafe(time.now())),
    setTime: (to) => Effect.sync(() => time.set(DateTime.toEpochMillis(to))),
    adjustTime: (duration) => Effect.sync(() => time.adjust(millis(duration))),
    openUploads: Effect.sync(uploads.count)
  })
})

/**
 * Starts an emulator, which stops when the layer's scope closes. Only the content of `directory` remains.
 *
 * **When to use**
 *
 * Use in tests in TypeScript, with `layerRegistry` for the client. For other languages and tools, use the command
 * `acr-emulator`, or add `Control.layer`.
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
export const layer = (
  options?: Options
): Layer.Layer<AcrEmulator, HttpServerError.ServeError | DirectoryError | SeedError> =>
  Layer.effect(AcrEmulator, make(options))

/**
 * Options of the client, and its credentials.
 *
 * @category options
 * @since 0.1.0
 */
export interface RegistryOptions<E = never, R = never> extends Omit<RegistryContent.Options, "endpoint"> {
  /** The credentials of the client. Defaults to the Entra token that the emulator accepts. */
  readonly credentials?: Layer.Layer<Credentials.Credentials, E, R>
}

/**
 * Provides the client's services for the emulator, with its address, its login and its certificate.
 *
 * **Example** (An anonymous client)
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
