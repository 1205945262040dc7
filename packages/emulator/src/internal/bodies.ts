/**
 * Bodies of requests and answers, as they are sent and as faults change them.
 */
import { createReadStream } from "node:fs"
import type { IncomingMessage, ServerResponse } from "node:http"
import { PassThrough } from "node:stream"
import type { Body } from "./answer.ts"

export async function* read(body: Body): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body
  else if (body.end > body.start) yield* createReadStream(body.file, { start: body.start, end: body.end - 1 })
}

/** Reports the length of each chunk of a body. */
export async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  count: (bytes: number) => void
): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    count(chunk.length)
    yield chunk
  }
}

/** The first bytes of a body; it is read no further than that. */
export async function* upTo(chunks: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  if (left <= 0) return
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left)
    left -= chunk.length
    if (left <= 0) return
  }
}

export async function* corrupted(chunks: AsyncIterable<Uint8Array>, atByte: number): AsyncGenerator<Uint8Array> {
  let offset = 0
  for await (const chunk of chunks) {
    const index = atByte - offset
    const wrong = Uint8Array.from(chunk)
    if (index >= 0 && index < wrong.length) wrong[index] = (wrong[index] ?? 0) ^ 1
    yield wrong
    offset += chunk.length
  }
}

/** The first bytes of a body, which then breaks off, or at its end if it is shorter. */
export async function* brokenOff(chunks: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  yield* upTo(chunks, bytes)
  throw new Error("the body broke off")
}

async function* untilComplete(request: IncomingMessage, arrived: PassThrough): AsyncGenerator<Uint8Array> {
  yield* arrived
  if (!request.complete) throw new Error("the body broke off")
}

/** RFC 9112, section 6.3: a request without these fields has no body. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0"

async function* none(): AsyncGenerator<Uint8Array> {}

/**
 * The received bytes of a request's body. Fails at its end if the connection broke, but not before: by default a
 * request drops the bytes that were received and not read by then, so the number of the remaining ones would be random.
 */
export const received = (request: IncomingMessage, response: ServerResponse): AsyncIterable<Uint8Array> => {
  if (!hasBody(request)) return none()
  const arrived = new PassThrough()
  request.once("error", () => arrived.end())
  // Unread bytes must not block the next request on the connection.
  response.once("finish", () => arrived.resume())
  return untilComplete(request, request.pipe(arrived))
}

/** A body that is read whole, as long as it is small. */
export const readAll = async (body: AsyncIterable<Uint8Array>, limit: number): Promise<Buffer> => {
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of body) {
    size += chunk.length
    // The rest is read and discarded: a client that is cut off while it sends does not receive the answer.
    if (size <= limit) chunks.push(chunk)
  }
  // One byte above the limit is enough to decide.
  return size > limit ? Buffer.alloc(limit + 1) : Buffer.concat(chunks)
}
