/**
 * An HTTP client on undici's dispatchers, for bodies of gigabytes.
 *
 * Received bytes are buffered until the consumer pulls, which takes all of them at once. The connection is paused while
 * the buffer is full. So a busy consumer finds many bytes at its next pull, and a waiting one is woken once for all of
 * them. The next bytes to send are pulled when the system has taken the ones before, so it has enough to send
 * meanwhile. There is no stream of Node in between.
 */
import type { IncomingHttpHeaders } from "node:http"
import * as ScopedHttpClient from "@effect-acr/client/ScopedHttpClient"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import type * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import * as Url from "effect/http/Url"
import type { Dispatcher } from "undici"

/**
 * The limit of the buffer of a response that is not read, in bytes: as much as stays in a processor's cache until it is
 * hashed. The buffers of the sockets come on top.
 */
const mostKeptBytes = 192 * 1024

/**
 * The maximum number of bytes of a body that a connection holds when the next chunk is pulled, see `HeldBytes` of the
 * client. It takes chunks up to this limit, and the next one only after all of them are sent.
 */
export const heldBytes = 64 * 1024

/**
 * Runs a callback when undici has released the connection of a response that has just ended. That takes a turn of the
 * event loop, and a request that is sent earlier opens another connection.
 */
const whenReleased = (run: () => void): void => queueMicrotask(() => setImmediate(run))

/** The end of a response: completion, or the error of undici. */
type Ending = Effect.Effect<never, unknown>

/** Releases a chunk of a response that its reader no longer uses, see `readMemory.ts`. */
type Release = (piece: Uint8Array) => void

/** The body of a response, as it arrives. */
class Arrivals {
  /** Whether the whole body has arrived. */
  isClosed = false
  private pieces: Array<Uint8Array> = []
  private bytes = 0
  private end: Ending | undefined
  private wake: (() => void) | undefined
  private readonly controller: Dispatcher.DispatchController

  constructor(controller: Dispatcher.DispatchController) {
    this.controller = controller
  }

  /**
   * A waiting reader is woken when a turn of the event loop has read what the sockets hold, or when the buffer is full.
   * Woken for each chunk, it would seldom find more than one.
   */
  push(piece: Uint8Array): void {
    const isFirst = this.pieces.push(piece) === 1
    this.bytes += piece.length
    if (this.bytes >= mostKeptBytes) {
      this.controller.pause()
      this.wake?.()
    } else if (isFirst) {
      setImmediate(() => this.wake?.())
    }
  }

  /** The end is reported when the connection can take the next request, because the reader may send that request. */
  close(end: Ending): void {
    this.isClosed = true
    whenReleased(() => {
      this.end = end
      this.wake?.()
    })
  }

  /** Returns the buffered chunks, or waits for the next one. */
  pull<E>(toError: (cause: unknown) => E): Effect.Effect<Arr.NonEmptyReadonlyArray<Uint8Array>, E> {
    const pull: Effect.Effect<Arr.NonEmptyReadonlyArray<Uint8Array>, E> = Effect.suspend(() => {
      const pieces = this.pieces
      if (Arr.isArrayNonEmpty(pieces)) {
        this.pieces = []
        this.bytes = 0
        this.controller.resume()
        return Effect.succeed(pieces)
      }
      return this.end === undefined ? arrival : Effect.mapError(this.end, toError)
    })
    const arrival = Effect.callback<Arr.NonEmptyReadonlyArray<Uint8Array>, E>((resume) => {
      this.wake = () => {
        this.wake = undefined
        resume(pull)
      }
      return Effect.sync(() => {
        this.wake = undefined
      })
    })
    return pull
  }
}

type Failing<A> = Effect.Effect<A, HttpClientError.HttpClientError>

