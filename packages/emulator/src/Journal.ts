/**
 * The journal: what was asked of the emulator.
 *
 * `AcrEmulator.journal` tells it. It holds no secret, so that a test may print it.
 *
 * @since 0.1.0
 */

/**
 * A request and its answer.
 *
 * @category models
 * @since 0.1.0
 */
export interface JournalEntry {
  /** The registry itself, or the storage that it redirects downloads to. */
  readonly server: "registry" | "storage"
  /** The method of the request. */
  readonly method: string
  /** Percent-encoded as it was sent, without the query. */
  readonly path: string
  /** Without the question mark; the values of `_state` and `sig` are struck out. */
  readonly query: string
  /** How the request was authorized: the scheme alone. */
  readonly authorization: "none" | "basic" | "bearer"
  /** The status of the answer; 0 if none went out: a fault kept it back, or the connection was gone. */
  readonly status: number
  /** The value of `X-Ms-Correlation-Request-Id`. */
  readonly correlationId: string
}
