/**
 * A stretch of wire on which everything takes a while.
 */
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** Opens a port of this machine that leads to another one, until the scope closes. Each way takes so many milliseconds. */
export const withLatency = (port: number, milliseconds: number): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<{ readonly server: Net.Server; readonly sockets: ReadonlySet<Net.Socket> }>((resume) => {
      const sockets = new Set<Net.Socket>()
      const relay = (from: Net.Socket, to: Net.Socket) => {
        sockets.add(from)
        // Timers of one length come in the order in which they were set.
        from.on("data", (chunk: Buffer) => setTimeout(() => to.write(chunk), milliseconds))
        from.on("end", () => setTimeout(() => to.end(), milliseconds))
        from.on("error", () => to.destroy())
        from.on("close", () => sockets.delete(from))
      }
      const server = Net.createServer({ noDelay: true }, (client) => {
        const upstream = Net.connect({ port, host: "127.0.0.1", noDelay: true })
        relay(client, upstream)
        relay(upstream, client)
      })
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, sockets })))
    }),
    ({ server, sockets }) =>
      Effect.sync(() => {
        server.close()
        for (const socket of sockets) socket.destroy()
      })
  ).pipe(
    Effect.map(({ server }) => {
      const address = server.address()
      return typeof address === "object" && address !== null ? address.port : 0
    })
  )