/** A response, whose body is still arriving. */
class Answer extends Inspectable.Class implements ScopedHttpClient.PulledResponse {
  readonly [ScopedHttpClient.TypeId] = this
  readonly [HttpIncomingMessage.TypeId] = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId] = HttpClientResponse.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly url: string
  readonly status: number
  readonly headers: Headers.Headers
  readonly remoteAddress = Option.none<string>()
  readonly release: Release
  private readonly setCookie: ReadonlyArray<string>
  private readonly arrivals: Arrivals
  private body: Failing<ArrayBuffer> | undefined

  constructor(options: {
    readonly request: HttpClientRequest.HttpClientRequest
    readonly url: string
    readonly status: number
    readonly headers: IncomingHttpHeaders
    readonly arrivals: Arrivals
    readonly release: Release
  }) {
    super()
    const { arrivals, headers, release, request, status, url } = options
    this.request = request
    this.url = url
    this.status = status
    this.headers = Headers.fromInput(headers)
    this.setCookie = headers["set-cookie"] ?? []
    this.arrivals = arrivals
    this.release = release
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.setCookie)
  }

  get pull() {
    return this.arrivals.pull((cause) =>
      Cause.isDone(cause)
        ? cause
        : new HttpClientError.HttpClientError({
            reason: new HttpClientError.DecodeError({ request: this.request, response: this, cause })
          })
    )
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.HttpClientError> {
    return Stream.fromPull(Effect.sync(() => this.pull))
  }

  /** Read once and cached. */
  get arrayBuffer(): Failing<ArrayBuffer> {
    this.body ??= Effect.runSync(
      Effect.cached(Effect.map(Stream.mkUint8Array(this.stream), (bytes) => new Uint8Array(bytes).buffer))
    )
    return this.body
  }

  /** A web response with the same body, which decodes the other formats. */
  private get whole(): Failing<HttpClientResponse.HttpClientResponse> {
    return Effect.map(this.arrayBuffer, (body) =>
      HttpClientResponse.fromWeb(this.request, new Response(body, { headers: this.headers }))
    )
  }

  get json() {
    return Effect.flatMap(this.whole, ({ json }) => json)
  }

  get text() {
    return Effect.flatMap(this.whole, ({ text }) => text)
  }

  get formData() {
    return Effect.flatMap(this.whole, ({ formData }) => formData)
  }

  get urlParamsBody() {
    return Effect.flatMap(this.whole, ({ urlParamsBody }) => urlParamsBody)
  }

  get upgrade() {
    return Effect.flatMap(this.whole, ({ upgrade }) => upgrade)
  }

  override toJSON(): unknown {
    return HttpIncomingMessage.inspect(this, {
      _id: "HttpClientResponse",
      request: this.request.toJSON(),
      status: this.status
    })
  }

  pipe() {
    return pipeArguments(this, arguments)
  }
}

/** undici accepts iterables as bodies, which its types omit. */
interface DispatchesPieces {
  dispatch(
    options: Omit<Dispatcher.DispatchOptions, "body"> & { readonly body?: Dispatcher.DispatchOptions["body"] | Pieces },
    handler: Dispatcher.DispatchHandler
  ): boolean
}

/** The chunks of a body, once. undici takes one after the other, and does not close the iterator if it stops early. */
class Pieces implements AsyncIterable<Uint8Array> {
  private readonly iterator: AsyncIterator<Uint8Array>
  /** How many bytes are still to come, if the body has a length. */
  private leftBytes: number | undefined
  /** The result that was pulled after the last chunk. */
  private behind: IteratorResult<Uint8Array> | undefined

  /** The stream runs in the caller's context, because reading a source may log, trace and use the clock. */
  constructor({ contentLength, stream }: HttpBody.Stream, context: Context.Context<never>) {
    const services = Context.add(context, ScopedHttpClient.HeldBytes, heldBytes)
    this.iterator = Stream.toAsyncIterableWith(stream, services)[Symbol.asyncIterator]()
    this.leftBytes = contentLength
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this
  }

  /**
   * Returns the last chunk only after the end of the stream is known. If the server responds before undici has seen the
   * end of the body, undici closes the connection.
   */
  async next(): Promise<IteratorResult<Uint8Array>> {
    const next = this.behind ?? (await this.iterator.next())
    if (next.done === true || this.leftBytes === undefined) return next
    this.leftBytes -= next.value.length
    this.behind = this.leftBytes > 0 ? undefined : await this.iterator.next()
    return next
  }

  /** Closes the stream unless it has ended. The request is over, so errors here have no receiver. */
  close(): void {
    void this.iterator.return?.().catch(() => {})
  }
}

const bodyOf = (body: HttpBody.HttpBody, context: Context.Context<never>): Uint8Array | Pieces | null => {
  switch (body._tag) {
    case "Empty":
      return null
    case "Uint8Array":
      return body.body
    case "Stream":
      return new Pieces(body, context)
    case "Raw":
    case "FormData":
      throw new TypeError(`this client sends bytes and streams of bytes, and no ${body._tag}`)
  }
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
          origin: url.origin,
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
            const options = { request, url: url.origin + path, status, headers, arrivals, release }
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
