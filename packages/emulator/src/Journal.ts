/**
 * The journal: the requests to the emulator and their responses.
 *
 * `AcrEmulator.journal` returns it. It contains no secrets, so a test may print it.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A request and its response.
 *
 * @category schemas
 * @since 0.1.0
 */
export const JournalEntry = Schema.Struct({
  /** Its number: 1 for the first request to the emulator. */
  sequence: Schema.Natural,
  /** When the request arrived, by the emulator's clock. */
  time: Schema.DateTimeUtcFromString,
  /** The server: the registry itself, or the storage that it redirects downloads to. */
  server: Schema.Literals(["registry", "storage"]),
  /** The method of the request. */
  method: Schema.String,
  /** The path, percent-encoded as the client sent it, without the query. */
  path: Schema.String,
  /** The query without the question mark. The values of `_state` and `sig`, passwords and tokens are redacted. */
  query: Schema.String,
  /** The scheme of the request's authorization. */
  authorization: Schema.Literals(["none", "basic", "bearer"]),
  /**
   * The owner of the login or token: the user name of the admin user or of a scope-map token, `Entra ID` or
   * `anonymous`. Absent if the login is unknown to the emulator, or was not needed.
   */
  user: Schema.optionalKey(Schema.String),
  /** The status of the response, or 0 if none was sent: a fault withheld it, or the connection was closed. */
  status: Schema.Natural,
  /** The value of `X-Ms-Correlation-Request-Id`. */
  correlationId: Schema.String,
  /** How many bytes of the request's body were read so far. */
  requestBytes: Schema.Natural,
  /** How many bytes of the response's body were written so far. */
  responseBytes: Schema.Natural,
  /** The milliseconds from the request to the end of its response. Absent while the request is running. */
  durationMillis: Schema.optionalKey(Schema.Finite)
})

export type JournalEntry = typeof JournalEntry.Type
