/**
 * The authenticated connection of a program to one registry: credentials, tokens, retries, limits and traces.
 *
 * All requests of the library go through a transport. To call an endpoint that this library does not wrap, describe it
 * as an `Operation` and `execute` it. docs/tokens.md and docs/retries.md explain how tokens are requested and which
 * failures are retried.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid, identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import { Credentials } from "./Credentials.ts"
import * as Distribution from "./internal/api/distribution.ts"
import * as Assumed from "./internal/auth/assumed.ts"
import * as Authorization from "./internal/auth/authorization.ts"
import * as Grants from "./internal/auth/grants.ts"
import * as Jwt from "./internal/auth/jwt.ts"
import * as TokenScopes from "./internal/auth/scope.ts"
import * as Tokens from "./internal/auth/tokens.ts"
import { isBareName } from "./internal/acr/hosts.ts"
import { expected, parseEndpoint, parseHost, parseOrigin } from "./internal/http/endpoint.ts"
import * as Exchange from "./internal/http/exchange.ts"
import { makeLimiter } from "./internal/http/limiter.ts"
import { named } from "./internal/http/named.ts"
import { at, atRegistry, follow, isProtected, type Location, maxRedirects } from "./internal/http/origin.ts"
import * as Pages from "./internal/http/pages.ts"
import { type Load, makePermits, type Permits, bodyUnderPermit, underPermit } from "./internal/http/permits.ts"
import { quoting } from "./internal/http/quote.ts"
import * as Requests from "./internal/http/requests.ts"
import { retrying } from "./internal/http/retry.ts"
import { remembering } from "./internal/http/secrets.ts"
import { serverAt, withOperationSpan, withSpan } from "./internal/http/telemetry.ts"
import { makeWarnings } from "./internal/http/warning.ts"
import { refusedValue } from "./internal/schema/refused.ts"
import { readNaming } from "./internal/schema/variables.ts"
import type { Operation, Page } from "./Operation.ts"
import type { RateLimits } from "./RateLimits.ts"
import { InvalidRequest, InvalidResponse, type Reason, Refused, RegistryError } from "./RegistryError.ts"
import * as RetryPolicy from "./RetryPolicy.ts"
import type * as TokenScope from "./TokenScope.ts"

/**
 * The registry, and options for its requests.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * The registry: `myregistry.azurecr.io` or `https://myregistry.azurecr.io`; a regional endpoint of ACR
   * (`myregistry.westeurope.geo.azurecr.io`); or any other host, with its port if it has one. A data endpoint of ACR
   * means its registry. `docker.io` means the registry of Docker Hub, where the short name of a repository is that of
   * an official image: `alpine` is `library/alpine`. Plain http is accepted for addresses of this machine.
   *
   * A bare name, `myregistry`, means `https://myregistry.azurecr.io`, but only with an Entra token, because a host of
   * the local network may have the same name. With any other credential, anonymous included, operations fail with
   * `InvalidRequest` before anything is sent, unless `registry` says that it is ACR.
   */
  readonly endpoint: string
  /** States that a bare name in `endpoint` is that of an ACR registry, whatever the credential. */
  readonly registry?: "acr"
  /**
   * Whether to accept plain http to other machines. Defaults to `false`. **Anyone on the network path can read and
   * change the traffic, and steal the credentials.** A warning is logged.
   */
  readonly allowInsecureHttp?: boolean
  /** When to retry. Defaults to `RetryPolicy.defaultPolicy`. */
  readonly retry?: RetryPolicy.RetryPolicy
  /**
   * The maximum number of requests a minute, by kind. Defaults to no limit. `RateLimits` explains how to share limits
   * between transports and programs.
   */
  readonly rateLimits?: RateLimits
  /**
   * Whether the transport slows down after the registry has answered 429 (`Throttled`). Defaults to `false`: each
   * operation retries by itself. If `true`, all requests of the same kind wait as long as the registry asks (without
   * `Retry-After`: 250 ms, doubled after each refusal in a row, at most 1 minute), and up to 20% longer. Then they are
   * sent at even intervals at half the previous rate, which grows each minute by 5% of the limit in `rateLimits`, or,
   * without a limit, of the rate at which the registry refused. The retry policy does not limit this waiting, so use it
   * in programs that may take long.
   */
  readonly adaptive?: boolean
  /**
   * How many requests to send to one host at the same time. Defaults to no limit. Each transport counts its own
   * requests. A waiting request holds no connection, and its waiting time does not count against the policy's
   * `attemptTimeout`.
   *
   * Transfers of blobs and other requests have separate limits of this size, so a program that reads a blob can send
   * requests meanwhile. A blob that an upload reads as its source counts as part of the upload, so blobs can be copied
   * within one registry with any limit.
   *
   * A stream of `RegistryContent.blob` counts until it ends. A program that reads several blobs at the same time needs
   * a limit of at least that number, or it deadlocks.
   */
  readonly maxConcurrentRequests?: number
  /**
   * Origins of token services that may receive credentials, such as `https://auth.example.com`, if the registry's token
   * service has another origin. The registry's own origin, and those of Docker Hub and GitLab, need not be listed.
   */
  readonly trustedRealms?: ReadonlyArray<string>
  /**
   * Hosts, without ports, to which the registry may direct downloads and uploads although their addresses are of this
   * machine or of a private network and the registry's is not (see `Outbound`). List the registry's own host if its
   * name resolves sometimes to private and sometimes to public addresses.
   */
  readonly allowedHosts?: ReadonlyArray<string>
  /**
   * Called once with each distinct warning of the registry (OCI distribution specification, "Warnings"), such as one of
   * a deprecated feature or a vulnerable image. Warnings are logged in any case. The operation waits for it to finish,
   * and it may send requests to the registry. Secrets in the text are replaced with `<redacted>`, and unprintable
   * characters with escapes.
   */
  readonly onWarning?: (text: string) => Effect.Effect<void>
}

