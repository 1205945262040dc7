/**
 * HTTP clients that close the connection of a request with its scope.
 *
 * A request holds a connection until its response is read. `HttpClient.withScope` releases the connection of a response
 * that the program does not read, with an `AbortController` for each request, which doubles the time of a small
 * request. An HTTP client that needs no `AbortController` for this implements this module, and the library uses it.
 *
 * Applications do not need this module. It is for authors of HTTP clients.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"

/**
 * The identifier of these clients.
 *
 * @category constants
 * @since 0.1.0
 */
export const TypeId = "~@effect-acr/client/ScopedHttpClient"

/**
 * Sends a request, whose connection is released when the scope closes, or earlier.
 *
 * **Details**
 *
 * It makes no span and sends no trace headers: each request of this library already has a span.
 *
 * @category models
 * @since 0.1.0
 */
export interface Execute {
  (
    request: HttpClientRequest.HttpClientRequest
  ): Effect.Effect<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError, Scope.Scope>
}

/**
 * A response whose body can be pulled without a stream.
 *
 * **Details**
 *
 * For a small response, making and running a stream takes longer than the rest of reading it. The library pulls the body
 * of such a response, and uses the `stream` of any other.
 *
 * @category models
 * @since 0.1.0
 */
export interface PulledResponse extends HttpClientResponse.HttpClientResponse {
  /** The response itself, so that one with another `stream` that is derived from it, such as a proxy, is not pulled. */
  readonly [TypeId]: HttpClientResponse.HttpClientResponse
  /** Pulls the body, which is read once: returns the chunks that have arrived since the last pull, or the next one. */
  readonly pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, HttpClientError.HttpClientError>
  /**
   * Tells that the reader no longer uses a chunk that a pull returned, so that the client may reuse or free its
   * memory. A reader may keep any chunk. It releases chunks in the order in which they arrived, and each at most once.
   */
  readonly release: (chunk: Uint8Array) => void
}

/**
 * An HTTP client that can also execute a request within a scope.
 *
 * **Details**
 *
 * A client that is derived from this one, for example by `HttpClient.mapRequest`, loses this ability, and the library
 * uses `HttpClient.withScope` for it.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScopedHttpClient extends HttpClient.HttpClient {
  /** The identifier. */
  readonly [TypeId]: typeof TypeId
  /** Sends a request within a scope. */
  readonly executeScoped: Execute
}

/**
 * Makes a client from an HTTP client and its function for a request within a scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (client: HttpClient.HttpClient, executeScoped: Execute): ScopedHttpClient =>
  Object.assign(HttpClient.makeWith(client.postprocess, client.preprocess), {
    [TypeId]: TypeId,
    executeScoped
  } as const)

/**
 * Tests whether a client is a `ScopedHttpClient`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isScopedHttpClient = (client: HttpClient.HttpClient): client is ScopedHttpClient => TypeId in client

/**
 * Tests whether a response is a `PulledResponse`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isPulledResponse = (response: HttpClientResponse.HttpClientResponse): response is PulledResponse =>
  TypeId in response && response[TypeId] === response

/**
 * How much of a request's body the HTTP client may still read when it pulls the next piece, in bytes: that many of the
 * previous bytes, and one piece more; nothing if it is 0, or once the response has arrived. Undefined, the default, if the
 * client may still use any piece, as `fetch` may.
 *
 * **Details**
 *
 * An HTTP client provides it to the body stream that it runs, and to nothing else: `NodeRegistryHttpClient` of
 * `@effect-acr/node` does. Files are then read into a few reused pieces of memory.
 *
 * @category references
 * @since 0.1.0
 */
export const HeldBytes: Context.Reference<number | undefined> = Context.Reference<number | undefined>(
  "@effect-acr/client/ScopedHttpClient/HeldBytes",
  { defaultValue: () => undefined }
)
