/**
 * Observability of operations: spans, metrics, and logs at debug level. `requests.ts` does the same for requests.
 * docs/observability.md lists both.
 *
 * Names and attributes follow OpenTelemetry's semantic conventions for HTTP. Everything else is `registry.*`.
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Random from "effect/Random"
import * as Tracer from "effect/Tracer"
import type { Operation, Subject } from "../../Operation.ts"
import { isRegistryError, type Reason, type RegistryError } from "../../RegistryError.ts"

/** The server of a registry, or another target of requests. */
export interface Server {
  readonly "server.address": string
  readonly "server.port": number
}

/** The server at an address. OpenTelemetry writes addresses of IPv6 without the brackets of a URL. */
export const serverAt = ({ hostname, port, protocol }: URL): Server => ({
  "server.address": hostname.replace(/^\[(.*)\]$/, "$1"),
  "server.port": port === "" ? (protocol === "http:" ? 80 : 443) : Number(port)
})

/** The attributes of a metric as texts, with the unit, which Effect's exporters read from the attributes. */
export const measuredIn = (
  unit: string,
  attributes: { readonly [name: string]: string | number | undefined }
): { readonly [name: string]: string } => {
  const texts: { [name: string]: string } = {}
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) texts[name] = String(value)
  texts["unit"] = unit
  return texts
}

/** OpenTelemetry's conventions advise these for durations of requests, in seconds. */
export const durationBoundaries = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

const directions = { sent: "transmit", received: "receive" } as const

/** Counts bytes of content that were sent to a registry or received from it. */
export const byteCounter = (endpoint: string) => {
  const server = serverAt(new URL(endpoint))
  const counter = (direction: keyof typeof directions) =>
    Metric.counter("registry.client.io", {
      description: "Bytes of manifests and blobs, sent to registries and received from them",
      incremental: true,
      attributes: measuredIn("By", { ...server, "network.io.direction": directions[direction] })
    })
  const counters = { sent: counter("sent"), received: counter("received") }
  return (direction: keyof typeof directions, count: number): Effect.Effect<void> =>
    count === 0 ? Effect.void : Metric.update(counters[direction], count)
}

/** Waits for limits may be longer than requests: a token bucket of one request a minute. */
const waitBoundaries = [...durationBoundaries, 30, 60, 120]

/** Records how long requests to a server wait for a limit that the user set. */
export const waitRecorder = (server: Server, limit: string) => {
  const waits = Metric.histogram("registry.client.request.wait_time", {
    description: "Time that requests waited for the limits that the program set",
    boundaries: waitBoundaries,
    attributes: measuredIn("s", { ...server, "registry.limit": limit })
  })
  return (waited: Duration.Duration): Effect.Effect<void> =>
    Effect.andThen(
      Metric.update(waits, Duration.toSeconds(waited)),
      Effect.logDebug(`waited ${Duration.toMillis(waited)} ms for the limit of ${limit}`)
    )
}

/**
 * Records a retry after an error: an event in the span of the operation, a log, and a count. Call it when the retry
 * starts, because some waits end without one.
 */
export const noteRepeat = (endpoint: string, event: string, error: RegistryError): Effect.Effect<void> =>
  Effect.gen(function* () {
    const reason = error.reason._tag
    const retries = Metric.counter("registry.client.retries", {
      description: "Requests and transfers that were tried again",
      incremental: true,
      attributes: measuredIn("{retry}", {
        ...serverAt(new URL(endpoint)),
        "registry.operation": error.operation,
        "error.type": reason
      })
    })
    yield* Metric.update(retries, 1)
    yield* Effect.logDebug(`${event}: ${error.message}`)
    const span = yield* Effect.option(Effect.currentSpan)
    if (Option.isSome(span)) {
      span.value.event(event, yield* Clock.currentTimeNanos, { "error.type": reason, message: error.message })
    }
  })

/** The attributes of a subject, as far as they are known. */
export const attributesOf = (
  subject: { readonly [Field in keyof Subject]?: Subject[Field] | undefined } = {}
): { readonly [name: string]: string } => {
  const attributes: { [name: string]: string } = {}
  if (subject.repository !== undefined) attributes["registry.repository"] = subject.repository
  if (subject.reference !== undefined) attributes["registry.reference"] = subject.reference
  if (subject.digest !== undefined) attributes["registry.digest"] = subject.digest
  return attributes
}

