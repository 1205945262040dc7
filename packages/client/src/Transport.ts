/**
 * One authenticated conversation with one registry.
 *
 * Everything that speaks HTTP goes through it, and an endpoint that this library does not wrap can be asked through it
 * as well: describe it as an `Operation` and `execute` it. How tokens are had, and what is tried again: docs/tokens.md,
 * docs/retries.md.
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
 * Which registry, and how to treat it.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * The registry: `myregistry.azurecr.io` or `https://myregistry.azurecr.io`; a regional endpoint of ACR
   * (`myregistry.westeurope.geo.azurecr.io`); or any other host, with its port if it has one. A data endpoint of ACR
   * stands for its registry, and `docker.io` for Docker Hub's, where a repository's short name is that of an official
   * image: `alpine` is `library/alpine`. Plain http is accepted for addresses of this machine.
   *
   * A bare name, `myregistry`, is taken for `https://myregistry.azurecr.io`, since a host of the local network may have
   * such a name as well: with any credential but an Entra token, anonymous included, operations fail with
   * `InvalidRequest` before anything is sent, unless `registry` says that it is ACR.
   */
  readonly endpoint: string
  /** Says that a bare name in `endpoint` is that of a registry of ACR, whatever the credential. */
  readonly registry?: "acr"
  /**
   * Whether plain http will do for other machines too: **everybody on the way reads and changes what is sent, and takes
   * the credentials**. A warning is logged.
   */
  readonly allowInsecureHttp?: boolean
  /** When to try again; `RetryPolicy.defaultPolicy` if not given. */
  readonly retry?: RetryPolicy.RetryPolicy
  /**
   * How many requests a minute to send at most, by kind; no limit if not given. `RateLimits` says how registries and
   * programs share them.
   */
  readonly rateLimits?: RateLimits
  /**
   * Whether the conversation slows down after the registry has answered 429 (`Throttled`). Defaults to `false`: each
   * operation retries by itself. With it, all requests of the same kind wait until the registry answers again, and up to a
   * fifth of that time more. Then they go evenly at half the rate of before, which grows each minute by a twentieth of the
   * limit in `rateLimits`, or of the rate at which the registry refused where there is none. Waiting is not limited by the
   * retry policy, so that this is for programs that have time.
   */
  readonly adaptive?: boolean
  /**
   * How many requests to send to one host at the same time. Defaults to no limit. Each conversation counts its own. A
   * request waits for its turn without a connection, and that time does not count against the policy's `attemptTimeout`.
   *
   * The bodies of blobs count apart from other requests: so many blobs and so many other requests may be under way, so
   * that a program which reads a blob can send requests meanwhile. What an upload reads for its body is part of the upload,
   * so that blobs can be copied within one registry whatever the limit.
   *
   * A stream of `RegistryContent.blob` counts until it ends. A program that reads several blobs side by side needs a limit
   * of at least as many, or it waits for itself.
   */
  readonly maxConcurrentRequests?: number
  /**
   * Origins of token services that may be sent credentials, `https://auth.example.com`, where a registry keeps its own
   * apart. The registry's own origin, and those of Docker Hub and GitLab, need not be named.
   */
  readonly trustedRealms?: ReadonlyArray<string>
  /**
   * Hosts, without ports, that downloads and uploads may be led to although their addresses are of this machine or of a
   * private network, and the registry's is not (see `Outbound`). A registry whose own name leads to private addresses at
   * times, and to public ones at others, needs its own host here.
   */
  readonly allowedHosts?: ReadonlyArray<string>
  /**
   * Is told each different warning of the registry once (OCI distribution specification, "Warnings"): of a deprecated
   * feature, of a vulnerable image. It is logged in any case. An operation ends when this does, which may use the registry
   * itself. Secrets in it are replaced by `<redacted>`, characters that do
   * not print by escapes.
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
  /** When to try again, as the options say it or by default. */
  readonly retry: RetryPolicy.RetryPolicy
  /** Asks for one thing: sends the operation, with a token, as often as the policy has it, and reads the answer. */
  readonly execute: <A>(operation: Operation<A>) => Effect.Effect<A, RegistryError>
  /**
   * Asks for something of which the body is read after this effect has ended: the connection is open as long as the
   * scope. Only what the operation's `decode` does itself is tried again.
   */
  readonly open: <A>(operation: Operation<A>) => Effect.Effect<A, RegistryError, Scope.Scope>
  /**
   * Asks for a list, page after page, each when its first item is wanted.
   *
   * A full page without a link is followed by the position of its last item, if the operation's `decode` is
   * `Operation.continued`; a page with nothing new ends the list then. A page on another origin is refused (`Refused`).
   * The list fails with `InvalidResponse` if a page comes again, if a thousand pages in a row have no items or those of an
   * earlier page, or if the link to a page is longer than 8192 characters.
   */
  readonly list: <A>(operation: Operation<Page<A>>) => Stream.Stream<A, RegistryError>
  /**
   * Gets tokens for scopes ahead, ten resources with one request: a program that goes through a hundred repositories
   * asks for ten tokens instead of a hundred. Operations find them.
   *
   * Fails with `InvalidRequest` if a scope names no repository and the registry grants rights by repository (ABAC).
   */
  readonly authorize: (scopes: ReadonlyArray<TokenScope.TokenScope>) => Effect.Effect<void, RegistryError>
  /**
   * Checks that the registry accepts the login: `GET /v2/`. Fails with `Unauthenticated` if it refuses the login. A registry
   * that anyone may read can answer without a look at the login.
   */
  readonly check: Effect.Effect<void, RegistryError>
  /**
   * Requests an access token for scopes, and returns what it says of itself, without the token. None if the registry uses no
   * tokens, or the token is not a JSON Web Token. A registry may issue a token with fewer rights than requested: ACR does.
   */
  readonly access: (scopes: ReadonlyArray<TokenScope.TokenScope>) => Effect.Effect<Option.Option<Access>, RegistryError>
  /**
   * A refresh token of the registry, had just now, and when it ends, if it says so.
   *
   * Fails with `CredentialUnavailable` if the credential is none of Entra ID.
   */
  readonly refreshToken: Effect.Effect<RefreshToken, RegistryError>
}

