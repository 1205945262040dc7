/**
 * What the client shows of itself while it works: metrics, attributes of spans, and logs at debug level. docs/observability.md
 * is the table of it.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Tracer from "effect/Tracer"
import type { Subject } from "../../Operation.ts"
import type { RegistryError } from "../../RegistryError.ts"

/** Status 0 stands for a request without an answer. */
const requests = Metric.counter("registry_client_requests", {
  description: "Requests sent to container registries, by operation, method and status",
  incremental: true
})

const bytes = Metric.counter("registry_client_bytes", {
  description: "Bytes of content, by direction: sent or received",
  incremental: true
})

const repeats = Metric.counter("registry_client_retries", {
  description: "Requests and transfers that were taken up again, by operation and cause",
  incremental: true
})

const tokens = Metric.counter("registry_client_token_fetches", {
  description: "Tokens got from registries, by kind: access or refresh",
  incremental: true
})

const waits = Metric.timer("registry_client_rate_limit_wait", {
  description: "Time that requests waited for their turn under the rate limits, by bucket"
})

export const countRequest = (operation: string, method: string, status: number): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(requests, { operation, method, status: String(status) }), 1)

const sent = Metric.withAttributes(bytes, { direction: "sent" })
const received = Metric.withAttributes(bytes, { direction: "received" })

export const countBytes = (direction: "sent" | "received", count: number): Effect.Effect<void> =>
  count === 0 ? Effect.void : Metric.update(direction === "sent" ? sent : received, count)

export const countToken = (kind: "access" | "refresh"): Effect.Effect<void> =>
  Metric.update(Metric.withAttributes(tokens, { kind }), 1)

/** Measures a wait for the rate limit, if there was one. */
export const timeWait = (bucket: string, wait: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.gen(function* () {
    const before = yield* Clock.currentTimeMillis
    yield* wait
    const waited = (yield* Clock.currentTimeMillis) - before
    if (waited === 0) return
    yield* Metric.update(Metric.withAttributes(waits, { bucket }), Duration.millis(waited))
    yield* Effect.logDebug(`waited ${waited} ms for the rate limit of ${bucket}`)
  })

/** Something goes on after an error: an event in the span of the operation, a log, and a count. */
export const noteRepeat = (event: string, error: RegistryError): Effect.Effect<void> =>
  Effect.gen(function* () {
    const cause = error.reason._tag
    yield* Metric.update(Metric.withAttributes(repeats, { operation: error.operation, cause }), 1)
    yield* Effect.logDebug(`${event}: ${error.message}`)
    const span = yield* Effect.option(Effect.currentSpan)
    if (Option.isSome(span)) {
      span.value.event(event, yield* Clock.currentTimeNanos, { reason: cause, message: error.message })
    }
  })

/** The attributes of a subject, as far as it is known. */
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
 * A span that does not look for the place in the source where it was made, which takes longer than all the rest of it
 * and would be a place in here; and that leaves no frame of its own in stack traces, which takes as long again.
 */
export const inSpan = <A, E, R>(
  name: string,
  options: Tracer.SpanOptionsNoTrace,
  use: (span: Tracer.Span) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Tracer.ParentSpan>> =>
  Effect.useSpan(name, options, (span) => Effect.provideService(use(span), Tracer.ParentSpan, span))

/**
 * The span of an operation. To find that something is not there is an answer, which does not fail it: then it ends
 * before the error goes on.
 */
export const withOperationSpan = <A, R>(
  name: string,
  attributes: { readonly [name: string]: string },
  effect: Effect.Effect<A, RegistryError, R>
): Effect.Effect<A, RegistryError, Exclude<R, Tracer.ParentSpan>> =>
  inSpan(name, { attributes }, (span) =>
    Effect.tapError(effect, ({ reason }) =>
      reason._tag === "NotFound"
        ? Effect.map(Clock.currentTimeNanos, (now) => {
            span.attribute("error.type", "NotFound")
            span.end(now, Exit.void)
          })
        : Effect.void
    )
  )

/** Small numbers: V8 writes large ones many times slower. */
const hex = (bits: number): string => (0x10000 + bits).toString(16).slice(1)

/** A name for one request that its sender chooses, in the form of a UUID (RFC 9562, version 4). */
export const requestId: Effect.Effect<string> = Effect.map(Random.Random, (random) => {
  const bits = () => Math.floor(random.nextDoubleUnsafe() * 0x10000)
  const two = () => hex(bits()) + hex(bits())
  const version = hex((bits() & 0x0fff) | 0x4000)
  const variant = hex((bits() & 0x3fff) | 0x8000)
  return `${two()}-${hex(bits())}-${version}-${variant}-${two()}${hex(bits())}`
})
