/**
 * Traces and measures requests: a span and a duration for each, by OpenTelemetry's semantic conventions for HTTP.
 *
 * A span ends when the answer is read, or only its head if its body is a blob. It fails with the request, unless the
 * operation expects the answer: a 401 whose challenge the client then answers, and a 404 of a look-up.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import type { Operation } from "../../Operation.ts"
import type { RegistryError } from "../../RegistryError.ts"
import { attributesOf, durationBoundaries, isAnswer, isLookUp, measuredIn, type Server, serverAt } from "./telemetry.ts"
import { templateOf } from "./template.ts"

/** The observations of a request in progress. */
export interface Seen {
  /** The status of the answer, once there is one. */
  status: number | undefined
  /** The name of an error without an answer: a failed connection, a timeout. */
  errorType: string | undefined
}

/** The requests of one operation, one after the other. */
export interface Requests {
  /** Whether the client answers challenges of the registry. */
  readonly answersChallenges: boolean
  /** The number of requests sent so far. */
  sent: number
  /** The observations of the last one. */
  last: Seen
  /** The last request, if its answer was a challenge that the client has not answered yet. */
  challenge: Challenge | undefined
}

/** A request whose span stays open until it is known whether the client answers the challenge. */
interface Challenge {
  readonly clientRequestId: string
  readonly end: (isFinal: boolean) => Effect.Effect<void>
}

/** The requests of a new operation. `resends` is the number of requests that the same call sent before. */
export const begin = (answersChallenges: boolean, resends = 0): Requests => ({
  answersChallenges,
  sent: resends,
  last: { status: undefined, errorType: undefined },
  challenge: undefined
})

interface Failed {
  readonly error: RegistryError
  readonly challenges: ReadonlyArray<unknown>
}

const failureOf = <E>(exit: Exit.Exit<unknown, E>): E | undefined =>
  Exit.isSuccess(exit) ? undefined : Option.getOrUndefined(Cause.findErrorOption(exit.cause))

const endChallenge = (requests: Requests, isFinal: boolean): Effect.Effect<void> =>
  Effect.suspend(() => {
    const { challenge } = requests
    requests.challenge = undefined
    return challenge === undefined ? Effect.void : challenge.end(isFinal)
  })

/**
 * Whether an operation fails by a challenge. If it fails by another request, that was for a token: the client answered.
 */
const isFinal = ({ clientRequestId }: Challenge, exit: Exit.Exit<unknown, Failed>): boolean => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return false
  return (failureOf(exit)?.error.request?.clientRequestId ?? clientRequestId) === clientRequestId
}

