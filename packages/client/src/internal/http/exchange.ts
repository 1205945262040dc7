/**
 * One request and its answer: the smallest thing that can fail, and the only place that sends anything.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as FetchHttpClient from "effect/http/FetchHttpClient"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"
import type { Operation } from "../../Operation.ts"
import * as Outbound from "../../Outbound.ts"
import { type FailedResponse, type Reason, Refused, RegistryError, Unavailable } from "../../RegistryError.ts"
import * as ScopedHttpClient from "../../ScopedHttpClient.ts"
import { readErrorText } from "./body.ts"
import * as Challenge from "./challenge.ts"
import { classify, parseErrors, type Repeat } from "./failure.ts"
import { retryAfterMillis } from "./retryAfter.ts"
import { inQuery, scrub } from "./secrets.ts"
import * as Requests from "./requests.ts"
import { requestId } from "./telemetry.ts"
import { version } from "./version.ts"

/**
 * A failed attempt: the error as the caller would see it, and what the transport needs to decide what follows.
 */
export interface Failure {
  readonly error: RegistryError
  readonly repeat: Repeat
  /** What the registry asked for with a 401. */
  readonly challenges: ReadonlyArray<Challenge.Challenge>
}

/** A failure that asking again does not mend. */
export const final = (error: RegistryError): Failure => ({ error, repeat: "never", challenges: [] })

/** What a request carries besides its operation. */
export interface Attachment {
  /** The value of the Authorization header. */
  readonly authorization: Option.Option<Redacted.Redacted<string>>
  /** The secrets that it holds, wherever they stand. No error tells them. */
  readonly secrets: Secrets
}

/** A request that holds no secret. */
export const bare: Attachment = { authorization: Option.none(), secrets: [] }

/**
 * Sends an operation's request to an origin and reads the answer, whose connection is open as long as the scope.
 * `requests` are those of the operation, of which this is the next.
 */
export interface Exchange {
  <A>(
    origin: string,
    operation: Operation<A>,
    attachment: Attachment,
    requests: Requests.Requests
  ): Effect.Effect<A, Failure, Scope.Scope>
}

type Secrets = ReadonlyArray<Redacted.Redacted<string>>

/** A failure before it has been told of its operation. */
interface Flaw extends Omit<Failure, "error"> {
  readonly reason: Reason
  readonly response?: FailedResponse
}

const userAgent = `effect-acr/${version}`

/** The innermost cause is the one that says what happened: `connect ECONNREFUSED 127.0.0.1:5000`. */
const rootMessage = (error: Error): string => {
  let root = error
  for (let depth = 0; depth < 8 && root.cause instanceof Error; depth++) root = root.cause
  return root.message.slice(0, 300)
}

const refusal = (problem: string): Flaw => ({
  reason: new Refused({ description: problem }),
  repeat: "never",
  challenges: []
})

/** Whether an HTTP client refused to dial: its own errors may stand around it. */
const isAddressRefused = (error: unknown, depth = 0): boolean =>
  error instanceof Error &&
  (error instanceof Outbound.AddressRefused || (depth < 8 && isAddressRefused(error.cause, depth + 1)))

/** What is said of a port that answers without TLS, as `127.0.0.1:5001` for a registry on plain http does. */
const explained = (message: string): string =>
  message.includes("wrong version number")
    ? "the server does not speak TLS; for plain http the endpoint begins with http://"
    : message

const transportFlaw = (error: HttpClientError.HttpClientError, secrets: Secrets): Flaw => {
  if (isAddressRefused(error)) return refusal(rootMessage(error))
  const description = scrub(`${error.reason._tag}: ${explained(rootMessage(error))}`, secrets)
  return { reason: new Unavailable({ description }), repeat: "uncertain", challenges: [] }
}

const noAnswer = (timeout: Duration.Input): Reason =>
  new Unavailable({ description: `no answer within ${Duration.format(Duration.fromInputUnsafe(timeout))}` })

const failedAnswer = Effect.fnUntraced(function* (
  operation: Operation<unknown>,
  response: HttpClientResponse.HttpClientResponse,
  secrets: Secrets
): Effect.fn.Return<Flaw> {
  const text = operation.method === "HEAD" ? "" : scrub(yield* readErrorText(response), secrets)
  const errors = parseErrors(text)
  const correlationId = response.headers["x-ms-correlation-request-id"]
  const challenge = response.status === 401 ? response.headers["www-authenticate"] : undefined
  return {
    ...classify({
      status: response.status,
      errors,
      hasBody: text !== "",
      retryAfterMillis: retryAfterMillis(response.headers, yield* Clock.currentTimeMillis),
      missing: operation.missing
    }),
    challenges: challenge === undefined ? [] : Challenge.parse(scrub(challenge, secrets)),
    response: {
      status: response.status,
      errors,
      ...(correlationId === undefined ? {} : { correlationId: scrub(correlationId, secrets) })
    }
  }
})

