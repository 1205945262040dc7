/**
 * Faults: what the emulator does wrong, as data.
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
      readonly status: number
      readonly headers?: { readonly [name: string]: string }
      readonly body?: string
    }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "Stall" }
  | { readonly _tag: "LostAnswer" }
  | { readonly _tag: "ResetRequest"; readonly afterBytes: number }
  | { readonly _tag: "StallRequest"; readonly afterBytes: number }
  | { readonly _tag: "Headers"; readonly headers: { readonly [name: string]: string | null } }
  | { readonly _tag: "CutBody"; readonly afterBytes: number }
  | { readonly _tag: "StallBody"; readonly afterBytes: number }
  | { readonly _tag: "CorruptBody"; readonly atByte: number }

/**
 * A fault: which requests it hits, which of them, and what happens.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  /** Only requests of this method. */
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
  readonly consequence: Consequence
}

/**
 * Whether a fault is about a request.
 *
 * @category guards
 * @since 0.1.0
 */
export const fits = (fault: Fault, request: { readonly method: string; readonly path: string }): boolean =>
  (fault.method === undefined || fault.method === request.method) &&
  (fault.path === undefined ||
    (typeof fault.path === "string" ? request.path.startsWith(fault.path) : request.path.search(fault.path) >= 0))
