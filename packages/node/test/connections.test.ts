/**
 * Connections are used again: by the request after a HEAD, and by the one after an upload that was answered at once.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { createServer as createTcpServer, type Server } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as NodeRegistryHttpClient from "../src/NodeRegistryHttpClient.ts"

/** A server of this machine, until the scope closes: its address, and how many connections it has had. */
const listen = (server: Server) => {
  let connections = 0
  server.on("connection", (socket) => {
    connections += 1
    socket.on("error", () => {})
  })
  return Effect.acquireRelease(
    Effect.callback<{ readonly address: string; readonly connections: () => number }>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ address: `http://127.0.0.1:${port}/`, connections: () => connections }))
      })
    }),
    () => Effect.sync(() => server.close())
  )
}

const http = (answer: (request: IncomingMessage, response: ServerResponse) => void) => listen(createServer(answer))

const live = <A, E>(name: string, effect: () => Effect.Effect<A, E, HttpClient.HttpClient | Scope.Scope>) =>
  it.live(name, () => effect().pipe(Effect.scoped, Effect.provide(NodeRegistryHttpClient.layer)))

const statusOf = (
  answer: Effect.Effect<
    { readonly status: number; readonly text: Effect.Effect<string, unknown> },
    unknown,
    HttpClient.HttpClient
  >
) => Effect.flatMap(answer, ({ status, text }) => Effect.as(text, status))

describe("a connection is used again", () => {
  live("after a HEAD of something that is not there", () =>
    Effect.gen(function* () {
      const { address, connections } = yield* http((_, response) =>
        response.writeHead(404, { "content-length": "12345" }).end()
      )
      for (let asked = 0; asked < 5; asked++) assert.strictEqual(yield* statusOf(HttpClient.head(address)), 404)
      assert.strictEqual(connections(), 1)
    })
  )

  live("after a body that was answered with its last byte", () =>
    Effect.gen(function* () {
      const bytes = 300_000
      const { address, connections } = yield* http((request, response) => {
        let left = bytes
        request.on("data", ({ length }: Buffer) => {
          left -= length
          if (left === 0) response.writeHead(201).end()
        })
      })
      const upload = Effect.suspend(() => {
        // What ends a body may be told a while after its last piece, as the end of a file is.
        const body = Stream.concat(
          Stream.make(new Uint8Array(bytes - 1), new Uint8Array(1)),
          Stream.drain(Stream.fromEffect(Effect.sleep("5 millis")))
        )
        return HttpClient.execute(
          HttpClientRequest.setBody(
            HttpClientRequest.post(address),
            HttpBody.stream(body, "application/octet-stream", bytes)
          )
        )
      })
      for (let sent = 0; sent < 5; sent++) assert.strictEqual(yield* statusOf(upload), 201)
      assert.strictEqual(connections(), 1)
    })
  )
})

/** An answer of HTTP that a blob consists of. */
const smuggled = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"

/** A server that wrongly sends a body after its answer to a HEAD: at once, or with the next request if there is one. */
const sendingBodies = (isLate: boolean, status: number, body: string) =>
  listen(
    createTcpServer((socket) => {
      let owed = ""
      socket.on("data", (request) => {
        if (request.toString().startsWith("HEAD")) {
          socket.write(`HTTP/1.1 ${status} X\r\ncontent-length: ${body.length}\r\n\r\n${isLate ? "" : body}`)
          owed = isLate ? body : ""
        } else {
          socket.write(`${owed}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ngood`)
        }
      })
    })
  )

describe("a body after the answer to a HEAD", () => {
  for (const isLate of [false, true]) {
    live(`never answers the next request: it comes ${isLate ? "late" : "at once"}`, () =>
      Effect.gen(function* () {
        const { address } = yield* sendingBodies(isLate, 200, smuggled)
        const head = yield* HttpClient.head(address)
        assert.strictEqual(head.status, 200)
        assert.strictEqual(head.headers["content-length"], String(smuggled.length))
        assert.strictEqual(yield* (yield* HttpClient.get(address)).text, "good")
      })
    )
  }

  live("of an error fails at most the next request", () =>
    Effect.gen(function* () {
      const { address } = yield* sendingBodies(true, 404, '{"errors":[]}')
      assert.strictEqual((yield* HttpClient.head(address)).status, 404)
      const error = yield* Effect.flip(HttpClient.get(address))
      assert.strictEqual(error.reason._tag, "TransportError")
      assert.strictEqual(yield* (yield* HttpClient.get(address)).text, "good")
    })
  )
})

live("a body that is longer than it was said to be fails, and its last byte is not sent", () =>
  Effect.gen(function* () {
    let got = 0
    const { address } = yield* http((request, response) => {
      request.on("data", ({ length }: Buffer) => (got += length))
      request.on("end", () => response.end())
    })
    const pieces = Stream.make(new Uint8Array(10), new Uint8Array(10), new Uint8Array(1))
    const body = HttpBody.stream(pieces, "application/octet-stream", 20)
    const error = yield* Effect.flip(
      HttpClient.execute(HttpClientRequest.setBody(HttpClientRequest.post(address), body))
    )
    assert.strictEqual(error.reason._tag, "TransportError")
    assert.isAtMost(got, 20)
  })
)
