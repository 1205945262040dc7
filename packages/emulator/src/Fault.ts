/**
 * Faults: what the emulator does wrong, as data.
 *
 * `AcrEmulator.inject` takes them.
 *
 * @since 0.1.0
 */

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
 * @category models
 * @since 0.1.0
 */
export type Consequence =
  | {
      readonly _tag: "Answer"
      /** The status code. */
      readonly status: number
      /** The headers; none if not given. */
      readonly headers?: { readonly [name: string]: string }
      /** The body; none if not given. */
      readonly body?: string
    }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "Stall" }
  | { readonly _tag: "LostAnswer" }
  | {
      readonly _tag: "ResetRequest"
      /** How many bytes of the request's body come through. */
      readonly afterBytes: number
    }
  | {
      readonly _tag: "StallRequest"
      /** How many bytes of the request's body come through. */
      readonly afterBytes: number
    }
  | {
      readonly _tag: "Headers"
      /** The headers that are changed or added; `null` takes one away. */
      readonly headers: { readonly [name: string]: string | null }
    }
  | {
      readonly _tag: "CutBody"
      /** How many bytes of the answer's body go out. */
      readonly afterBytes: number
    }
  | {
      readonly _tag: "StallBody"
      /** How many bytes of the answer's body go out. */
      readonly afterBytes: number
    }
  | {
      readonly _tag: "CorruptBody"
      /** The offset of the byte in the answer's body, from 0. */
      readonly atByte: number
    }

/**
 * A fault: which requests it hits, which of them, and what happens.
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
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  /** Only requests of this method; those of any if not given. */
  readonly method?: string
  /**
   * Only requests whose path begins so, or matches; percent-encoded as it was sent, without the query.
   *
   * Downloads from the storage have paths such as `/blobs/sha256/c6312984…/data`, which no path of the registry begins
   * like: `/blobs/` stands for the storage, `/v2/` and `/acr/` for the registry. Without a path, both are meant.
   */
  readonly path?: string | RegExp
  /** How many requests that fit are let through first; none if not given. */
  readonly skip?: number
  /** How many requests are hit then; one if not given. */
  readonly times?: number
  /** What happens to them. */
  readonly consequence: Consequence
}

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