/**
 * The operations of `Transport`.
 *
 * @category services
 * @since 0.1.0
 */
export interface Service {
  /** The registry's origin: `https://myregistry.azurecr.io`. */
  readonly endpoint: string
  /** The registry's host, with the port if it has one: `myregistry.azurecr.io`. */
  readonly loginServer: string
  /** The retry policy in use. */
  readonly retry: RetryPolicy.RetryPolicy
  /** Executes an operation: sends it with a token, retries it as the policy says, and reads the response. */
  readonly execute: <A>(operation: Operation<A>) => Effect.Effect<A, RegistryError>
  /**
   * Executes an operation whose body is read after this effect has ended: the connection stays open until the scope
   * closes. Only failures up to the end of `decode` are retried.
   *
   * **When to use**
   *
   * Use to stream a large body. For other operations, use `execute`.
   */
  readonly open: <A>(operation: Operation<A>) => Effect.Effect<A, RegistryError, Scope.Scope>
  /**
   * Executes an operation that returns a list, page by page. Each page is requested when its first item is needed.
   *
   * If the operation's `decode` is `Operation.continued`, the list continues after a full page without a link, from the
   * position of its last item, and ends at a page without new items. A link to another origin fails with `Refused`. The
   * list fails with `InvalidResponse` if a page repeats, if a thousand pages in a row have no items or those of an
   * earlier page, or if the link to a page is longer than 8192 characters.
   */
  readonly list: <A>(operation: Operation<Page<A>>) => Stream.Stream<A, RegistryError>
  /**
   * Requests tokens for scopes in advance, ten resources with one request, and caches them for later operations. A
   * program that processes a hundred repositories then requests ten tokens instead of a hundred.
   *
   * Fails with `InvalidRequest` if a scope names no repository and the registry grants rights by repository (ABAC).
   */
  readonly authorize: (scopes: ReadonlyArray<TokenScope.TokenScope>) => Effect.Effect<void, RegistryError>
  /**
   * Checks that the registry accepts the login: `GET /v2/`. Fails with `Unauthenticated` if it refuses the login. A
   * registry with anonymous access can answer without checking the login.
   */
  readonly check: Effect.Effect<void, RegistryError>
  /**
   * Requests an access token for scopes, and returns its claims, without the token. Returns none if the registry uses
   * no tokens, or if the token is not a JSON Web Token. A registry may issue a token with fewer rights than requested:
   * ACR does.
   *
   * **When to use**
   *
   * Use to find out which rights a login has.
   */
  readonly access: (scopes: ReadonlyArray<TokenScope.TokenScope>) => Effect.Effect<Option.Option<Access>, RegistryError>
  /**
   * Requests a new refresh token of the registry, with its expiry if it is known.
   *
   * Fails with `CredentialUnavailable` if the credential is not one of Entra ID.
   */
  readonly refreshToken: Effect.Effect<RefreshToken, RegistryError>
}

