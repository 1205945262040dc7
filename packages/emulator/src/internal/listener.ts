/**
 * A server on a port: writes answers to connections, changed by faults.
 */
import * as Http from "node:http"
import * as Https from "node:https"
import type { Server, Socket } from "node:net"
import { Readable } from "node:stream"
import { finished, pipeline } from "node:stream/promises"
import { TLSSocket } from "node:tls"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as HttpServerError from "effect/http/HttpServerError"
import type { Consequence } from "../Fault.ts"
import { type Answer, empty, lengthOf } from "./answer.ts"
import * as Bodies from "./bodies.ts"
import type { Certificate } from "./certificate.ts"

/** How a server handles a request. */
interface Exchange {
  /** The fault that affects it. */
  readonly fault: Consequence | undefined
  /** Carries it out. Reports errors in its answer. The body fails where it breaks off. */
  readonly answer: (body: AsyncIterable<Uint8Array>) => Promise<Answer>
  /** Called with the status that is sent; 0 for none. */
  readonly done: (status: number) => void
  /** Called with the number of bytes of the body that were read. */
  readonly read: (bytes: number) => void
  /** Called with the number of bytes of the answer's body that were written. */
  readonly wrote: (bytes: number) => void
  /** Called when the request has ended. */
  readonly over: () => void
}

type Handler = (request: Http.IncomingMessage) => Exchange

type Headers = Http.OutgoingHttpHeaders

/** Headers with others in place of those of the same name, however it is written. `null` removes one. */
const changed = (headers: Headers, changes: { readonly [name: string]: string | null }): Headers => {
  const result = { ...headers }
  for (const [name, value] of Object.entries(changes)) {
    for (const known of Object.keys(result)) {
      if (known.toLowerCase() === name.toLowerCase()) delete result[known]
    }
    if (value !== null) result[name] = value
  }
  return result
}

const headersOf = ({ body, headers, status }: Answer, fault: Consequence | undefined): Headers => {
  // RFC 9110, section 8.6: an answer that never has content has no length.
  const length = body === undefined || status === 204 ? {} : { "Content-Length": String(lengthOf(body)) }
  return changed(changed(length, headers), fault?._tag === "Headers" ? fault.headers : {})
}

/** Sends everything before the connection is closed, so that the client receives it. */
const send = (
  response: Http.ServerResponse,
  chunks: AsyncIterable<Uint8Array>,
  options: { readonly end: boolean; readonly signal: AbortSignal }
): Promise<void> => pipeline(Readable.from(chunks, { objectMode: false }), response, options)

/** Sends bytes in memory, which need no streams. */
const sendWhole = (response: Http.ServerResponse, bytes: Uint8Array, signal: AbortSignal): Promise<void> => {
  const sent = finished(response, { signal })
  response.end(bytes)
  return sent
}

/** Fails if the connection closes before the answer is sent. */
const writeAnswer = async (
  response: Http.ServerResponse,
  answer: Answer,
  { fault, gone, wrote }: { readonly gone: AbortSignal } & Pick<Exchange, "fault" | "wrote">
): Promise<void> => {
  response.writeHead(answer.status, headersOf(answer, fault))
  const body = answer.body ?? new Uint8Array()
  const chunks = Bodies.read(body)
  const write = (written: AsyncIterable<Uint8Array>, end: boolean): Promise<void> =>
    send(response, Bodies.counted(written, wrote), { end, signal: gone })
  switch (fault?._tag) {
    case "CutBody":
      response.flushHeaders()
      await write(Bodies.upTo(chunks, fault.afterBytes), false)
      response.socket?.destroySoon()
      return
    case "StallBody":
      response.flushHeaders()
      // An answer that is complete earlier must not delay the next one on its connection.
      return write(
        Bodies.upTo(chunks, fault.afterBytes),
        response.req.method === "HEAD" || lengthOf(body) <= fault.afterBytes
      )
    case "CorruptBody":
      return write(Bodies.corrupted(chunks, fault.atByte), true)
    default:
      if (!(body instanceof Uint8Array)) return write(chunks, true)
      wrote(body.length)
      return sendWhole(response, body, gone)
  }
}

/** Carries out a request whose answer is lost. */
const lose = async (exchange: Exchange, body: AsyncIterable<Uint8Array>): Promise<void> => {
  const { undelivered } = await exchange.answer(body)
  await undelivered?.()
  exchange.done(0)
}

/** Resets a connection. An encrypted one can only be closed without notice. */
const reset = ({ socket }: Http.IncomingMessage): void => {
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}

const respond = async (
  exchange: Exchange,
  request: Http.IncomingMessage,
  response: Http.ServerResponse,
  gone: AbortSignal
): Promise<void> => {
  const { done, fault, read, wrote } = exchange
  const body = () => Bodies.counted(Bodies.received(request, response), read)
  switch (fault?._tag) {
    case "Reset":
      done(0)
      reset(request)
      return
    case "Stall":
      done(0)
      return
    case "LostAnswer":
      await lose(exchange, body())
      reset(request)
      return
    case "ResetRequest":
      await lose(exchange, Bodies.brokenOff(body(), fault.afterBytes))
      reset(request)
      return
    case "StallRequest":
      return lose(exchange, Bodies.brokenOff(body(), fault.afterBytes))
    case "Answer": {
      const text = new TextEncoder().encode(fault.body ?? "")
      done(fault.status)
      return writeAnswer(
        response,
        { ...empty(fault.status, fault.headers), body: text },
        { fault: undefined, gone, wrote }
      )
    }
    default: {
      const answer = await exchange.answer(body())
      done(gone.aborted ? 0 : answer.status)
      try {
        gone.throwIfAborted()
        await writeAnswer(response, answer, { fault, gone, wrote })
      } catch {
        await answer.undelivered?.()
        response.destroy()
      }
    }
  }
}

