/**
 * HTTP clients that see to the end of a request themselves.
 *
 * A request takes a connection until its answer was read. `HttpClient.withScope` sees to the connection of an answer
 * that nobody reads, with an `AbortController` for each request: to send a small one takes twice as long. A client that
 * can do without says so by this module, and is asked to.
 *
 * Applications need nothing of this module. It is for who writes an HTTP client for a runtime.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import type * as HttpClientResponse from "effect/http/HttpClientResponse"

/**
 * By which a client is known to be one of these.
 *
 * @category constants
 * @since 0.1.0
 */
export const TypeId = "~@effect-acr/client/ScopedHttpClient"

/**
 * Sends a request, whose connection is given back with the scope at the latest.
 *
 * **Details**
 *
 * It makes no span and sends no header of one: each request of this library has one already.
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
 * An HTTP client like any other, that can also execute a request within a scope.
 *
 * **Details**
 *
 * A client that is made of this one, by `HttpClient.mapRequest` for instance, is none of these any more, and works by
 * `HttpClient.withScope`.
 *
 * @category models
 * @since 0.1.0
 */
export interface ScopedHttpClient extends HttpClient.HttpClient {
  /** What it is known by. */
  readonly [TypeId]: typeof TypeId
  /** Sends a request within a scope. */
  readonly executeScoped: Execute
}

/**
 * An HTTP client, with what it does within a scope.
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
 * Tells whether a client is one of these.
 *
 * @category guards
 * @since 0.1.0
 */
export const isScopedHttpClient = (client: HttpClient.HttpClient): client is ScopedHttpClient => TypeId in client

/**
 * How much of a request's body the HTTP client may still read when it pulls the next piece, in bytes: that many of the
 * bytes before, and one piece more. Undefined, the default, if the client may hold on to any piece, as `fetch` may.
 *
 * **Details**
 *
 * An HTTP client provides it to the body stream that it runs, and to nothing else: `NodeRegistryHttpClient` of
 * `@effect-acr/node` does. Files are then read into the same few pieces of memory again and again.
 *
 * @category references
 * @since 0.1.0
 */
export const HeldBytes: Context.Reference<number | undefined> = Context.Reference<number | undefined>(
  "@effect-acr/client/ScopedHttpClient/HeldBytes",
  { defaultValue: () => undefined }
)

/**
 * How much of a response's body its reader may still use when it pulls the next piece, in bytes: that many of the bytes before,
 * and what the last three pulls returned. Undefined, the default, if the reader may keep any piece.
 *
 * **Details**
 *
 * The client provides it where it reads the body of a response, and nowhere else. An HTTP client may then receive into the memory of
 * older pieces again. `NodeRegistryHttpClient` of `@effect-acr/node` does.
 *
 * @category references
 * @since 0.1.0
 */
export const HeldResponseBytes: Context.Reference<number | undefined> = Context.Reference<number | undefined>(
  "@effect-acr/client/ScopedHttpClient/HeldResponseBytes",
  { defaultValue: () => undefined }
)