/**
 * Sends authenticated requests to one registry.
 *
 * **When to use**
 *
 * Use for endpoints that `ContainerRegistry` and `RegistryContent` do not wrap, and to share tokens and limits between
 * services.
 *
 * **Details**
 *
 * A transport has one set of tokens and one set of limits. Services on the same transport share them. Each operation
 * and each request has a span, and there are metrics: docs/observability.md.
 *
 * @category services
 * @since 0.1.0
 */
export class Transport extends Context.Service<Transport, Service>()("@effect-acr/client/Transport") {}

/**
 * A refresh token of a registry.
 *
 * @category models
 * @since 0.1.0
 */
export interface RefreshToken {
  /** The token. */
  readonly token: Redacted.Redacted<string>
  /** When the token expires by this machine's clock, if it is known. */
  readonly expiresAt: Option.Option<DateTime.Utc>
}

/**
 * The claims of an access token. The client does not verify them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Access {
  /** The name of the caller, if the token has one. */
  readonly subject: Option.Option<string>
  /** When the token expires by the registry's clock, if the token states it. */
  readonly expiresAt: Option.Option<DateTime.Utc>
  /** The rights that the registry granted. */
  readonly access: ReadonlyArray<{
    /** The type of the resource: `repository` or `registry`. */
    readonly type: string
    /** The name of the repository, or `catalog` for the list of repositories. */
    readonly name: string
    /** The granted actions: `pull`, `push`, `delete`. */
    readonly actions: ReadonlyArray<string>
  }>
}

/** The next page of a list. `isKnown` tests for the items of the page before, if no link led from there to this one. */
interface Turn<A> {
  readonly operation: Effect.Effect<Operation<Page<A>>, RegistryError>
  readonly isKnown?: (item: A) => boolean
}

/** Sends each request under a permit. */
const permitting =
  (exchange: Exchange.Exchange, permits: Permits) =>
  (load: Load, onWait: () => void): Exchange.Exchange =>
  (to, operation, attachment, requests) => {
    // A redirect only names the place of a blob, so its request needs no permit any more.
    const isOver = () => requests.last.status !== undefined && requests.last.status >= 300
    const { body } = operation
    if (body?._tag !== "Stream") return permits(to, load, exchange(to, operation, attachment, requests), isOver, onWait)
    const covered = HttpBody.stream(bodyUnderPermit(body.stream), body.contentType, body.contentLength)
    return permits(to, "blob", exchange(to, { ...operation, body: covered }, attachment, requests), isOver, onWait)
  }

const accessIn = (token: string): Option.Option<Access> =>
  Option.map(Jwt.statementOf(token), (statement) => ({
    ...statement,
    expiresAt: Option.map(Jwt.expiryMillis(token), DateTime.makeUnsafe)
  }))

const invalid = (reason: InvalidRequest) => new RegistryError({ operation: "Transport.make", reason })

/** Reads each text of an option, or refuses the first that is invalid. */
const each = (
  argument: string,
  texts: ReadonlyArray<string> = [],
  read: (text: string) => Result.Result<string, string>
): Effect.Effect<ReadonlyArray<string>, RegistryError> =>
  Effect.forEach(texts, (text) =>
    Effect.mapError(Effect.fromResult(read(text)), (description) =>
      invalid(new InvalidRequest({ description, argument, value: refusedValue(text) }))
    )
  )