/** The requests of each connection that only wait for its end. */
type Waiting = WeakMap<Socket, Set<AbortController>>

/** The requests of a connection. There are many if they are pipelined, so the connection has one listener for all. */
const waitingOn = (waiting: Waiting, socket: Socket): Set<AbortController> => {
  const known = waiting.get(socket)
  if (known !== undefined) return known
  const made = new Set<AbortController>()
  waiting.set(socket, made)
  socket.once("close", () => {
    for (const gone of made) gone.abort()
  })
  return made
}

/** Returns a signal of the end of a request's connection: a waiting answer would not notice it otherwise. */
const whileConnected = async (all: Set<AbortController>, use: (gone: AbortSignal) => Promise<void>): Promise<void> => {
  const gone = new AbortController()
  all.add(gone)
  try {
    await use(gone.signal)
  } finally {
    all.delete(gone)
  }
}

/** An open port. */
export interface Listener {
  readonly port: number
  /** Starts to answer requests. */
  readonly serve: (handler: Handler) => void
}

const onRequest = (handler: Handler): Http.RequestListener => {
  const waiting: Waiting = new WeakMap()
  return (request, response) => {
    // A broken connection ends its request. The client knows already.
    request.on("error", () => response.destroy())
    response.on("error", () => request.destroy())
    const exchange = handler(request)
    whileConnected(waitingOn(waiting, request.socket), (gone) => respond(exchange, request, response, gone))
      .catch(() => response.destroy())
      .finally(exchange.over)
  }
}

/** Node aborts requests that take longer than five minutes, which an upload may. */
const serverOptions: Http.ServerOptions = { requestTimeout: 0 }

interface Opened {
  readonly server: Http.Server
  readonly connections: { readonly close: () => void }
}

/**
 * Ends every connection of a server. `closeAllConnections` does not include those that have received neither a request
 * nor the beginning of TLS, and the server would wait two minutes for them.
 */
const connectionsOf = (server: Server): Opened["connections"] => {
  const open = new Set<Socket>()
  server.on("connection", (socket: Socket) => {
    open.add(socket)
    socket.once("close", () => open.delete(socket))
  })
  return {
    close: () => {
      for (const socket of open) socket.destroy()
    }
  }
}

/**
 * Opens a port until the scope closes. Closing also ends every connection.
 */
export const listen = (options: {
  readonly host: string
  readonly port: number
  readonly certificate: Certificate | undefined
}): Effect.Effect<Listener, HttpServerError.ServeError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Opened, HttpServerError.ServeError>((resume) => {
      const server =
        options.certificate === undefined
          ? Http.createServer(serverOptions)
          : Https.createServer({ ...serverOptions, cert: options.certificate.cert, key: options.certificate.key })
      server.once("error", (cause) => resume(Effect.fail(new HttpServerError.ServeError({ cause }))))
      const connections = connectionsOf(server)
      server.listen(options.port, options.host, () => resume(Effect.succeed({ server, connections })))
    }),
    ({ connections, server }) =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        connections.close()
      })
  ).pipe(
    Effect.map(({ server }) => {
      const address = server.address()
      return {
        port: typeof address === "object" && address !== null ? address.port : options.port,
        serve: (handler) => {
          server.on("request", onRequest(handler))
        }
      }
    })
  )

const codeOf = ({ cause }: HttpServerError.ServeError): unknown =>
  cause instanceof Error && "code" in cause ? cause.code : undefined

/** The errors of a machine without IPv6. */
const hasNoSuchAddress = (error: HttpServerError.ServeError): boolean =>
  ["EADDRNOTAVAIL", "EAFNOSUPPORT"].includes(String(codeOf(error)))

/**
 * Opens a port on 127.0.0.1 and, if the machine has IPv6, the same port on ::1. `localhost` may be either, and a client
 * that tries ::1 first must not reach another program there.
 */
export const listenOnLoopback = (
  certificate: Certificate | undefined
): Effect.Effect<Listener, HttpServerError.ServeError, Scope.Scope> =>
  Effect.gen(function* () {
    const first = yield* listen({ host: "127.0.0.1", port: 0, certificate })
    const second = yield* listen({ host: "::1", port: first.port, certificate }).pipe(
      Effect.catchIf(hasNoSuchAddress, () => Effect.void)
    )
    return {
      port: first.port,
      serve: (handler: Handler) => {
        first.serve(handler)
        second?.serve(handler)
      }
    }
  }).pipe(Effect.retry({ times: 5, while: (error) => codeOf(error) === "EADDRINUSE" }))
