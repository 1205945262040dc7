/**
 * A response of undici.
 *
 * Received bytes are buffered until the consumer pulls, which takes all of them at once. The connection is paused while
 * the buffer is full. So a busy consumer finds many bytes at its next pull, and a waiting one is woken once for all of
 * them. There is no stream of Node in between.
 */
import type { IncomingHttpHeaders } from "node:http"
import * as ScopedHttpClient from "@effect-acr/client/ScopedHttpClient"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import { pipeArguments } from "effect/Pipeable"
import * as Stream from "effect/Stream"
import * as Cookies from "effect/http/Cookies"
import * as Headers from "effect/http/Headers"
import * as HttpClientError from "effect/http/HttpClientError"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import * as HttpIncomingMessage from "effect/http/HttpIncomingMessage"
import type { Dispatcher } from "undici"

/**
 * The limit of the buffer of a response that is not read, in bytes: as much as stays in a processor's cache until it is
 * hashed. The buffers of the sockets come on top.
 */
const mostKeptBytes = 192 * 1024

/**
 * Runs a callback when undici has released the connection of a response that has just ended. That takes a turn of the
 * event loop, and a request that is sent earlier opens another connection.
 */
export const whenReleased = (run: () => void): void => queueMicrotask(() => setImmediate(run))

/** The end of a response: completion, or the error of undici. */
export type Ending = Effect.Effect<never, unknown>

/** Releases a chunk of a response that its reader no longer uses, see `readMemory.ts`. */
export type Release = (piece: Uint8Array) => void

/** The body of a response, as it arrives. */
export class Arrivals {
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

/** An effect that fails as requests of an HTTP client do. */
export type Failing<A> = Effect.Effect<A, HttpClientError.HttpClientError>

/** A response, whose body is still arriving. */
export class Answer extends Inspectable.Class implements ScopedHttpClient.PulledResponse {
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