/**
 * Makes a transport. It sends nothing before the first operation.
 *
 * **Details**
 *
 * Fails with `InvalidRequest` if the endpoint is not the address of a registry, or if an option is invalid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<Service, RegistryError, HttpClient.HttpClient | Credentials> {
  const url = yield* Effect.fromResult(parseEndpoint(options.endpoint, options.allowInsecureHttp)).pipe(
    Effect.mapError((problem) =>
      invalid(
        new InvalidRequest({
          description: `it ${problem}`,
          argument: "endpoint",
          value: refusedValue(options.endpoint)
        })
      )
    )
  )
  const trustedRealms = yield* each("trustedRealms", options.trustedRealms, parseOrigin)
  const allowedHosts = yield* each("allowedHosts", options.allowedHosts, parseHost)
  if (!isProtected(url))
    yield* Effect.logWarning(`requests to ${url.origin} are not encrypted: credentials can be read`)
  const origin = url.origin
  const registry = { endpoint: origin, loginServer: url.host }
  const given = yield* Credentials
  const assumed =
    options.registry !== "acr" && isBareName(options.endpoint)
      ? yield* Assumed.make(options.endpoint, registry, given)
      : undefined
  /** Sends nothing to a registry whose address was assumed until a credential confirms it. */
  const confirmed = <A, R>(operation: string, effect: Effect.Effect<A, Exchange.Failure, R>) =>
    assumed === undefined
      ? effect
      : Effect.andThen(
          Effect.mapError(assumed.confirm, (reason) => Exchange.final(new RegistryError({ operation, reason }))),
          effect
        )
  const policy = options.retry ?? RetryPolicy.defaultPolicy
  const warnings = makeWarnings(url.host, options.onWarning ?? (() => Effect.void))
  const remember = remembering()
  const quote = () => quoting(remember([]))
  const exchange = Exchange.make({
    client: yield* HttpClient.HttpClient,
    attemptTimeout: policy.attemptTimeout,
    registry: url,
    trustedRealms,
    allowedHosts,
    remember,
    onWarning: (from, header, quote) => (from === origin ? warnings.report(header, quote) : Effect.void)
  })
  const server = serverAt(url)
  const limit = yield* Effect.mapError(
    makeLimiter(url, {
      limits: options.rateLimits ?? {},
      adaptive: options.adaptive ?? false,
      longestWait: policy.maxRetryAfter
    }),
    invalid
  )
  const permitted =
    options.maxConcurrentRequests === undefined
      ? () => exchange
      : permitting(exchange, yield* Effect.mapError(makePermits(server, options.maxConcurrentRequests), invalid))

  /** Sends a request when its turn comes. Calls `onWait` if there is no permit for it yet. */
  const limited =
    (load: Load, onWait: () => void = constVoid): Exchange.Exchange =>
    (to, operation, attachment, requests) =>
      limit(operation, permitted(load, onWait)(to, operation, attachment, requests))

  /**
   * Reports warnings after an effect: the caller's function may send requests to the registry, so no request may wait
   * for it.
   */
  const telling = <A, E, R>(effect: Effect.Effect<A, E, R>, within = identity<Effect.Effect<void>>) => {
    const goOn = (outcome: Exit.Exit<A, E>): Effect.Effect<A, E> => {
      const told = warnings.tell()
      return told === undefined ? outcome : Effect.andThen(within(told), outcome)
    }
    return Effect.matchCauseEffect(effect, {
      onFailure: (cause) => goOn(Exit.failCause(cause)),
      onSuccess: (value) => goOn(Exit.succeed(value))
    })
  }

  const treatment = { endpoint: origin, policy }

  const sendAs =
    (requests: Requests.Requests): Grants.Send =>
    (realm, operation, attachment) =>
      retrying(treatment, operation, Effect.scoped(limited("answer")(realm, operation, attachment, requests))).pipe(
        // The token request has used its own attempts: the operation that waits for it is not retried.
        Effect.mapError((failure) => ({ ...failure, repeat: "never" }))
      )

  const send: Grants.Send = (realm, operation, attachment) =>
    Effect.suspend(() => sendAs(Requests.begin(false))(realm, operation, attachment))

  const grants = yield* Grants.make({
    registry,
    credentials: assumed?.credentials ?? given,
    send
  })
  const authorization = yield* Authorization.make({
    origin,
    trustedRealms,
    grants,
    tokens: yield* Tokens.make({ grants, send, quote }),
    quote
  })

  const locationOf = ({ origin: elsewhere, path }: Operation<unknown>): Location =>
    elsewhere === undefined
      ? atRegistry(origin, path)
      : { registry: origin, origin: elsewhere, path, authority: "none" }

  /** The operation at the target of a redirect. */
  const redirected = <A>(
    operation: Operation<A>,
    failure: Exchange.Failure
  ): Effect.Effect<Operation<A>, Exchange.Failure> => {
    const target = follow(failure.location ?? "", locationOf(operation), "content")
    if (Result.isSuccess(target)) {
      return Effect.succeed({ ...operation, ...at(target.success), resends: (operation.resends ?? 0) + 1 })
    }
    const description = quote().text(`the redirect ${target.failure}`)
    return Effect.fail(Exchange.final(new RegistryError({ ...failure.error, reason: new Refused({ description }) })))
  }

  /**
   * Runs an operation. `within` decides the lifetime of each attempt. Follows redirects: `read` receives the response,
   * and the operation that it answers.
   */
  const run = <A, R, B>(
    operation: Operation<A>,
    load: Load,
    within: (attempt: Effect.Effect<A, Exchange.Failure, Scope.Scope>) => Effect.Effect<A, Exchange.Failure, R>,
    read: (answer: A, operation: Operation<A>) => B
  ): Effect.Effect<B, RegistryError, Exclude<R, Tracer.ParentSpan>> => {
    const attempts = (operation: Operation<A>, hops: number): Effect.Effect<B, Exchange.Failure, R> =>
      Effect.suspend(() => {
        const requests = Requests.begin(operation.origin === undefined, operation.resends)
        const attempt =
          operation.origin === undefined
            ? authorization.use(
                operation,
                (attachment, onWait) => within(limited(load, onWait)(origin, operation, attachment, requests)),
                (attachment) => sendAs(requests)(origin, Distribution.greet, attachment)
              )
            : within(limited(load)(operation.origin, operation, Exchange.bare, requests))
        return Requests.ending(requests, retrying(treatment, operation, attempt))
      }).pipe(
        Effect.map((answer) => read(answer, operation)),
        Effect.catchIf(
          ({ location }) => location !== undefined && hops < maxRedirects,
          (failure) => Effect.flatMap(redirected(operation, failure), (next) => attempts(next, hops + 1))
        )
      )
    return withOperationSpan(
      operation,
      server,
      Effect.mapError(confirmed(operation.name, attempts(operation, 0)), ({ error }) =>
        named(operation.name)(grants.explain(error))
      )
    )
  }

  /** The permit is still held when the effect ends. */
  const open = <A>(operation: Operation<A>) =>
    telling(run(operation, "blob", Exchange.closedOnFailure, identity<A>), underPermit)

  const execute = <A>(operation: Operation<A>) => telling(run(operation, "answer", Effect.scoped, identity<A>))

  const list = <A>(first: Operation<Page<A>>): Stream.Stream<A, RegistryError> =>
    Stream.suspend(() => {
      const visit = Pages.watch(first.path)

      /** The operation that requests the page to which a link leads. */
      const following = (
        operation: Operation<Page<A>>,
        link: string,
        items: ReadonlyArray<A>
      ): Effect.Effect<typeof operation, RegistryError> =>
        Effect.suspend(() => {
          const fail = (reason: Reason) => Effect.fail(new RegistryError({ operation: operation.name, reason }))
          const target = follow(link, locationOf(operation), "page")
          if (Result.isFailure(target)) {
            const description = quote().text(`the link to the next page ${target.failure}`)
            return fail(new Refused({ description }))
          }
          const problem = visit(target.success.path, items)
          if (problem !== undefined) return fail(new InvalidResponse({ description: problem }))
          return Effect.succeed({ ...operation, ...at(target.success) })
        })

      const turn = ({ isKnown, operation }: Turn<A>) =>
        Effect.gen(function* () {
          const read = (answer: Page<A>, asked: Operation<Page<A>>) => ({ ...answer, asked })
          const { asked, continuation, items, next } = yield* telling(
            run(yield* operation, "answer", Effect.scoped, read)
          )
          const fresh = isKnown === undefined ? items : items.filter((item) => !isKnown(item))
          // By position, a registry without pagination sends the same items again, and one with pagination ends with an
          // empty page.
          if (isKnown !== undefined && fresh.length === 0) return [fresh, Option.none<Turn<A>>()] as const
          if (Option.isSome(next)) {
            return [fresh, Option.some({ operation: following(asked, next.value, items) })] as const
          }
          if (continuation === undefined || visit(continuation.path) !== undefined) {
            return [fresh, Option.none<Turn<A>>()] as const
          }
          const { keyOf, path } = continuation
          const keys = new Set(items.map(keyOf))
          return [
            fresh,
            Option.some({ operation: Effect.succeed({ ...first, path }), isKnown: (item: A) => keys.has(keyOf(item)) })
          ] as const
        })

      const start: Turn<A> = { operation: Effect.succeed(first) }
      return Stream.paginate(start, turn)
    })

  /**
   * Runs an operation of the transport itself, which may first have to learn which authentication the registry
   * requires.
   */
  const converse = <A>(
    name: string,
    use: (
      greet: (attachment: Exchange.Attachment) => Effect.Effect<void, Exchange.Failure>
    ) => Effect.Effect<A, Exchange.Failure>
  ): Effect.Effect<A, RegistryError> => {
    const conversation = Effect.suspend(() => {
      const requests = Requests.begin(true)
      return Requests.ending(
        requests,
        use((attachment) => sendAs(requests)(origin, Distribution.greet, attachment))
      )
    })
    return telling(
      withSpan(
        name,
        { ...server },
        false,
        Effect.mapError(confirmed(name, conversation), ({ error }) => named(name)(grants.explain(error)))
      )
    )
  }

  return {
    endpoint: origin,
    loginServer: url.host,
    retry: policy,
    execute,
    open,
    list,
    check: execute({ ...Distribution.greet, name: "Transport.check" }),
    access: (scopes) =>
      Effect.map(
        converse("Transport.access", (greet) =>
          authorization.tokenFor(TokenScopes.repositoryIn(scopes[0] ?? ""), scopes, greet)
        ),
        Option.flatMap(({ token }) => accessIn(Redacted.value(token)))
      ),
    authorize: (scopes) => converse("Transport.authorize", (greet) => authorization.prepare(scopes, greet)),
    refreshToken: Effect.map(
      converse("Transport.refreshToken", authorization.refreshToken),
      ({ expiresAtMillis, token }) => ({
        token,
        expiresAt: Option.map(expiresAtMillis, DateTime.makeUnsafe)
      })
    )
  }
})

