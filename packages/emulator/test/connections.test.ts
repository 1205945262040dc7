/**
 * Unusual use of connections: for a long time, and for many requests at once.
 */
import * as Http from "node:http"
import * as Net from "node:net"
import { createRequire, syncBuiltinESMExports } from "node:module"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { emulator } from "./support/ask.ts"
import { answersTo, connect, requestText } from "./support/connection.ts"
import { digestOf } from "./support/content.ts"

const warnings = Effect.acquireRelease(
  Effect.sync(() => {
    const seen: Array<string> = []
    const listener = ({ name }: Error) => seen.push(name)
    process.on("warning", listener)
    return { seen, stop: () => process.off("warning", listener) }
  }),
  ({ stop }) => Effect.sync(stop)
)

/** The timeout that Node would have by itself, as five minutes are too long for a test. */
const defaults = { requestTimeout: 200, connectionsCheckingInterval: 50 }

const commonHttp: typeof Http = createRequire(import.meta.url)("node:http")

/** Lets servers that say nothing of timeouts have short ones. */
const shortTimeouts = Effect.acquireRelease(
  Effect.sync(() => {
    const { createServer } = commonHttp
    commonHttp.createServer = (options?: Http.ServerOptions | Http.RequestListener, listener?: Http.RequestListener) =>
      typeof options === "function"
        ? createServer(defaults, options)
        : createServer({ ...defaults, ...options }, listener)
    syncBuiltinESMExports()
    return createServer
  }),
  (createServer) =>
    Effect.sync(() => {
      commonHttp.createServer = createServer
      syncBuiltinESMExports()
    })
)

/** Begins a request to a server without settings, and waits until it is cut off. */
const cutOff = Effect.callback<void>((resume) => {
  const server = Http.createServer((request) => request.resume())
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const socket = Net.connect(port, "127.0.0.1", () => {
      socket.write("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n")
      socket.resume()
    })
    socket.once("close", () => server.close(() => resume(Effect.void)))
  })
})

describe("an upload", () => {
  it.live("may take longer than Node lets requests take", () =>
    Effect.scoped(
      Effect.gen(function* () {
        yield* shortTimeouts
        yield* Effect.gen(function* () {
          const socket = yield* connect
          const answered = yield* Effect.forkChild(
            Effect.callback<string>((resume) => {
              socket.once("data", (chunk) => resume(Effect.succeed(String(chunk))))
            })
          )
          const request = yield* requestText("POST", `/v2/a/blobs/uploads/?digest=${digestOf("slow")}`, {
            body: "sl",
            contentLength: 4
          })
          yield* Effect.sync(() => socket.write(request))
          // Other requests that began later are cut off meanwhile.
          yield* cutOff
          yield* cutOff
          yield* Effect.sync(() => socket.write("ow"))
          assert.match(yield* Fiber.join(answered), /^HTTP\/1\.1 201 /)
        }).pipe(Effect.provide(emulator()))
      })
    )
  )
})

describe("many requests at once on one connection", () => {
  it.live("are answered in order, without a warning", () =>
    Effect.gen(function* () {
      const { seen } = yield* warnings
      const paths = Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? "/v2/" : "/v2/a/tags/list"))
      const statuses = yield* answersTo(...(yield* Effect.forEach(paths, (path) => requestText("GET", path))))
      assert.deepStrictEqual(
        statuses,
        paths.map((path) => (path === "/v2/" ? 200 : 404))
      )
      assert.deepStrictEqual(seen, [])
    }).pipe(Effect.provide(emulator()))
  )
})
