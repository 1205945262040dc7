/**
 * An HTTP client on undici's dispatchers, for bodies of gigabytes.
 *
 * Bytes that come are kept as they are until somebody takes them, all at once, and the connection rests while there are
 * many: a consumer that is busy finds much when it comes again, and one that waits is woken once for all of it. Bytes
 * that go are asked for when those before are with the system, which has enough to send meanwhile. No stream of Node
 * stands in between.
 */
import type { IncomingHttpHeaders } from "node:http"
import * as ScopedHttpClient from "@effect-acr/client/ScopedHttpClient"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constUndefined } from "effect/Function"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import type * as Pull from "effect/Pull"
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
 * How much is kept of an answer that nobody takes, in bytes: what a processor's cache holds until it is hashed. What the
 * sockets hold comes on top.
 */
const mostKeptBytes = 192 * 1024

/**
 * How much of a body a connection holds at most when the next piece is pulled, see `HeldBytes` of the client: it takes
 * pieces until it holds so much, and then no other before all of them are gone.
 */
export const heldBytes = 64 * 1024

/**
 * Runs something when undici has released the connection of an answer that has just ended, which it does a turn of the
 * event loop later: a request that is sent before opens another connection.
 */
const whenReleased = (run: () => void): void => queueMicrotask(() => setImmediate(run))

/** How an answer ends: it is whole, or whatever undici says. */
type Ending = Effect.Effect<never, unknown>

/** Releases a piece of a response that its reader no longer uses, see `readMemory.ts`. */
type Release = (piece: Uint8Array) => void

/** The reader may use what so many pulls returned last, see `HeldResponseBytes` of the client. */
const heldPulls = 3

/** The pieces of a response that its reader may still use. */
class Held {
  private readonly recent: Array<ReadonlyArray<Uint8Array>> = []
  private readonly older: Array<Uint8Array> = []
  private olderBytes = 0
  private readonly release: Release

  constructor(release: Release) {
    this.release = release
  }

  /** Adds what a pull returns, and releases older pieces but for so many bytes and those of the last pulls. */
  add(pieces: ReadonlyArray<Uint8Array>, heldBytes: number): void {
    for (const piece of this.recent.length < heldPulls ? [] : (this.recent.shift() ?? [])) {
      this.older.push(piece)
      this.olderBytes += piece.length
    }
    this.recent.push(pieces)
    let [oldest] = this.older
    while (oldest !== undefined && this.olderBytes - oldest.length >= heldBytes) {
      this.older.shift()
      this.olderBytes -= oldest.length
      this.release(oldest)
      oldest = this.older[0]
    }
  }
}

/** The body of an answer, on its way. */
class Arrivals {
  /** Whether all has come. */
  isClosed = false
  private pieces: Array<Uint8Array> = []
  private bytes = 0
  private end: Ending | undefined
  private wake: (() => void) | undefined
  private readonly controller: Dispatcher.DispatchController
  /** None if nothing is to be released: pieces that are kept for longer than their reader needs them are collected later. */
  private readonly held: Held | undefined

  constructor(controller: Dispatcher.DispatchController, release: Release | undefined) {
    this.controller = controller
    this.held = release === undefined ? undefined : new Held(release)
  }

  /**
   * Whoever waits is woken when a turn of the event loop has read what the sockets hold, or as much as is kept: woken for
   * each piece, it would seldom find more than one.
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

  /** The end is told when the connection can take the next request, which may be that of whoever waits for it. */
  close(end: Ending): void {
    this.isClosed = true
    whenReleased(() => {
      this.end = end
      this.wake?.()
    })
  }

  private readonly arrival = Effect.callback<void>((resume) => {
    this.wake = () => {
      this.wake = undefined
      resume(Effect.void)
    }
    return Effect.sync(() => {
      this.wake = undefined
    })
  })

  /** What has come, or comes next. */
  readonly pull: Pull.Pull<Arr.NonEmptyReadonlyArray<Uint8Array>, unknown> = Effect.flatMap(
    ScopedHttpClient.HeldResponseBytes,
    (heldBytes) => {
      const pieces = this.pieces
      if (Arr.isArrayNonEmpty(pieces)) {
        this.pieces = []
        this.bytes = 0
        if (heldBytes !== undefined) this.held?.add(pieces, heldBytes)
        this.controller.resume()
        return Effect.succeed(pieces)
      }
      return this.end ?? Effect.andThen(this.arrival, this.pull)
    }
  )
}

type Failing<A> = Effect.Effect<A, HttpClientError.HttpClientError>

/** An answer, whose body comes by and by. */
class Answer extends Inspectable.Class implements HttpClientResponse.HttpClientResponse {
  readonly [HttpIncomingMessage.TypeId] = HttpIncomingMessage.TypeId
  readonly [HttpClientResponse.TypeId] = HttpClientResponse.TypeId
  readonly request: HttpClientRequest.HttpClientRequest
  readonly url: string
  readonly status: number
  readonly headers: Headers.Headers
  readonly remoteAddress = Option.none<string>()
  private readonly setCookie: ReadonlyArray<string>
  private readonly arrivals: Arrivals
  private body: Failing<ArrayBuffer> | undefined

  constructor(options: {
    readonly request: HttpClientRequest.HttpClientRequest
    readonly url: string
    readonly status: number
    readonly headers: IncomingHttpHeaders
    readonly arrivals: Arrivals
  }) {
    super()
    const { arrivals, headers, request, status, url } = options
    this.request = request
    this.url = url
    this.status = status
    this.headers = Headers.fromInput(headers)
    this.setCookie = headers["set-cookie"] ?? []
    this.arrivals = arrivals
  }

