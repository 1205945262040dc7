/**
 * One request and its answer: the smallest thing that can fail, and the only place that sends anything.
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { Operation } from "../../Operation.ts"
import * as Outbound from "../../Outbound.ts"
import {
  type FailedResponse,
  InvalidRequest,
  type Reason,
  Refused,
  RegistryError,
  Unavailable
} from "../../RegistryError.ts"
import * as ScopedHttpClient from "../../ScopedHttpClient.ts"
import { readErrorText } from "./body.ts"
import * as Challenge from "./challenge.ts"
import { codeOf, connectionFailure } from "./connection.ts"
import { classify, parseBody, quoteReason } from "./failure.ts"
import { isWeb, readUrl, redirects } from "./origin.ts"
import { type Quote, quoting } from "./quote.ts"
import type { Repeat } from "./repeat.ts"
import { retryAfterMillis } from "./retryAfter.ts"
import * as Requests from "./requests.ts"
import { makeIndex, someWork } from "./scrubbing.ts"
import { inAnswer, inQuery, remembering, type Secrets, type Sought, sought } from "./secrets.ts"
import { requestId } from "./telemetry.ts"
import { version } from "./version.ts"

/**
 * A failed attempt: the error as the caller would see it, and what the transport needs to decide what follows.
 */
export interface Failure {
  readonly error: RegistryError
  readonly repeat: Repeat
  /** The challenges of a 401, as the registry wrote them. They may contain secrets. */
  readonly challenges: ReadonlyArray<Challenge.Challenge>
  /** The location of a redirect to follow. It may contain secrets. */
  readonly location?: string
}

/** A failure that a retry does not help. */
export const final = (error: RegistryError): Failure => ({ error, repeat: "never", challenges: [] })

/** The authorization of a request. */
export interface Attachment {
  /** The value of the Authorization header. */
  readonly authorization: Option.Option<Redacted.Redacted<string>>
  /** All secrets in the request. No error contains them. */
  readonly secrets: Secrets
  /** Whether the registry may hide content from this request, and show it to one with a login. */
  readonly mayHide?: true
}

/** A request without a login that sees everything, because there is no login to send. */
export const anonymous: Attachment = { authorization: Option.none(), secrets: [] }

/** A request without secrets. */
export const bare: Attachment = { ...anonymous, mayHide: true }

/**
 * Sends an operation's request to an origin and reads the answer, whose connection is open as long as the scope.
 * `requests` are those of the operation; this is the next one.
 */
export interface Exchange {
  <A>(
    origin: string,
    operation: Operation<A>,
    attachment: Attachment,
    requests: Requests.Requests
  ): Effect.Effect<A, Failure, Scope.Scope>
}

/** A failure without the name of its operation. */
interface Flaw extends Omit<Failure, "error"> {
  readonly reason: Reason
  readonly response?: FailedResponse
}

const userAgent = `effect-acr/${version}`

const refusal = (problem: string): Flaw => ({
  reason: new Refused({ description: problem }),
  repeat: "never",
  challenges: []
})

/** After an origin, anything but a slash could become part of the host. */
const addressProblem = (
  registry: string,
  origin: string,
  path: string
): Pick<InvalidRequest, "argument" | "description"> | undefined => {
  if (!path.startsWith("/")) return { description: "expected a path that begins with a slash", argument: "path" }
  if (origin === registry) return undefined
  const isOrigin = Result.match(readUrl(origin), {
    onFailure: () => false,
    onSuccess: (url) => isWeb(url) && url.origin === origin
  })
  return isOrigin
    ? undefined
    : { description: "expected an origin such as https://storage.example", argument: "origin" }
}

const noAnswer = (timeout: Duration.Duration): Reason =>
  new Unavailable({ description: `no response within ${Duration.format(timeout)}`, code: "TIMEOUT" })

/** A correlation id is a UUID. Other registries may use longer ids. */
const longestId = 256

const failedAnswer = Effect.fnUntraced(function* (
  operation: Operation<unknown>,
  response: HttpClientResponse.HttpClientResponse,
  quote: Quote
): Effect.fn.Return<Flaw> {
  const text = operation.method === "HEAD" ? "" : yield* readErrorText(response)
  const { errors, isForeign } = parseBody(text, quote)
  const correlationId = response.headers["x-ms-correlation-request-id"]
  const challenge = response.status === 401 ? response.headers["www-authenticate"] : undefined
  const isRead = operation.method === "GET" || operation.method === "HEAD"
  const isRedirect = operation.followsRedirects === true && isRead && redirects.includes(response.status)
  const location = isRedirect ? response.headers["location"] : undefined
  return {
    ...classify({
      status: response.status,
      errors,
      isForeign,
      retryAfter: Option.map(retryAfterMillis(response.headers, yield* Clock.currentTimeMillis), Duration.millis),
      missing: operation.missing,
      method: operation.method,
      putsTag: operation.method === "PUT" && operation.subject?.reference?.includes(":") === false,
      isAcr: correlationId !== undefined
    }),
    challenges: challenge === undefined ? [] : Challenge.parse(challenge),
    ...(location === undefined ? {} : { location }),
    response: {
      status: response.status,
      errors,
      ...(correlationId === undefined ? {} : { correlationId: quote.text(correlationId, longestId) })
    }
  }
})

