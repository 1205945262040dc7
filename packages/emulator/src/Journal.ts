/**
 * The journal: what was asked of the emulator.
 *
 * `AcrEmulator.journal` returns it. It holds no secret, so that a test may print it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A request and its answer.
 *
 * @category schemas
 * @since 0.1.0
 */
export const JournalEntry = Schema.Struct({
  /** Its number: 1 for the first request that the emulator answered. */
  sequence: Schema.Natural,
  /** When it came, by the emulator's clock. */
  time: Schema.DateTimeUtcFromString,
  /** The registry itself, or the storage that it redirects downloads to. */
  server: Schema.Literals(["registry", "storage"]),
  /** The method of the request. */
  method: Schema.String,
  /** Percent-encoded as it was sent, without the query. */
  path: Schema.String,
  /** Without the question mark; the values of `_state` and `sig`, passwords and tokens are struck out. */
  query: Schema.String,
  /** How the request was authorized: the scheme alone. */
  authorization: Schema.Literals(["none", "basic", "bearer"]),
  /**
   * Whose login or token it was: the user name of the admin user or of a scope-map token, `Entra ID` or `anonymous`. Absent
   * if the emulator did not know the login, or did not ask for it.
   */
  user: Schema.optionalKey(Schema.String),
  /** The status of the answer; 0 if none went out: a fault kept it back, or the connection was gone. */
  status: Schema.Natural,
  /** The value of `X-Ms-Correlation-Request-Id`. */
  correlationId: Schema.String,
  /** How many bytes of the request's body were read so far. */
  requestBytes: Schema.Natural,
  /** How many bytes of the answer's body were written so far. */
  responseBytes: Schema.Natural,
  /** How long it took from the request to the end of its answer. Absent while it is under way. */
  durationMillis: Schema.optionalKey(Schema.Finite)
})

/**
 * A request and its answer.
 *
 * @category models
 * @since 0.1.0
 */
export type JournalEntry = typeof JournalEntry.Type