/** Ends the open span of a challenge that the operation did not answer. */
export const ending = <A, E extends Failed, R>(
  requests: Requests,
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.onExit(effect, (exit) =>
    requests.challenge === undefined ? Effect.void : endChallenge(requests, isFinal(requests.challenge, exit))
  )

/** The durations of requests to one server. */
interface Durations {
  (operation: Operation<unknown>, status: number | undefined, errorType: string | undefined): Metric.Histogram<number>
}

/** Creates each series once. */
const durationsOf = (server: Partial<Server>): Durations => {
  const series = new Map<string, Metric.Histogram<number>>()
  return ({ method, name }, status, errorType) => {
    const key = `${name} ${method} ${status} ${errorType}`
    const known = series.get(key)
    if (known !== undefined) return known
    const made = Metric.histogram("http.client.request.duration", {
      description: "Duration of HTTP client requests",
      boundaries: durationBoundaries,
      attributes: measuredIn("s", {
        "http.request.method": method,
        ...server,
        "http.response.status_code": status,
        "error.type": errorType,
        "registry.operation": name
      })
    })
    series.set(key, made)
    return made
  }
}

/** More hosts than a registry has with its token service and its storage. */
const mostHosts = 32

/** A server and the durations of requests to it. */
interface Host {
  readonly server: Server
  readonly durations: Durations
}

/**
 * The servers of one transport. A registry may lead to a new server with each answer. Above a limit they are measured
 * together, because metrics are kept as long as the program runs.
 */
export const makeHosts = (): ((target: URL) => Host) => {
  const hosts = new Map<string, Host>()
  const others = durationsOf({ "server.address": "_OTHER" })
  return (target) => {
    const known = hosts.get(target.origin)
    if (known !== undefined) return known
    const server = serverAt(target)
    if (hosts.size >= mostHosts) return { server, durations: others }
    const host = { server, durations: durationsOf(server) }
    hosts.set(target.origin, host)
    return host
  }
}

/** The name of a request's failure: a code or `timeout`, the status if it is an error, or the reason. */
const errorTypeOf = (operation: Operation<unknown>, { errorType, status }: Seen, error: RegistryError): string =>
  errorType ?? (status !== undefined && !operation.success.includes(status) ? String(status) : error.reason._tag)

/** How the span of a request ends, and the attributes of its duration. */
interface Ending {
  readonly errorType?: string
  readonly exit: Exit.Exit<void, unknown>
}

const expected: Ending = { exit: Exit.void }

const endingOf = (operation: Operation<unknown>, seen: Seen, exit: Exit.Exit<unknown, Failed>): Ending => {
  if (Exit.isSuccess(exit)) return expected
  const failed = failureOf(exit)
  if (failed === undefined) {
    const errorType = Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "_OTHER"
    return { errorType, exit: Exit.failCause(exit.cause) }
  }
  const { error } = failed
  return isAnswer(isLookUp(operation), error.reason)
    ? expected
    : { errorType: errorTypeOf(operation, seen, error), exit: Exit.fail(error) }
}

export interface Request {
  readonly operation: Operation<unknown>
  readonly host: Host
  /** The address of the request, without the query. */
  readonly address: string
  readonly path: string
  readonly clientRequestId: string
  readonly clock: Clock.Clock
}

const attributesAt = ({ address, clientRequestId, host, operation }: Request, template?: string, resends = 0) => ({
  "http.request.method": operation.method,
  "url.full": address,
  ...(template === undefined ? {} : { "url.template": template }),
  ...host.server,
  ...(resends === 0 ? {} : { "http.request.resend_count": resends }),
  ...attributesOf(operation.subject),
  "registry.client_request_id": clientRequestId
})

const log = ({ address, operation }: Request, { status }: Seen, exit: Exit.Exit<unknown, Failed>) => {
  const failed = failureOf(exit)
  const flaw = failed === undefined ? "" : `: ${failed.error.reason._tag}`
  return Effect.logDebug(`${operation.method} ${address} ${status ?? "no answer"}${flaw}`)
}

/**
 * Sends the next request of an operation, with a span, a metric and a log.
 */
export const show = <A, E extends Failed, R>(
  request: Request,
  requests: Requests,
  send: (seen: Seen) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
  Effect.suspend(() => {
    const { clientRequestId, clock, host, operation, path } = request
    const template = templateOf(path)
    const seen: Seen = { status: undefined, errorType: undefined }
    const options: Tracer.SpanOptions = { kind: "client", attributes: attributesAt(request, template, requests.sent++) }
    const began = clock.currentTimeNanosUnsafe()
    requests.last = seen

    const end = (span: Tracer.Span, exit: Exit.Exit<unknown, E>): Effect.Effect<void> => {
      const now = clock.currentTimeNanosUnsafe()
      const ended = ({ errorType, exit }: Ending) => {
        if (errorType !== undefined) span.attribute("error.type", errorType)
        span.end(now, exit)
        return Metric.update(host.durations(operation, seen.status, errorType), Number(now - began) / 1e9)
      }
      if (seen.status !== undefined) span.attribute("http.response.status_code", seen.status)
      const ending = endingOf(operation, seen, exit)
      const isAsked = requests.answersChallenges && seen.status === 401 && (failureOf(exit)?.challenges.length ?? 0) > 0
      if (!isAsked) return ended(ending)
      requests.challenge = { clientRequestId, end: (isFinal) => ended(isFinal ? ending : expected) }
      return Effect.void
    }

    const sent = Effect.acquireUseRelease(
      Effect.makeSpan(template === undefined ? operation.method : `${operation.method} ${template}`, options),
      (span) =>
        Effect.provideService(
          Effect.onExit(send(seen), (exit) => log(request, seen, exit)),
          Tracer.ParentSpan,
          span
        ),
      end
    )
    return requests.challenge === undefined ? sent : Effect.andThen(endChallenge(requests, false), sent)
  })