const readAnswer = <A>(
  operation: Operation<A>,
  response: HttpClientResponse.HttpClientResponse,
  { mayHide }: Attachment,
  quote: Quote
): Effect.Effect<A, Flaw> => {
  if (response.status === 404 && operation.whenMissing !== undefined && mayHide !== true) return operation.whenMissing
  return operation.success.includes(response.status)
    ? Effect.mapError(operation.decode(response), (reason): Flaw => ({
        reason: quoteReason(reason, quote),
        repeat: reason._tag === "Unavailable" ? "uncertain" : "never",
        challenges: []
      }))
    : Effect.flatMap(failedAnswer(operation, response, quote), Effect.fail)
}

/**
 * How many bytes the connection receives at a time, if its progress is watched. One that takes longer than the idle timeout for a
 * part counts as stalled, so parts are not large; smaller ones take more processor time.
 */
const watchedBytes = 256 * 1024

/** A body of bytes that reports when the connection takes each part. It has the length of the bytes. */
const watched = (body: HttpBody.HttpBody, onSent: NonNullable<Operation<unknown>["onSent"]>): HttpBody.HttpBody => {
  if (body._tag !== "Uint8Array") return body
  const { body: bytes, contentType } = body
  const parts = Effect.map(ScopedHttpClient.HeldBytes, (heldBytes) => {
    let offset = 0
    return Effect.suspend(() => {
      if (offset >= bytes.length) return Cause.done()
      onSent(heldBytes)
      const part = bytes.subarray(offset, offset + watchedBytes)
      offset += part.length
      return Effect.succeed(Arr.of(part))
    })
  })
  return HttpBody.stream(Stream.fromPull(parts), contentType, bytes.length)
}

const toRequest = (
  url: string,
  operation: Operation<unknown>,
  body: HttpBody.HttpBody | undefined,
  attachment: Attachment,
  clientRequestId: string
) =>
  HttpClientRequest.make(operation.method)(url, {
    headers: {
      accept: "application/json",
      "user-agent": userAgent,
      "x-ms-client-request-id": clientRequestId,
      ...operation.headers,
      ...Option.match(attachment.authorization, {
        onNone: () => ({}),
        onSome: (authorization) => ({ authorization: Redacted.value(authorization) })
      })
    },
    body
  })

/**
 * The transport decides about redirects, so that credentials are never sent along with one. Spans of the HTTP client
 * would mark every expected 401 as an error and contain whole addresses.
 */
const underOurRules = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
  )

/** How a client executes a request whose connection is released when the scope closes, or earlier. */
const executeBy = (client: HttpClient.HttpClient): ScopedHttpClient.Execute => {
  if (ScopedHttpClient.isScopedHttpClient(client)) return client.executeScoped
  const scoped = HttpClient.withScope(client)
  return (request) => underOurRules(scoped.execute(request))
}

/**
 * Runs an effect in its own scope, which closes at once if it fails and otherwise with the outer scope: the connection
 * of a failed attempt must not stay open during the next one.
 */
export const closedOnFailure = <A, E>(effect: Effect.Effect<A, E, Scope.Scope>): Effect.Effect<A, E, Scope.Scope> =>
  Effect.flatMap(Effect.scope, (outer) => {
    const own = Scope.makeUnsafe()
    return Effect.onExit(Scope.provide(effect, own), (exit) =>
      Exit.isSuccess(exit)
        ? Scope.addFinalizerExit(outer, (outcome) => Scope.close(own, outcome))
        : Scope.close(own, exit)
    )
  })

/**
 * Makes an exchange on an HTTP client.
 */
