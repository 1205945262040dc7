/**
 * A stretch of wire: it counts what passes in both directions, and can be cut.
 */
import * as Net from "node:net"
import * as Effect from "effect/Effect"

/** A connection through the proxy. */
interface Connection {
  /** Bytes from the client to the server, and back. */
  readonly up: number
  readonly down: number
  readonly open: boolean
}

export interface Proxy {
  readonly port: number
  readonly connections: ReadonlyArray<Connection>
  /** Cuts the connection that carries it after so many bytes in a direction, all connections counted; then the next. */
  readonly cutAfter: (direction: "up" | "down", bytes: ReadonlyArray<number>) => void
}

/** All bytes of a direction. */
export const total = ({ connections }: Proxy, direction: "up" | "down"): number =>
  connections.reduce((sum, connection) => sum + connection[direction], 0)

/**
 * Opens a port of this machine that leads to another one, until the scope closes.
 */
export const proxyTo = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly proxy: Proxy; readonly close: () => void }>((resume) => {
      const connections: Array<{ up: number; down: number; open: boolean }> = []
      const sockets = new Set<Net.Socket>()
      const cuts: { up: Array<number>; down: Array<number> } = { up: [], down: [] }

      const server = Net.createServer((client) => {
        const connection = { up: 0, down: 0, open: true }
        connections.push(connection)
        const upstream = Net.connect(port, "127.0.0.1")
        const end = () => {
          connection.open = false
          client.destroy()
          upstream.destroy()
        }
        const relay = (from: Net.Socket, to: Net.Socket, direction: "up" | "down") => {
          sockets.add(from)
          from.on("error", end)
          from.on("close", end)
          from.on("data", (chunk: Buffer) => {
            connection[direction] += chunk.length
            const cut = cuts[direction][0]
            if (cut !== undefined && connections.reduce((sum, other) => sum + other[direction], 0) >= cut) {
              cuts[direction].shift()
              end()
            } else if (!to.write(chunk)) {
              from.pause()
              to.once("drain", () => from.resume())
            }
          })
        }
        relay(client, upstream, "up")
        relay(upstream, client, "down")
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(
          Effect.succeed({
            proxy: {
              port: typeof address === "object" && address !== null ? address.port : 0,
              connections,
              cutAfter: (direction, bytes) => {
                cuts[direction] = [...bytes]
              }
            },
            close: () => {
              server.close()
              for (const socket of sockets) socket.destroy()
            }
          })
        )
      })
    }),
    ({ close }) => Effect.sync(close)
  ).pipe(Effect.map(({ proxy }) => proxy))
