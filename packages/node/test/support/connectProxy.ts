/**
 * A proxy on this machine that connects by name, like squid (RFC 9110, CONNECT).
 */
import { createServer, type IncomingMessage, type Server } from "node:http"
import { createServer as createSecureServer, type ServerOptions } from "node:https"
import { connect, type Socket } from "node:net"
import type { Duplex } from "node:stream"
import * as Effect from "effect/Effect"

/** The behaviour of a proxy. */
export interface Behaviour {
  /** The port of this machine to which it connects, whatever the host. Defaults to the port of the request. */
  readonly leadsTo?: number
  /** Answers a request for a tunnel instead of opening one. */
  readonly answers?: (request: IncomingMessage, socket: Duplex) => void
  /** Options of its TLS server. Defaults to plain http. */
  readonly tls?: ServerOptions
  /** Called with each request for a tunnel. */
  readonly onTunnel?: (request: IncomingMessage) => void
}

export interface ConnectProxy {
  readonly port: number
  /** `127.0.0.1:3128` */
  readonly host: string
  /** The host and port of each request for a tunnel: `registry.example:443`. */
  readonly asked: ReadonlyArray<string>
  /** The `Proxy-Authorization` header of each request for a tunnel. */
  readonly logins: ReadonlyArray<string | undefined>
  /** All other requests. */
  readonly others: ReadonlyArray<string>
  /** The bytes that clients sent through tunnels, as text. */
  readonly sent: () => string
  /** How many connections to it are open. */
  readonly open: () => number
}

const portOf = (server: Server): number => {
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : 0
}

/** A proxy, until the scope closes. */
export const connectProxy = (behaviour: Behaviour = {}) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly proxy: ConnectProxy; readonly close: () => void }>((resume) => {
        const asked: Array<string> = []
        const logins: Array<string | undefined> = []
        const others: Array<string> = []
        const sockets = new Set<Duplex>()
        let sent = ""

        const server =
          behaviour.tls === undefined ? createServer() : createSecureServer({ ...behaviour.tls, minVersion: "TLSv1.2" })
        server.on("request", (request, response) => {
          others.push(`${request.method} ${request.url}`)
          response.writeHead(400).end()
        })
        server.on("connection", (socket: Socket) => {
          sockets.add(socket)
          socket.on("error", () => {})
          socket.on("close", () => sockets.delete(socket))
        })
        server.on("connect", (request: IncomingMessage, client: Duplex, head: Buffer) => {
          const authority = request.url ?? ""
          asked.push(authority)
          logins.push(request.headers["proxy-authorization"])
          client.on("error", () => {})
          behaviour.onTunnel?.(request)
          if (behaviour.answers !== undefined) {
            // Otherwise the end of the client's connection is not noticed.
            client.on("end", () => client.destroy()).resume()
            return behaviour.answers(request, client)
          }
          const upstream = connect(behaviour.leadsTo ?? Number(authority.split(":").at(-1)), "127.0.0.1", () => {
            client.write("HTTP/1.1 200 Connection established\r\n\r\n")
            sent += head.toString("latin1")
            upstream.write(head)
            client.on("data", (piece: Buffer) => {
              sent += piece.toString("latin1")
            })
            client.pipe(upstream)
            upstream.pipe(client)
          })
          const end = () => {
            client.destroy()
            upstream.destroy()
          }
          upstream.on("error", end)
          upstream.on("close", end)
          client.on("close", end)
        })
        server.listen(0, "127.0.0.1", () => {
          const port = portOf(server)
          const proxy = {
            port,
            host: `127.0.0.1:${port}`,
            asked,
            logins,
            others,
            sent: () => sent,
            open: () => sockets.size
          }
          const close = () => {
            for (const socket of sockets) socket.destroy()
            server.close()
          }
          resume(Effect.succeed({ proxy, close }))
        })
      }),
      ({ close }) => Effect.sync(close)
    ),
    ({ proxy }) => proxy
  )

/** Refuses a tunnel with a status. */
export const refusing =
  (status: number) =>
  (_: IncomingMessage, socket: Duplex): void => {
    socket.end(`HTTP/1.1 ${status} Whatever\r\ncontent-length: 0\r\n\r\n`)
  }