export const make = (options: {
  readonly client: HttpClient.HttpClient
  readonly attemptTimeout: Duration.Input
  readonly registry: URL
  /** Origins and hosts that the user named besides the registry, see `Transport.Options`. */
  readonly trustedRealms: ReadonlyArray<string>
  readonly allowedHosts: ReadonlyArray<string>
  /** Adds secrets to those of the transport, and returns all secrets to replace in texts. */
  readonly remember: (secrets: Secrets) => ReadonlyArray<Sought>
  /** Called with the warnings of an answer after it is read, when its secrets are known. */
  readonly onWarning: (origin: string, header: string, quote: Quote) => Effect.Effect<void>
}): Exchange => {
  const { allowedHosts, onWarning, registry, remember, trustedRealms } = options
  /** Whether the registry has answered a request of this transport. */
  let reached = false
  /** Addresses may have many secrets, so they are remembered separately from the credentials. */
  const rememberTelling = remembering()
  const index = makeIndex()
  const ofAddress = (address: string, isNamed: boolean): ReadonlyArray<Sought> => {
    const { others, telling } = inQuery(address)
    return [...rememberTelling(telling), ...(isNamed ? others.map((value) => sought(Redacted.make(value))) : [])]
  }
  const execute = executeBy(options.client)
  const hostAt = Requests.makeHosts()
  // Other clients may send a stream without its length.
  const tells = ScopedHttpClient.isScopedHttpClient(options.client)
  const bodyOf = ({ body, onSent }: Operation<unknown>) =>
    body === undefined || onSent === undefined || !tells ? body : watched(body, onSent)
  const attemptTimeout = Duration.fromInputUnsafe(options.attemptTimeout)
  const timeout = Effect.delay(
    Effect.sync(() => noAnswer(attemptTimeout)),
    attemptTimeout
  )

  const ownOrigin = registry.origin

  /**
   * Another port of the registry's host is another server. `allowedHosts` has no ports, and may list the registry's
   * host.
   */
  const relationTo = (target: URL): Outbound.Relation => {
    if (allowedHosts.includes(target.hostname)) return "named"
    if (target.origin === ownOrigin) return "registry"
    return trustedRealms.includes(target.origin) ? "named" : "other"
  }
  const placeAt = (target: URL) => {
    const destination: Outbound.Destination = { registry: ownOrigin, relation: relationTo(target) }
    return { target, destination, host: hostAt(target) }
  }
  // Nearly all requests go there, and a URL computes its origin each time.
  const ownPlace = placeAt(registry)

  return <A>(origin: string, operation: Operation<A>, attachment: Attachment, requests: Requests.Requests) =>
    Effect.contextWith((context: Context.Context<never>) => {
      const { method, name } = operation
      const problem = addressProblem(ownOrigin, origin, operation.path)
      if (problem !== undefined) {
        return Effect.fail(final(new RegistryError({ operation: name, reason: new InvalidRequest(problem) })))
      }
      const clientRequestId = requestId(Context.get(context, Random.Random))
      const known = [...remember(attachment.secrets), ...ofAddress(operation.path, operation.origin !== undefined)]
      const work = someWork()
      const quote = quoting(known, work, index)
      const quoteWith = (more: ReadonlyArray<Sought>) =>
        more.length === 0 ? quote : quoting([...known, ...more], work, index)
      // The path may come from a link or a redirect of the registry.
      const path = quote.scrub(operation.path.replace(/\?.*/s, ""))
      const address = origin + path
      const isRegistry = origin === ownOrigin
      const { destination, host, target } = isRegistry ? ownPlace : placeAt(new URL(origin))
      const isPlain = target.protocol === "http:"

      const failure = ({ reason, response, ...flaw }: Flaw): Failure => ({
        ...flaw,
        error: new RegistryError({
          operation: name,
          reason,
          request: { method, url: address, clientRequestId },
          ...(response === undefined ? {} : { response })
        })
      })

      const clock = Context.get(context, Clock.Clock)
      const request: Requests.Request = { operation, host, address, path, clientRequestId, clock }
      return Requests.show(request, requests, (seen) => {
        const send = Effect.suspend(() => {
          const checked = isRegistry ? Result.void : Outbound.check(registry, target, destination)
          if (Result.isFailure(checked)) return Effect.fail(refusal(checked.failure))
          return execute(
            toRequest(origin + operation.path, operation, bodyOf(operation), attachment, clientRequestId)
          ).pipe(
            Effect.provideService(Outbound.CurrentDestination, destination),
            Effect.mapError((error): Flaw => {
              seen.errorType = codeOf(error)
              const attempt = { quote, firstContact: isRegistry ? !reached : undefined, isPlain }
              return { ...connectionFailure(error, attempt), challenges: [] }
            })
          )
        })
        const answer = Effect.flatMap(send, (response) => {
          seen.status = response.status
          reached ||= isRegistry
          const { location } = response.headers
          const ofLocation = location === undefined ? [] : ofAddress(location, true)
          const read = readAnswer(operation, response, attachment, quoteWith(ofLocation))
          const { warning } = response.headers
          if (warning === undefined) return read
          const tell = (brought: unknown) =>
            onWarning(origin, warning, quoteWith([...ofLocation, ...inAnswer(brought).map(sought)]))
          // The tokens in an answer that cannot be decoded are unknown, so its warnings must not be quoted.
          const hidesTokens = operation.bucket === "oauth" && operation.success.includes(response.status)
          return read.pipe(
            Effect.tap(tell),
            Effect.tapError(() => (hidesTokens ? Effect.void : tell(undefined)))
          )
        })
        const overdue = Effect.flatMap(operation.stalled ?? timeout, (reason): Effect.Effect<never, Flaw> => {
          seen.errorType = "timeout"
          return Effect.fail({ reason, repeat: "uncertain", challenges: [] })
        })
        return Effect.mapError(Effect.raceFirst(answer, overdue), failure)
      })
    })
}
