/**
 * A server that keeps to nothing: what it sends, and when it cuts, is data.
 *
 * It speaks to sockets, since an HTTP library would not let it say what a hostile or a broken registry says.
 */
import { randomUUID } from "node:crypto"
import { createServer as createTcpServer, type Server, type Socket } from "node:net"
import { createServer as createTlsServer, TLSSocket } from "node:tls"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { generate } from "selfsigned"

/** A request as far as it came. */
interface Asked {
  readonly method: string
  readonly target: string
  /** By lower-case name; the last one where there are several. */
  readonly headers: { readonly [name: string]: string }
  readonly body: string
}

/**
 * What is sent.
 *
 * - a text or bytes;
 * - `endless`: the same bytes again and again, as long as the client reads;
 * - `cut`: the end of the connection; `reset`: its reset;
 * - `hold`: nothing more, for as long as the other side waits.
 */
export type Piece = string | Uint8Array | { readonly endless: string } | "<cut>" | "<reset>" | "<hold>"

/** Answers the requests that it fits; `times` of them. Defaults to all. */
export interface Rule {
  /** Against `GET /v2/…`. */
  readonly on: RegExp
  readonly times?: number
  readonly send: ReadonlyArray<Piece> | ((asked: Asked) => ReadonlyArray<Piece>)
}

export interface Hostile {
  readonly endpoint: string
  /** Its own certificate, in PEM, if it speaks TLS. */
  readonly certificate: string
  readonly asked: ReadonlyArray<Asked>
  /** How many bytes were taken from it. */
  readonly sentBytes: () => number
  /** How many connections are open. */
  readonly open: () => number
}

/** An answer with a length. */
export const answer = (
  status: number,
  headers: { readonly [name: string]: string | ReadonlyArray<string> } = {},
  body = ""
): string =>
  [
    `HTTP/1.1 ${status} Whatever`,
    ...Object.entries({ "Content-Length": String(Buffer.byteLength(body)), ...headers }).flatMap(([name, values]) =>
      (typeof values === "string" ? [values] : values).map((value) => `${name}: ${value}`)
    ),
    "",
    body
  ].join("\r\n")

/** The first request in what came so far, and what is left behind it. */
const parse = (received: string): readonly [Asked, string] | undefined => {
  const end = received.indexOf("\r\n\r\n")
  if (end === -1) return undefined
  const [line = "", ...rest] = received.slice(0, end).split("\r\n")
  const headers = Object.fromEntries(
    rest.map((header) => {
      const colon = header.indexOf(":")
      return [header.slice(0, colon).toLowerCase(), header.slice(colon + 1).trim()]
    })
  )
  const [method = "", target = ""] = line.split(" ")
  const after = received.slice(end + 4)
  if (headers["transfer-encoding"] !== undefined) {
    const last = after.indexOf("0\r\n\r\n")
    return last === -1 ? undefined : [{ method, target, headers, body: after.slice(0, last) }, after.slice(last + 5)]
  }
  const length = Number(headers["content-length"] ?? 0)
  return after.length < length
    ? undefined
    : [{ method, target, headers, body: after.slice(0, length) }, after.slice(length)]
}

/** Sends one piece, and tells whether anything may follow. */
const sendPiece = async (socket: Socket, piece: Piece): Promise<boolean> => {
  if (piece === "<cut>") {
    socket.end()
    return false
  }
  if (piece === "<reset>") {
    // Under TLS a server cannot send a reset: the connection ends without a word.
    if (socket instanceof TLSSocket) socket.destroy()
    else socket.resetAndDestroy()
    return false
  }
  if (piece === "<hold>") return false
  const isEndless = typeof piece === "object" && "endless" in piece
  const bytes = isEndless ? Buffer.from(piece.endless, "latin1") : piece
  for (let rounds = isEndless ? Number.POSITIVE_INFINITY : 1; rounds > 0; rounds--) {
    if (socket.destroyed || socket.writableEnded) return false
    if (!socket.write(bytes)) {
      await new Promise<void>((resolve) => {
        socket.once("drain", resolve)
        socket.once("close", () => resolve())
      })
    }
    // The reader has a chance to stop.
    await new Promise(setImmediate)
  }
  return true
}

/**
 * Listens on this machine, as long as the scope lasts.
 *
 * With a greeting it does not wait to be asked, and its endpoint promises a TLS that it does not speak.
 */
export const listen = (
  rules: (endpoint: string) => ReadonlyArray<Rule>,
  options: { readonly tls?: boolean; readonly greet?: ReadonlyArray<Piece> } = {}
): Effect.Effect<Hostile, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { cert, private: key } = yield* Effect.promise(() =>
      // Of a name of its own, so that several can be trusted at once.
      generate([{ name: "commonName", value: randomUUID() }], {
        keyType: "ec",
        extensions: [
          { name: "basicConstraints", cA: true, critical: true },
          { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }
        ]
      })
    )
    const asked: Array<Asked> = []
    const sockets = new Set<Socket>()
    const used = new Map<Rule, number>()
    let closedBytes = 0
    let known: ReadonlyArray<Rule> = []

    const ruleFor = ({ method, target }: Asked): Rule | undefined => {
      const rule = known.find(
        (one) => one.on.test(`${method} ${target}`) && (used.get(one) ?? 0) < (one.times ?? Number.POSITIVE_INFINITY)
      )
      if (rule !== undefined) used.set(rule, (used.get(rule) ?? 0) + 1)
      return rule
    }

    const converse = (socket: Socket) => {
      sockets.add(socket)
      socket.on("close", () => {
        closedBytes += socket.bytesWritten
        sockets.delete(socket)
      })
      // A connection that breaks is what this is about.
      socket.on("error", () => {})
      let received = ""
      let turn: Promise<unknown> = Promise.resolve()
      const send = async (pieces: ReadonlyArray<Piece>) => {
        for (const piece of pieces) if (!(await sendPiece(socket, piece))) return
      }
      if (options.greet !== undefined) turn = send(options.greet)
      socket.on("data", (bytes) => {
        received += bytes.toString("latin1")
        for (let next = parse(received); next !== undefined; next = parse(received)) {
          const [request, rest] = next
          received = rest
          asked.push(request)
          const rule = ruleFor(request)
          const pieces = rule === undefined ? [answer(404, {}, "nothing here")] : rule.send
          turn = turn.then(() => send(typeof pieces === "function" ? pieces(request) : pieces))
        }
      })
    }

    const server: Server = yield* Effect.acquireRelease(
      Effect.callback<Server>((resume) => {
        const made = options.tls === true ? createTlsServer({ key, cert }, converse) : createTcpServer(converse)
        made.on("tlsClientError", () => {})
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (running) =>
        Effect.sync(() => {
          for (const socket of sockets) socket.destroy()
          running.close()
        })
    )
    const address = server.address()
    const port = typeof address === "object" ? (address?.port ?? 0) : 0
    const endpoint = `${options.tls === true || options.greet !== undefined ? "https" : "http"}://127.0.0.1:${port}`
    known = rules(endpoint)
    return {
      endpoint,
      certificate: cert,
      asked,
      sentBytes: () => Array.from(sockets).reduce((sum, { bytesWritten }) => sum + bytesWritten, closedBytes),
      open: () => sockets.size
    }
  })