/**
 * A conversation with a registry.
 *
 * **Details**
 *
 * It has one set of tokens and one set of limits, so that services that share it share those. A span of each operation
 * and each request, and metrics, tell what it does: docs/observability.md.
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
  /** When it ends by this machine's clock, if it says so. */
  readonly expiresAt: Option.Option<DateTime.Utc>
}

/**
 * What an access token says of itself. The client does not verify it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Access {
  /** The name of the caller, if the token has one. */
  readonly subject: Option.Option<string>
  /** When the token expires by the registry's clock, if it says so. */
  readonly expiresAt: Option.Option<DateTime.Utc>
  /** The rights that the registry granted. */
  readonly access: ReadonlyArray<{
    /** What the rights are for: `repository` or `registry`. */
    readonly type: string
    /** The name of the repository, or `catalog` for the list of repositories. */
    readonly name: string
    /** What is granted: `pull`, `push`, `delete`. */
    readonly actions: ReadonlyArray<string>
  }>
}

/** The next page of a list. `isKnown` tells what was on the page before, if no link led from there to this one. */
interface Turn<A> {
  readonly operation: Effect.Effect<Operation<Page<A>>, RegistryError>
  readonly isKnown?: (item: A) => boolean
}

/** Sends each request under a permit. */
const permitting =
  (exchange: Exchange.Exchange, permits: Permits) =>
  (load: Load, onWait: () => void): Exchange.Exchange =>
  (to, operation, attachment, requests) => {
    // A redirect names the place of a blob, and has none on its way.
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

/** Reads each text of an option, or refuses the first that can't be read. */
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
 * Makes a conversation. Nothing is sent before the first operation.
 *
 * **Details**
 *
 * Fails with `InvalidRequest` if the endpoint is not the address of a registry, or an option holds what it can't.
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
  if (!isProtected(url)) yield* Effect.logWarning(`${url.origin} is asked in the clear: credentials can be read`)
  const origin = url.origin
  const registry = { endpoint: origin, loginServer: url.host }
  const given = yield* Credentials
  const assumed =
    options.registry !== "acr" && isBareName(options.endpoint)
      ? yield* Assumed.make(options.endpoint, registry, given)
      : undefined
  /** Nothing is sent to a registry whose address was assumed before a credential confirms it. */
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

  /** Sends a request when it is its turn. Calls `onWait` if there is no permit for it yet. */
  const limited =
    (load: Load, onWait: () => void = constVoid): Exchange.Exchange =>
    (to, operation, attachment, requests) =>
      limit(operation, permitted(load, onWait)(to, operation, attachment, requests))

  /** Tells warnings after an effect: the caller's function may ask the registry, for which no request may have to wait. */
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
        // Its own attempts were all there are: the operation that waits for a token does not begin anew.
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
    tokens: yield* Tokens.make({ grants, send })
  })

  const locationOf = ({ origin: elsewhere, path }: Operation<unknown>): Location =>
    elsewhere === undefined
      ? atRegistry(origin, path)
      : { registry: origin, origin: elsewhere, path, authority: "none" }

  /** The operation at the place to which a redirect leads. */
  const redirected = <A>(
    operation: Operation<A>,
    failure: Exchange.Failure
  ): Effect.Effect<Operation<A>, Exchange.Failure> => {
    const target = follow(failure.location ?? "", locationOf(operation), "content")
    if (Result.isSuccess(target)) {
      return Effect.succeed({ ...operation, ...at(target.success), resends: (operation.resends ?? 0) + 1 })
    }
    const description = quoting(remember([])).text(`the redirect ${target.failure}`)
    return Effect.fail(Exchange.final(new RegistryError({ ...failure.error, reason: new Refused({ description }) })))
  }

  /**
   * Runs an operation, each attempt of which has the lifetime that `within` gives it. Follows redirects: `read` is given the
   * answer, and the operation that was answered.
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

  /** Its permit is held when it ends. */
  const open = <A>(operation: Operation<A>) =>
    telling(run(operation, "blob", Exchange.closedOnFailure, identity<A>), underPermit)

  const execute = <A>(operation: Operation<A>) => telling(run(operation, "answer", Effect.scoped, identity<A>))

  const list = <A>(first: Operation<Page<A>>): Stream.Stream<A, RegistryError> =>
    Stream.suspend(() => {
      const visit = Pages.watch(first.path)

      /** The operation that asks for the page which the link of another one leads to. */
      const following = (
        operation: Operation<Page<A>>,
        link: string,
        items: ReadonlyArray<A>
      ): Effect.Effect<typeof operation, RegistryError> =>
        Effect.suspend(() => {
          const fail = (reason: Reason) => Effect.fail(new RegistryError({ operation: operation.name, reason }))
          const target = follow(link, locationOf(operation), "page")
          if (Result.isFailure(target)) {
            const description = quoting(remember([])).text(`the link to the next page ${target.failure}`)
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
          // Asked for by position, a registry without pages sends the same again, and one with pages nothing at the end.
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

  /** Runs an operation of the conversation itself, which may have to find out what the registry wants. */
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
 * A layer of `make`: for programs with operations of their own, and to put both services on one conversation.
 *
 * **Example** (One conversation, with limits, for both services)
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
 * How to talk to a registry that the configuration names.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConfigOptions extends Omit<Options, "endpoint"> {
  /** Where the address of the registry stands; in `REGISTRY_ENDPOINT` if not given. */
  readonly endpoint?: Config.Config<string>
}

/** Says what to write: the first thing that a new program lacks is this variable. */
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