  get cookies(): Cookies.Cookies {
    return Cookies.fromSetCookie(this.setCookie)
  }

  get stream(): Stream.Stream<Uint8Array, HttpClientError.HttpClientError> {
    return Stream.mapError(
      Stream.fromPull(Effect.succeed(this.arrivals.pull)),
      (cause) =>
        new HttpClientError.HttpClientError({
          reason: new HttpClientError.DecodeError({ request: this.request, response: this, cause })
        })
    )
  }

  /** Read once, however often it is asked for. */
  get arrayBuffer(): Failing<ArrayBuffer> {
    this.body ??= Effect.runSync(
      Effect.cached(Effect.map(Stream.mkUint8Array(this.stream), (bytes) => new Uint8Array(bytes).buffer))
    )
    return this.body
  }

  /** An answer of the web with the same body, from which everything else is read. */
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

/** What undici takes as a body: its types leave iterables out. */
interface DispatchesPieces {
  dispatch(
    options: Omit<Dispatcher.DispatchOptions, "body"> & { readonly body?: Dispatcher.DispatchOptions["body"] | Pieces },
    handler: Dispatcher.DispatchHandler
  ): boolean
}

/** The pieces of a body, once. undici takes one after the other, and leaves it to others to end them before their end. */
class Pieces implements AsyncIterable<Uint8Array> {
  private readonly iterator: AsyncIterator<Uint8Array>
  /** How many bytes are still to come, if the body has a length. */
  private leftBytes: number | undefined
  /** What was pulled beyond the last piece. */
  private behind: IteratorResult<Uint8Array> | undefined

  /** They are made in the caller's context: what reads a source may log, trace and ask for the time. */
  constructor({ contentLength, stream }: HttpBody.Stream, context: Context.Context<never>) {
    const services = Context.add(context, ScopedHttpClient.HeldBytes, heldBytes)
    this.iterator = Stream.toAsyncIterableWith(stream, services)[Symbol.asyncIterator]()
    this.leftBytes = contentLength
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this
  }

  /**
   * The last piece is given when it is known that nothing follows: if the server answers before undici has seen the end of
   * the body, undici closes the connection.
   */
  async next(): Promise<IteratorResult<Uint8Array>> {
    const next = this.behind ?? (await this.iterator.next())
    if (next.done === true || this.leftBytes === undefined) return next
    this.leftBytes -= next.value.length
    this.behind = this.leftBytes > 0 ? undefined : await this.iterator.next()
    return next
  }

  /** Ends what gives them, unless it has ended. The request is over: what goes wrong here has nobody to be told. */
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
 * Whether a server that wrongly sends a body after a HEAD may send content that somebody else has put there: a blob could be
 * an answer to the next request on the connection. That something is not there, no content says.
 */
const mayBring = (status: number): boolean => status < 400

/** What sends requests, and to what the pieces of their answers are released, by the protocol of a request. */
interface Sending {
  readonly dispatcher: DispatchesPieces
  readonly releaseOf: (protocol: string) => Release | undefined
}

/** Sends a request, and hands out how to give it up: before its answer came, or after that. */
const send = (
  sending: Sending,
  request: HttpClientRequest.HttpClientRequest,
  url: URL,
  handOut: (giveUp: () => void) => void
): Failing<Answer> =>
  Effect.contextWith((context: Context.Context<never>) => sendWithin(context, sending, request, url, handOut))

const sendWithin = (
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

    /** A request that still waits for its connection is given up when it has one. */
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
          // Whoever asks knows how long to wait.
          headersTimeout: 0,
          bodyTimeout: 0
        },
        {
          onRequestStart: (started) => {
            controller = started
            if (isGivenUp) giveUp()
          },
          onResponseStart: (started, status, headers) => {
            // Preliminary answers say nothing.
            if (status < 200) return
            const body = (arrivals = new Arrivals(started, releaseOf(url.protocol)))
            const answer = Effect.succeed(new Answer({ request, url: url.origin + path, status, headers, arrivals }))
            if (request.method === "HEAD" && mayBring(status)) {
              end(Cause.done())
              started.abort(new Error("the connection is not used again"))
            }
            // A small answer, which came whole, is told whole.
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

const urlOf = (request: HttpClientRequest.HttpClientRequest): Effect.Effect<URL, HttpClientError.HttpClientError> =>
  Effect.mapError(
    Effect.fromResult(Url.make(request.url, request.urlParams, Option.getOrUndefined(request.hash))),
    (cause) => new HttpClientError.HttpClientError({ reason: new HttpClientError.InvalidUrlError({ request, cause }) })
  )

/** Makes an HTTP client that sends everything by one dispatcher. Redirects are answers like others. */
export const make = (
  dispatcher: Pick<Dispatcher, "dispatch">,
  releaseOf: Sending["releaseOf"] = constUndefined
): ScopedHttpClient.ScopedHttpClient =>
  ScopedHttpClient.make(
    HttpClient.make((request, url, signal) =>
      send({ dispatcher, releaseOf }, request, url, (giveUp) => {
        if (signal.aborted) giveUp()
        signal.addEventListener("abort", giveUp)
      })
    ),
    (request) =>
      Effect.flatMap(urlOf(request), (url) => {
        let giveUp: (() => void) | undefined
        const sent = send({ dispatcher, releaseOf }, request, url, (handedOut) => {
          giveUp = handedOut
        })
        return Effect.andThen(
          Effect.addFinalizer(() => Effect.sync(() => giveUp?.())),
          sent
        )
      })
  )