/**
 * Makes the service.
 *
 * **When to use**
 *
 * Use for programs with custom operations, and to share one transport between services. `Registry.layer` does the
 * latter for `ContainerRegistry` and `RegistryContent`.
 *
 * **Example** (Sharing one transport with limits between both services)
 *
 * ```ts
 * import { ContainerRegistry, RateLimits, RegistryContent, Transport } from "@effect-acr/client"
 * import { Layer } from "effect"
 *
 * const Registry = Layer.mergeAll(ContainerRegistry.layerTransport, RegistryContent.layerTransport()).pipe(
 *   Layer.provideMerge(Transport.layer({ endpoint: "myregistry.azurecr.io", rateLimits: RateLimits.acrStandard }))
 * )
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Transport, RegistryError, HttpClient.HttpClient | Credentials> =>
  Layer.effect(Transport, make(options))

/**
 * Options for a registry that the configuration names.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConfigOptions extends Omit<Options, "endpoint"> {
  /** The configuration of the registry's address. Defaults to `REGISTRY_ENDPOINT`. */
  readonly endpoint?: Config.Config<string>
}

/** The message says what to set, because this variable is the first that a new program lacks. */
const endpointConfig = Config.schema(Schema.String.annotate({ message: expected }), "REGISTRY_ENDPOINT")

/**
 * `layer` for the endpoint that the configuration names, by default `REGISTRY_ENDPOINT`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: ConfigOptions = {}
): Layer.Layer<Transport, RegistryError | Config.ConfigError, HttpClient.HttpClient | Credentials> =>
  Layer.effect(
    Transport,
    Effect.flatMap(readNaming(options.endpoint ?? endpointConfig), (endpoint) => make({ ...options, endpoint }))
  )
