/**
 * Faults to inject into an emulator, as data.
 *
 * `AcrEmulator.inject` takes them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/** RFC 9110, section 5. Other characters would break the response. */
const HeaderName = Schema.String.check(Schema.isPattern(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/))
const HeaderValue = Schema.String.check(Schema.isPattern(/^[\t\x20-\x7e\x80-\xff]*$/))

/** A count of bytes, or an offset. */
const Bytes = Schema.Natural

/**
 * What a fault does to a request.
 *
 * - `Answer`: sends this response. The request is not carried out.
 * - `Reset`: resets the connection. The request is not carried out.
 * - `Stall`: sends no response. The request is not carried out.
 * - `LostAnswer`: carries the request out, then resets the connection.
 * - `ResetRequest`: cuts the request's body after so many bytes, or at its end if it is shorter. The registry treats these
 *   bytes as those of a broken connection, then resets the connection.
 * - `StallRequest`: the same, but keeps the connection open. The rest of the body is not read, and no response is sent.
 * - `Headers`: changes the headers of the response; `null` removes one.
 * - `CutBody`: resets the connection after so many bytes of the response's body.
 * - `StallBody`: sends nothing after so many bytes of the response's body.
 * - `CorruptBody`: changes the byte at this offset of the response's body.
 *
 * **Details**
 *
 * Bytes are those of bodies, without headers and without the framing of chunks. A connection without a response stays
 * open until the client or the emulator closes it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Consequence = Schema.Union([
  Schema.TaggedStruct("Answer", {
    /** The status code, 200 to 999. */
    status: Schema.Int.check(Schema.isBetween({ minimum: 200, maximum: 999 })),
    /** The headers. Defaults to none. */
    headers: Schema.optionalKey(Schema.Record(HeaderName, HeaderValue)),
    /** The body. Defaults to none. */
    body: Schema.optionalKey(Schema.String)
  }),
  Schema.TaggedStruct("Reset", {}),
  Schema.TaggedStruct("Stall", {}),
  Schema.TaggedStruct("LostAnswer", {}),
  /** `afterBytes`: how many bytes of the request's body the registry reads. */
  Schema.TaggedStruct("ResetRequest", { afterBytes: Bytes }),
  /** `afterBytes`: how many bytes of the request's body the registry reads. */
  Schema.TaggedStruct("StallRequest", { afterBytes: Bytes }),
  /** `headers`: the headers to change or add; `null` removes one. */
  Schema.TaggedStruct("Headers", { headers: Schema.Record(HeaderName, Schema.NullOr(HeaderValue)) }),
  /** `afterBytes`: how many bytes of the response's body are sent. */
  Schema.TaggedStruct("CutBody", { afterBytes: Bytes }),
  /** `afterBytes`: how many bytes of the response's body are sent. */
  Schema.TaggedStruct("StallBody", { afterBytes: Bytes }),
  /** `atByte`: the offset of the byte in the response's body, from 0. */
  Schema.TaggedStruct("CorruptBody", { atByte: Bytes })
])

export type Consequence = typeof Consequence.Type

/**
 * A fault: which requests it matches, how many of them it affects, and what it does to them.
 *
 * **Details**
 *
 * In JSON, a `path` that is a regular expression is an object with `source` and `flags`. A fault with an unknown field
 * or value is refused.
 *
 * **Example** (The second and the third chunk of an upload fail because the registry is down)
 *
 * ```ts
 * import type { Fault } from "@effect-acr/emulator"
 *
 * export const outage: Fault.Fault = {
 *   method: "PATCH",
 *   path: /^\/v2\/.*\/blobs\/uploads\//,
 *   skip: 1,
 *   times: 2,
 *   consequence: { _tag: "Answer", status: 503, headers: { "retry-after": "1" } }
 * }
 * ```
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fault = Schema.Struct({
  /** The method of the requests, in capitals. Defaults to any. */
  method: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Z]+$/))),
  /**
   * The beginning of the path, or a pattern of it. Paths are percent-encoded as the client sent them, without the
   * query. Defaults to any path.
   *
   * Downloads from the storage have paths such as `/blobs/sha256/c6312984…/data`. No path of the registry begins like
   * that, so `/blobs/` matches only the storage, and `/v2/` and `/acr/` only the registry. Without a path, both match.
   */
  path: Schema.optionalKey(Schema.Union([Schema.String.check(Schema.isStartingWith("/")), Schema.RegExp])),
  /** How many matching requests are unaffected at first. Defaults to none. */
  skip: Schema.optionalKey(Schema.Natural),
  /** How many requests are affected after that. Defaults to one. */
  times: Schema.optionalKey(
    Schema.Union([Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)), Schema.Literal("always")])
  ),
  /** What the fault does to them. */
  consequence: Consequence
})

export type Fault = typeof Fault.Type

/**
 * An injected fault, and how many requests it has matched and affected.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Injected = Schema.Struct({
  /** Its number, for `removeFault`. */
  id: Schema.Natural,
  /** The fault. */
  fault: Fault,
  /** How many requests it has matched, including those that it did not affect. */
  seen: Schema.Natural,
  /** How many requests it has affected. */
  hit: Schema.Natural
})

export type Injected = typeof Injected.Type

/**
 * Returns whether a fault matches the method and the path of a request. `skip` and `times` are not considered.
 *
 * @category guards
 * @since 0.1.0
 */
export const fits = (
  fault: Fault,
  request: {
    /** Its method, in capitals. */
    readonly method: string
    /** Its path, percent-encoded as it was sent, without the query. */
    readonly path: string
  }
): boolean =>
  (fault.method === undefined || fault.method === request.method) &&
  (fault.path === undefined ||
    (typeof fault.path === "string" ? request.path.startsWith(fault.path) : request.path.search(fault.path) >= 0))
