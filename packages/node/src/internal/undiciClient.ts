/**
 * An HTTP client on undici's dispatchers, for bodies of gigabytes.
 */
import * as ScopedHttpClient from "@effect-acr/client/ScopedHttpClient"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Url from "effect/http/Url"
import type { Dispatcher } from "undici"
import { bodyOf, Pieces } from "./undiciBody.ts"
import { Answer, Arrivals, type Ending, type Failing, type Release, whenReleased } from "./undiciResponse.ts"

/** undici accepts iterables as bodies, which its types omit. */
interface DispatchesPieces {
  dispatch(
    options: Omit<Dispatcher.DispatchOptions, "body"> & { readonly body?: Dispatcher.DispatchOptions["body"] | Pieces },
    handler: Dispatcher.DispatchHandler
  ): boolean
}

/**
 * Whether a server that wrongly sends a body after a HEAD may send content that another user has stored: a blob could
 * then pass for the response to the next request on the connection. The body of an error is not such content.
 */
const mayBring = (status: number): boolean => status < 400

/** The dispatcher of requests, and the release of chunks of their responses, by the protocol of a request. */
interface Sending {
  readonly dispatcher: DispatchesPieces
  readonly releaseOf: (protocol: string) => Release
}

/** Sends a request. `handOut` receives the function that aborts it, before or after its response has arrived. */
const send = (
  context: Context.Context<never>,
  { dispatcher, releaseOf }: Sending,
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  handOut: (giveUp: () => void) => void
): Failing<Answer> =>
  Effect.callback((resume) => {
    const { origin } = url
    const path = url.pathname + url.search
    let controller: Dispatcher.DispatchController | undefined
    let arrivals: Arrivals | undefined
    let body: Uint8Array | Pieces | null = null
    let isGivenUp = false
    let isOver = false

    const closeBody = () => {
      if (body instanceof Pieces) body.close()
    }

    /** A request that still waits for a connection is aborted when it gets one. */
    const giveUp = () => {
      isGivenUp = true
      if (!isOver) controller?.abort(new Error("the request was given up"))
      closeBody()
    }
    const end = (reason: Ending) => {
      isOver = true
      closeBody()
      if (arrivals !== undefined) return arrivals.close(reason)
      const failure = Effect.mapError(
        reason,
        (cause) =>
          new HttpClientError.HttpClientError({ reason: new HttpClientError.TransportError({ request, cause }) })
      )
      resume(failure)
    }

    handOut(giveUp)
    try {
      body = bodyOf(request.body, context)
      dispatcher.dispatch(
        {
          origin,
          path,
          method: request.method,
          headers: request.headers,
          body,
          // By itself undici closes the connection after each HEAD, see `mayBring`.
          ...(request.method === "HEAD" ? { reset: false } : {}),
          // The caller has its own timeouts.
          headersTimeout: 0,
          bodyTimeout: 0
        },
        {
          onRequestStart: (started) => {
            controller = started
            if (isGivenUp) giveUp()
          },
          onResponseStart: (started, status, headers) => {
            // Informational responses are ignored.
            if (status < 200) return
            const body = (arrivals = new Arrivals(started))
            const release = releaseOf(url.protocol)
            const options = { request, url: origin + path, status, headers, arrivals, release }
            const answer = Effect.succeed(new Answer(options))
            if (request.method === "HEAD" && mayBring(status)) {
              end(Cause.done())
              started.abort(new Error("the connection is not used again"))
            }
            // A small response that has arrived as a whole is returned when its connection is free again.
            queueMicrotask(() => (body.isClosed ? whenReleased(() => resume(answer)) : resume(answer)))
          },
          onResponseData: (_, piece) => arrivals?.push(piece),
          onResponseEnd: () => end(Cause.done()),
          onResponseError: (_, cause) => {
            if (!isOver) end(Effect.fail(cause))
          }
        }
      )
    } catch (cause) {
      end(Effect.fail(cause))
    }
    return Effect.sync(giveUp)
  })

const urlOf = (request: HttpClientRequest.HttpClientRequest): Result.Result<URL, HttpClientError.HttpClientError> =>
  Result.mapError(
    Url.make(request.url, request.urlParams, Option.getOrUndefined(request.hash)),
    (cause) => new HttpClientError.HttpClientError({ reason: new HttpClientError.InvalidUrlError({ request, cause }) })
  )

/** Makes an HTTP client on one dispatcher. Redirects are returned like other responses. */
export const make = (
  dispatcher: Pick<Dispatcher, "dispatch">,
  releaseOf: Sending["releaseOf"] = () => constVoid
): ScopedHttpClient.ScopedHttpClient =>
  ScopedHttpClient.make(
    HttpClient.make((request, url, signal) =>
      Effect.contextWith((context: Context.Context<never>) =>
        send(context, { dispatcher, releaseOf }, request, url, (giveUp) => {
          if (signal.aborted) giveUp()
          signal.addEventListener("abort", giveUp)
        })
      )
    ),
    (request) =>
      Effect.contextWith((context: Context.Context<Scope.Scope>) => {
        const url = urlOf(request)
        if (Result.isFailure(url)) return Effect.fail(url.failure)
        let giveUp: (() => void) | undefined
        const release = Effect.sync(() => giveUp?.())
        const sent = send(context, { dispatcher, releaseOf }, request, url.success, (handedOut) => {
          giveUp = handedOut
        })
        return Effect.andThen(Scope.addFinalizer(Context.get(context, Scope.Scope), release), sent)
      })
  )
