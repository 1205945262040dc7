/**
 * A wire to a port of this machine that can be made to hang: what is sent over it arrives nowhere, and its ends stay open.
 */
import { connect, createServer, type Socket } from "node:net"
import * as Effect from "effect/Effect"

export interface Wire {
  readonly port: number
  /** From now on, nothing gets through. New connections are accepted as well, and nothing is sent to them. */
  readonly hang: Effect.Effect<void>
  /** How many connections to it are open. */
  readonly open: Effect.Effect<number>
}

export const make = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<Wire & { readonly close: Effect.Effect<void> }>((resume) => {
      let isHanging = false
      const open = new Set<Socket>()
      const server = createServer((near) => {
        open.add(near)
        near.on("error", () => near.destroy()).on("close", () => open.delete(near))
        if (isHanging) {
          near.resume()
          return
        }
        const far = connect({ port, host: "127.0.0.1", noDelay: true })
        far.on("error", () => far.destroy()).on("close", () => near.destroy())
        near.on("close", () => far.destroy())
        near.on("data", (bytes) => isHanging || far.write(bytes))
        far.on("data", (bytes) => isHanging || near.write(bytes))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(
          Effect.succeed({
            port: typeof address === "object" && address !== null ? address.port : 0,
            hang: Effect.sync(() => {
              isHanging = true
            }),
            open: Effect.sync(() => open.size),
            close: Effect.sync(() => {
              server.close()
              for (const socket of open) socket.destroy()
            })
          })
        )
      })
    }),
    ({ close }) => close
  )
