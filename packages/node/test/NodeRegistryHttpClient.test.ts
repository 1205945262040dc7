/**
 * Connections: kept, and no more of them than are allowed.
 */
import { createServer, type Server } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as HttpClient from "effect/http/HttpClient"
import * as NodeRegistryHttpClient from "../src/NodeRegistryHttpClient.ts"

interface Listening {
  readonly address: string
  /** How many connections there were so far. */
  readonly connections: () => number
  /** How many of them are open. */
  readonly open: () => number
  /** How many requests wait for their answer. */
  readonly waiting: () => number
}

/** A server that answers after `gate`, and counts. */
const listen = (gate: Promise<unknown>) =>
  Effect.acquireRelease(
    Effect.callback<Listening & { readonly server: Server }>((resume) => {
      let connections = 0
      let open = 0
      let waiting = 0
      // The server never closes an idle connection.
      const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
        waiting += 1
        void gate.then(() => {
          waiting -= 1
          response.end(request.headers["user-agent"] ?? "none")
        })
      })
      server.on("connection", (socket) => {
        connections += 1
        open += 1
        socket.once("close", () => {
          open -= 1
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(
          Effect.succeed({
            server,
            address: `http://127.0.0.1:${port}/`,
            connections: () => connections,
            open: () => open,
            waiting: () => waiting
          })
        )
      })
    }),
    ({ server }) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )

const get = (address: string) => Effect.flatMap(HttpClient.get(address), (response) => response.text)

describe("connections", () => {
  it.live("are used again", () =>
    Effect.gen(function* () {
      const { address, connections } = yield* listen(Promise.resolve())
      for (let count = 0; count < 20; count++) yield* get(address)
      // One more is opened where a request is faster than the end of the answer before it.
      assert.isAtMost(connections(), 2)
    }).pipe(Effect.provide(NodeRegistryHttpClient.layer))
  )

  it.live("close with the scope of the client", () =>
    Effect.gen(function* () {
      const { address, open } = yield* listen(Promise.resolve())
      yield* Effect.provide(get(address), NodeRegistryHttpClient.layerOptions({ keepAlive: "10 minutes" }))
      yield* Effect.repeat(Effect.sync(open), { until: (count) => count === 0 })
    })
  )

  it.live("are no more at a time than was said", () =>
    Effect.gen(function* () {
      const gate = yield* Deferred.make<void>()
      const context = yield* Effect.context()
      const { address, connections, waiting } = yield* listen(Effect.runPromiseWith(context)(Deferred.await(gate)))
      const all = yield* Effect.forkChild(
        Effect.forEach(Array(10).fill(address), get, { concurrency: "unbounded", discard: true })
      )
      yield* Effect.repeat(Effect.sync(waiting), { until: (count) => count === 2 })
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(all)
      assert.strictEqual(connections(), 2)
    }).pipe(Effect.provide(NodeRegistryHttpClient.layerOptions({ connections: 2, keepAlive: "10 seconds" })))
  )
})
