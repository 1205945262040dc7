/**
 * Connections without a client in between: what is written goes out as it stands, and can stop anywhere.
 */
import * as Net from "node:net"
import * as Effect from "effect/Effect"
import * as AcrEmulator from "../../src/AcrEmulator.ts"
import { basicOf } from "./ask.ts"

/** A connection to the emulator; what comes back is thrown away. */
export const connect = Effect.acquireRelease(
  Effect.flatMap(AcrEmulator.AcrEmulator, ({ loginServer }) =>
    Effect.callback<Net.Socket>((resume) => {
      const [host = "", port] = loginServer.split(":")
      const socket = Net.connect(Number(port), host, () => resume(Effect.succeed(socket)))
      socket.on("error", () => socket.destroy())
      socket.resume()
    })
  ),
  (socket) => Effect.sync(() => socket.destroy())
)

/** A request of the admin user as it stands on a connection: its head, and as much of its body as is given. */
export const requestText = Effect.fnUntraced(function* (
  method: string,
  path: string,
  { body = "", contentLength = body.length }: { readonly body?: string; readonly contentLength?: number } = {}
) {
  const { loginServer, logins } = yield* AcrEmulator.AcrEmulator
  return [
    `${method} ${path} HTTP/1.1`,
    `Host: ${loginServer}`,
    `Authorization: ${basicOf(logins.adminUser).authorization}`,
    `Content-Length: ${contentLength}`,
    "",
    body
  ].join("\r\n")
})

/** Sends requests on one connection, and tells the statuses of their answers when all are there. */
export const answersTo = (...requests: ReadonlyArray<string>) =>
  Effect.scoped(
    Effect.flatMap(connect, (socket) =>
      Effect.callback<ReadonlyArray<number>>((resume) => {
        let text = ""
        socket.on("data", (chunk) => {
          text += String(chunk)
          const statuses = Array.from(text.matchAll(/HTTP\/1\.1 (\d{3}) /g), ([, status]) => Number(status))
          if (statuses.length === requests.length) resume(Effect.succeed(statuses))
        })
        socket.write(requests.join(""))
      })
    )
  )
