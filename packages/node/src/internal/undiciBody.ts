/**
 * The body of a request as undici takes it.
 *
 * The next bytes to send are pulled when the system has taken the ones before, so it has enough to send meanwhile. There is
 * no stream of Node in between.
 */
import * as ScopedHttpClient from "@effect-acr/client/ScopedHttpClient"
import * as Context from "effect/Context"
import * as Stream from "effect/Stream"
import type * as HttpBody from "effect/http/HttpBody"

/**
 * The maximum number of bytes of a body that a connection holds when the next chunk is pulled, see `HeldBytes` of the
 * client. It takes chunks up to this limit, and the next one only after all of them are sent.
 */
export const heldBytes = 64 * 1024

/** The chunks of a body, once. undici takes one after the other, and does not close the iterator if it stops early. */
export class Pieces implements AsyncIterable<Uint8Array> {
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

export const bodyOf = (body: HttpBody.HttpBody, context: Context.Context<never>): Uint8Array | Pieces | null => {
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