const readAnswer = <A>(
  operation: Operation<A>,
  response: HttpClientResponse.HttpClientResponse,
  secrets: Secrets
): Effect.Effect<A, Flaw> =>
  operation.success.includes(response.status)
    ? Effect.mapError(operation.decode(response), (reason): Flaw => ({
        reason,
        repeat: reason._tag === "Unavailable" ? "uncertain" : "never",
        challenges: []
      }))
    : Effect.flatMap(failedAnswer(operation, response, secrets), Effect.fail)

const toRequest = (url: string, operation: Operation<unknown>, attachment: Attachment, clientRequestId: string) =>
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
    body: operation.body
  })

/**
 * Redirects are for the transport to judge, so that credentials never travel with one; and spans of the HTTP client
 * would call every expected 401 an error and print whole addresses.
 */
const underOurRules = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.provideService(FetchHttpClient.RequestInit, { redirect: "manual" }),
    Effect.provideService(HttpClient.TracerDisabledWhen, () => true)
  )

/** How a client executes a request whose connection is given back with the scope at the latest. */
const executeBy = (client: HttpClient.HttpClient): ScopedHttpClient.Execute => {
  if (ScopedHttpClient.isScopedHttpClient(client)) return client.executeScoped
  const scoped = HttpClient.withScope(client)
  return (request) => underOurRules(scoped.execute(request))
}

/**
 * Gives an effect a scope of its own, which closes at once if it fails and otherwise with the scope around it: the
 * connection of a failed attempt does not wait for the next one to be done.
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
  /** Is shown every answer before it is read. */
  readonly onAnswer: (origin: string, response: HttpClientResponse.HttpClientResponse) => Effect.Effect<void>
}): Exchange => {
  const { allowedHosts, registry, trustedRealms } = options
  const execute = executeBy(options.client)
  const hostAt = Requests.makeHosts()
  const timeout = Effect.delay(
    Effect.sync(() => noAnswer(options.attemptTimeout)),
    options.attemptTimeout
  )

  /** Another port of the registry's host is another server. `allowedHosts` has no ports, and may name the registry's. */
  const relationTo = (target: URL): Outbound.Relation => {
    if (allowedHosts.includes(target.hostname)) return "named"
    if (target.origin === registry.origin) return "registry"
    return trustedRealms.includes(target.origin) ? "named" : "other"
  }
  const destinationAt = (target: URL): Outbound.Destination => ({
    registry: registry.origin,
    relation: relationTo(target)
  })

  return <A>(origin: string, operation: Operation<A>, attachment: Attachment, requests: Requests.Requests) =>
    Effect.flatMap(requestId, (clientRequestId) => {
      const { method, name } = operation
      const path = operation.path.replace(/\?.*/s, "")
      const address = origin + path
      const secrets = [...attachment.secrets, ...inQuery(operation.path)]
      const target = origin === registry.origin ? registry : new URL(origin)
      const destination = destinationAt(target)

      const failure = ({ challenges, reason, repeat, response }: Flaw): Failure => ({
        error: new RegistryError({
          operation: name,
          reason,
          request: { method, url: address, clientRequestId },
          ...(response === undefined ? {} : { response })
        }),
        repeat,
        challenges
      })

      return Requests.show({ operation, host: hostAt(target), address, path, clientRequestId }, requests, (seen) => {
        const send = Effect.suspend(() => {
          const checked = Outbound.check(registry, target, destination)
          if (Result.isFailure(checked)) return Effect.fail(refusal(checked.failure))
          return execute(toRequest(origin + operation.path, operation, attachment, clientRequestId)).pipe(
            Effect.provideService(Outbound.CurrentDestination, destination),
            Effect.mapError((error) => {
              seen.errorType = Requests.codeOf(error)
              return transportFlaw(error, secrets)
            })
          )
        })
        const answer = Effect.flatMap(send, (response) => {
          seen.status = response.status
          return Effect.andThen(options.onAnswer(origin, response), readAnswer(operation, response, secrets))
        })
        const overdue = Effect.flatMap(operation.stalled ?? timeout, (reason): Effect.Effect<never, Flaw> => {
          seen.errorType = "timeout"
          return Effect.fail({ reason, repeat: "uncertain", challenges: [] })
        })
        return Effect.mapError(Effect.raceFirst(answer, overdue), failure)
      })
    })
}
