/**
 * A server on a port: writes answers to connections, or what a fault makes of them.
 */
import * as Http from "node:http"
import * as Https from "node:https"
import { createReadStream } from "node:fs"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as HttpServerError from "effect/http/HttpServerError"
import type { Consequence } from "../Fault.ts"
import { type Answer, type Body, empty, error, lengthOf } from "./answer.ts"
import type { Certificate } from "./certificate.ts"

/** What a server does with a request. */
export interface Exchange {
  /** The fault that hits it. */
  readonly fault: Consequence | undefined
  /** Carries it out. */
  readonly answer: () => Promise<Answer>
  /** Is told the status that went out; 0 for none. */
  readonly done: (status: number) => void
}

export type Handler = (request: Http.IncomingMessage) => Exchange

async function* read(body: Body): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) yield body
  else if (body.end > body.start) yield* createReadStream(body.file, { start: body.start, end: body.end - 1 })
}

async function* upTo(chunks: AsyncIterable<Uint8Array>, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes
  for await (const chunk of chunks) {
    yield chunk.subarray(0, left)
    left -= chunk.length
    if (left <= 0) return
  }
}

async function* corrupted(chunks: AsyncIterable<Uint8Array>, atByte: number): AsyncGenerator<Uint8Array> {
  let offset = 0
  for await (const chunk of chunks) {
    const index = atByte - offset
    const wrong = Uint8Array.from(chunk)
    if (index >= 0 && index < wrong.length) wrong[index] = (wrong[index] ?? 0) ^ 1
    yield wrong
    offset += chunk.length
  }
}

const changedHeaders = (answer: Answer, fault: Consequence | undefined): Http.OutgoingHttpHeaders => {
  const length = answer.body === undefined ? {} : { "Content-Length": String(lengthOf(answer.body)) }
  const headers: Http.OutgoingHttpHeaders = { ...length, ...answer.headers }
  if (fault?._tag !== "Headers") return headers
  for (const [name, value] of Object.entries(fault.headers)) {
    for (const known of Object.keys(headers)) {
      if (known.toLowerCase() === name.toLowerCase()) delete headers[known]
    }
    if (value !== null) headers[name] = value
  }
  return headers
}

/** Sends everything before the connection goes, so that the other side has it. */
const send = (response: Http.ServerResponse, chunks: AsyncIterable<Uint8Array>, end: boolean): Promise<void> =>
  pipeline(Readable.from(chunks, { objectMode: false }), response, { end })

const writeAnswer = async (
  response: Http.ServerResponse,
  answer: Answer,
  fault: Consequence | undefined
): Promise<void> => {
  response.writeHead(answer.status, changedHeaders(answer, fault))
  const chunks = answer.body === undefined ? read(new Uint8Array()) : read(answer.body)
  switch (fault?._tag) {
    case "CutBody":
      await send(response, upTo(chunks, fault.afterBytes), false)
      response.socket?.destroySoon()
      return
    case "StallBody":
      return send(response, upTo(chunks, fault.afterBytes), false)
    case "CorruptBody":
      return send(response, corrupted(chunks, fault.atByte), true)
    default:
      return send(response, chunks, true)
  }
}

const respond = async (
  { answer, done, fault }: Exchange,
  request: Http.IncomingMessage,
  response: Http.ServerResponse
): Promise<void> => {
  switch (fault?._tag) {
    case "Reset":
      done(0)
      request.socket.resetAndDestroy()
      return
    case "Stall":
      done(0)
      return
    case "LostAnswer":
      await answer()
      done(0)
      request.socket.resetAndDestroy()
      return
    case "Answer": {
      const body = new TextEncoder().encode(fault.body ?? "")
      done(fault.status)
      return writeAnswer(response, { ...empty(fault.status, fault.headers), body }, undefined)
    }
    default: {
      const given = await answer()
      done(given.status)
      return writeAnswer(response, given, fault)
    }
  }
}

/** An open port. */
export interface Listener {
  readonly port: number
  /** Begins to answer. */
  readonly serve: (handler: Handler) => void
}

/** A handler that threw is a fault of the registry's own, which it tells. */
const internalError = error(500, "UNKNOWN", "unknown error")

const onRequest =
  (handler: Handler): Http.RequestListener =>
  (request, response) => {
    // A connection that breaks ends its request; the other side knows already.
    request.on("error", () => response.destroy())
    response.on("error", () => request.destroy())
    respond(handler(request), request, response).catch(() => {
      if (response.headersSent || request.destroyed) response.destroy()
      else void writeAnswer(response, internalError, undefined).catch(() => response.destroy())
    })
  }

/**
 * Opens a port until the scope closes, which also ends every connection.
 */
export const listen = (options: {
  readonly host: string
  readonly port: number
  readonly certificate: Certificate | undefined
}): Effect.Effect<Listener, HttpServerError.ServeError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Http.Server, HttpServerError.ServeError>((resume) => {
      const server =
        options.certificate === undefined ? Http.createServer() : Https.createServer({ ...options.certificate })
      server.once("error", (cause) => resume(Effect.fail(new HttpServerError.ServeError({ cause }))))
      server.listen(options.port, options.host, () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        server.closeAllConnections()
      })
  ).pipe(
    Effect.map((server) => {
      const address = server.address()
      return {
        port: typeof address === "object" && address !== null ? address.port : options.port,
        serve: (handler) => {
          server.on("request", onRequest(handler))
        }
      }
    })
  )
