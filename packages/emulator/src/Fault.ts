/**
 * Faults: what the emulator does wrong, as data.
 *
 * `AcrEmulator.inject` takes them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/** RFC 9110, section 5. Other characters would break the answer. */
const HeaderName = Schema.String.check(Schema.isPattern(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/))
const HeaderValue = Schema.String.check(Schema.isPattern(/^[\t\x20-\x7e\x80-\xff]*$/))

/** A count of bytes, or an offset. */
const Bytes = Schema.Natural

/**
 * What happens to a request.
 *
 * - `Answer`: it is answered so, and nothing is done.
 * - `Reset`: the connection is reset, and nothing is done.
 * - `Stall`: no answer comes, and nothing is done.
 * - `LostAnswer`: it is carried out, then the connection is reset.
 * - `ResetRequest`: its body breaks off after so many bytes, or at its end if it is shorter; the registry does with
 *   these bytes what it does whenever a connection breaks, then the connection is reset.
 * - `StallRequest`: the same, but the connection stays: the rest of the body is not read, and no answer comes.
 * - `Headers`: the answer's headers are changed; `null` takes one away.
 * - `CutBody`: the connection is reset after so many bytes of the answer's body.
 * - `StallBody`: nothing comes after so many bytes of the answer's body.
 * - `CorruptBody`: the byte at this offset of the answer's body is another one.
 *
 * **Details**
 *
 * Bytes are those of bodies, without headers and without the framing of chunks. A connection on which no answer comes
 * stays open until the client or the emulator closes it.
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
  /** `afterBytes`: how many bytes of the request's body come through. */
  Schema.TaggedStruct("ResetRequest", { afterBytes: Bytes }),
  /** `afterBytes`: how many bytes of the request's body come through. */
  Schema.TaggedStruct("StallRequest", { afterBytes: Bytes }),
  /** `headers`: those that are changed or added; `null` takes one away. */
  Schema.TaggedStruct("Headers", { headers: Schema.Record(HeaderName, Schema.NullOr(HeaderValue)) }),
  /** `afterBytes`: how many bytes of the answer's body go out. */
  Schema.TaggedStruct("CutBody", { afterBytes: Bytes }),
  /** `afterBytes`: how many bytes of the answer's body go out. */
  Schema.TaggedStruct("StallBody", { afterBytes: Bytes }),
  /** `atByte`: the offset of the byte in the answer's body, from 0. */
  Schema.TaggedStruct("CorruptBody", { atByte: Bytes })
])

/**
 * What happens to a request.
 *
 * @category models
 * @since 0.1.0
 */
export type Consequence = typeof Consequence.Type

/**
 * A fault: which requests it hits, which of them, and what happens.
 *
 * **Details**
 *
 * In JSON, a `path` that is a regular expression is an object with `source` and `flags`. A fault that names a field or a
 * value that there is not is refused.
 *
 * **Example** (The second and the third chunk of an upload meet a registry that is down)
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
  /** Only requests of this method, in capitals. Defaults to any. */
  method: Schema.optionalKey(Schema.String.check(Schema.isPattern(/^[A-Z]+$/))),
  /**
   * Only requests whose path begins so, or matches; percent-encoded as it was sent, without the query. Defaults to any.
   *
   * Downloads from the storage have paths such as `/blobs/sha256/c6312984…/data`, which no path of the registry begins
   * like: `/blobs/` stands for the storage, `/v2/` and `/acr/` for the registry. Without a path, both are meant.
   */
  path: Schema.optionalKey(Schema.Union([Schema.String.check(Schema.isStartingWith("/")), Schema.RegExp])),
  /** How many requests that fit are let through first. Defaults to none. */
  skip: Schema.optionalKey(Schema.Natural),
  /** How many requests are hit then. Defaults to one. */
  times: Schema.optionalKey(
    Schema.Union([Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)), Schema.Literal("always")])
  ),
  /** What happens to them. */
  consequence: Consequence
})

/**
 * A fault: which requests it hits, which of them, and what happens.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = typeof Fault.Type

/**
 * A fault that was injected, and how often it was met.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Injected = Schema.Struct({
  /** The number by which it can be taken back. */
  id: Schema.Natural,
  /** The fault. */
  fault: Fault,
  /** How many requests it was about, those that it let through included. */
  seen: Schema.Natural,
  /** How many requests it hit. */
  hit: Schema.Natural
})

/**
 * A fault that was injected, and how often it was met.
 *
 * @category models
 * @since 0.1.0
 */
export type Injected = typeof Injected.Type

/**
 * Whether a fault is about a request: its method and its path, not how many came before.
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