/**
 * A span without its place in the source: finding it takes longer than the rest of the span, and it would be a place in
 * this file. The span also adds no frame to stack traces, which would take as long again.
 */
const inSpan = <A, E, R>(
  name: string,
  options: Tracer.SpanOptionsNoTrace,
  use: (span: Tracer.Span) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
  Effect.useSpan(name, options, (span) => Effect.provideService(use(span), Tracer.ParentSpan, span))

/** Whether an operation looks up or removes something that may not exist. */
export const isLookUp = ({ method, missing }: Pick<Operation<unknown>, "method" | "missing">): boolean =>
  (method === "GET" || method === "HEAD" || method === "DELETE") && missing !== "endpoint"

/** Whether a failure is the answer of a look-up: that something does not exist. */
export const isAnswer = (lookUp: boolean, reason: Reason): boolean => lookUp && reason._tag === "NotFound"

/** The class of an error, with a small number of values. */
const errorTypeOf = (error: unknown): string => {
  if (isRegistryError(error)) return error.reason._tag
  return Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" ? error._tag : "_OTHER"
}

/** Shows how an operation failed. An answer does not fail its span, which ends before the error is returned. */
const showIn = (span: Tracer.Span, lookUp: boolean, cause: Cause.Cause<unknown>): Effect.Effect<void> => {
  if (Cause.hasInterruptsOnly(cause)) return Effect.void
  const error = Option.getOrUndefined(Cause.findErrorOption(cause))
  if (isRegistryError(error) && isAnswer(lookUp, error.reason)) {
    return Effect.map(Clock.currentTimeNanos, (now) => span.end(now, Exit.void))
  }
  return Effect.sync(() => span.attribute("error.type", errorTypeOf(error)))
}

/** Shows in the current span how an operation failed. */
export const showFailure =
  (lookUp: boolean) =>
  (cause: Cause.Cause<unknown>): Effect.Effect<void> =>
    Effect.matchEffect(Effect.currentSpan, {
      onFailure: () => Effect.void,
      onSuccess: (span) => showIn(span, lookUp, cause)
    })

/** Adds the span of an operation that sends requests to a registry. */
export const withOperationSpan = <A, R>(
  operation: Operation<unknown>,
  server: Server,
  effect: Effect.Effect<A, RegistryError, R>
): Effect.Effect<A, RegistryError, Exclude<R, Tracer.ParentSpan>> =>
  withSpan(operation.name, { ...server, ...attributesOf(operation.subject) }, isLookUp(operation), effect)

/** The span of an operation. */
export const withSpan = <A, R>(
  name: string,
  attributes: { readonly [name: string]: unknown },
  lookUp: boolean,
  effect: Effect.Effect<A, RegistryError, R>
): Effect.Effect<A, RegistryError, Exclude<R, Tracer.ParentSpan>> =>
  inSpan(name, { attributes }, (span) => Effect.tapCause(effect, (cause) => showIn(span, lookUp, cause)))

/** Completes the span of an operation that consists of others: its server, and how it failed. */
export const completeSpan =
  (server: Server, lookUp: boolean) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.andThen(Effect.annotateCurrentSpan({ ...server }), Effect.tapCause(effect, showFailure(lookUp)))

/** Small numbers: V8 writes large ones many times slower. */
const hex = (bits: number): string => (0x10000 + bits).toString(16).slice(1)

/** A request id of the client, in the form of a UUID (RFC 9562, version 4). */
export const requestId = (random: typeof Random.Random.Service): string => {
  const bits = () => Math.floor(random.nextDoubleUnsafe() * 0x10000)
  const two = () => hex(bits()) + hex(bits())
  const version = hex((bits() & 0x0fff) | 0x4000)
  const variant = hex((bits() & 0x3fff) | 0x8000)
  return `${two()}-${hex(bits())}-${version}-${variant}-${two()}${hex(bits())}`
}
