/**
 * The HTTP client by itself: bodies in both directions, read in every way, or not read.
 */
import { createHash } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import * as ScopedHttpClient from "@effect-acr/client/ScopedHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as HttpBody from "effect/http/HttpBody"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import { HeldBytes } from "@effect-acr/client/ScopedHttpClient"
import { heldBytes } from "../src/internal/undiciBody.ts"
import * as NodeRegistryHttpClient from "../src/NodeRegistryHttpClient.ts"

const mebibyte = 1024 * 1024

/** Starts a server of this machine, until the scope closes. Returns its address. */
const listen = (answer: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer(answer)
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    ),
    (server) => {
      const address = server.address()
      return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/a?b=c`
    }
  )

/** Something that happens once. */
const event = () => {
  const deferred = Deferred.makeUnsafe<void>()
  return { happen: () => Deferred.doneUnsafe(deferred, Effect.void), happened: Deferred.await(deferred) }
}

/** A request whose answer is kept as long as the scope. */
const scoped = (request: HttpClientRequest.HttpClientRequest) =>
  Effect.flatMap(HttpClient.HttpClient, (client) => {
    assert.isTrue(ScopedHttpClient.isScopedHttpClient(client))
    return ScopedHttpClient.isScopedHttpClient(client) ? client.executeScoped(request) : Effect.die("other")
  })

/** Answers with what it is sent. */
const echo = (request: IncomingMessage, response: ServerResponse) => {
  response.setHeader("content-type", request.headers["content-type"] ?? "text/plain")
  response.setHeader("set-cookie", ["a=1", "b=2"])
  request.pipe(response)
}

const live = <A, E>(name: string, effect: () => Effect.Effect<A, E, HttpClient.HttpClient | Scope.Scope>) =>
  it.live(name, () => effect().pipe(Effect.provide(NodeRegistryHttpClient.layer)))

const post = (address: string, body: HttpBody.HttpBody) =>
  HttpClient.execute(HttpClientRequest.setBody(HttpClientRequest.post(address), body))

/** A body that begins and does not go on, and when it ends. */
const stuck = () => {
  const ended = event()
  const stream = Stream.concat(Stream.make(new Uint8Array(1)), Stream.never).pipe(
    Stream.ensuring(Effect.sync(ended.happen))
  )
  return { body: HttpBody.stream(stream, "application/octet-stream", 2), ended: ended.happened }
}

const ask = (address: string, path: string) =>
  Effect.forkChild(HttpClient.get(new URL(path, address)), { startImmediately: true })

describe("an answer", () => {
  live("a response that is derived from one is read by its own stream", () =>
    Effect.gen(function* () {
      const address = yield* listen((_, response) => response.end("a"))
      const response = yield* scoped(HttpClientRequest.get(address))
      assert.isTrue(ScopedHttpClient.isPulledResponse(response))
      const decorated: typeof response = Object.create(response, { stream: { value: Stream.empty } })
      assert.isFalse(ScopedHttpClient.isPulledResponse(decorated))
      const proxy = new Proxy(response, {})
      assert.isFalse(ScopedHttpClient.isPulledResponse(proxy))
    })
  )

  live("is read as text, as JSON and as bytes, any number of times", () =>
    Effect.gen(function* () {
      const address = yield* listen(echo)
      const answer = yield* post(address, HttpBody.jsonUnsafe({ a: [1] }))
      assert.strictEqual(yield* answer.text, '{"a":[1]}')
      assert.deepStrictEqual(yield* answer.json, { a: [1] })
      assert.strictEqual((yield* answer.arrayBuffer).byteLength, 9)
      assert.strictEqual(answer.url, address)
    })
  )

  live("is read as a form and as parameters", () =>
    Effect.gen(function* () {
      const form = HttpBody.text("a=1&b=2", "application/x-www-form-urlencoded")
      const answer = yield* post(yield* listen(echo), form)
      assert.strictEqual((yield* answer.formData).get("b"), "2")
      assert.deepStrictEqual(
        [...(yield* answer.urlParamsBody)],
        [
          ["a", "1"],
          ["b", "2"]
        ]
      )
    })
  )

  live("has its status, headers and cookies, and no connection to take over", () =>
    Effect.gen(function* () {
      const answer = yield* post(yield* listen(echo), HttpBody.empty)
      assert.strictEqual(
        answer.pipe(({ status }) => status),
        200
      )
      assert.strictEqual(answer.headers["content-type"], "text/plain")
      assert.deepStrictEqual(Object.keys(answer.cookies.cookies), ["a", "b"])
      assert.include(JSON.stringify(answer), '"status":200')
      assert.strictEqual((yield* Effect.flip(Effect.scoped(answer.upgrade))).reason._tag, "StatusCodeError")
    })
  )

  live("that the program does not read stops at what the sockets hold, and arrives whole once it is read", () =>
    Effect.gen(function* () {
      const size = 64 * mebibyte
      let sent = 0
      const address = yield* listen((request, response) => {
        const write = () => {
          while (sent < size) {
            sent += mebibyte
            if (!response.write(Buffer.alloc(mebibyte))) {
              response.once("drain", write)
              return
            }
          }
          response.end()
        }
        if (request.url === "/turn") response.end()
        else write()
      })
      const answer = yield* HttpClient.get(address)
      // Without back pressure, part of the answer arrives in each of these turns.
      for (let turn = 0; turn < 200; turn++) yield* (yield* HttpClient.get(new URL("/turn", address))).text
      assert.isAtMost(sent, 16 * mebibyte)
      const taken = yield* Stream.runFold(
        answer.stream,
        () => 0,
        (sum, piece) => sum + piece.length
      )
      assert.strictEqual(taken, size)
    })
  )

  live("is the final one, not a preliminary one such as early hints", () =>
    Effect.gen(function* () {
      const address = yield* listen((_, response) => {
        response.writeEarlyHints({ link: "</a>; rel=preload" })
        response.end("the answer")
      })
      const answer = yield* HttpClient.get(address)
      assert.strictEqual(answer.status, 200)
      assert.strictEqual(yield* answer.text, "the answer")
    })
  )

  live("that breaks off fails", () =>
    Effect.gen(function* () {
      const address = yield* listen((_, response) => {
        response.writeHead(200, { "content-length": "10" })
        response.write("cont", () => response.destroy())
      })
      const answer = yield* HttpClient.get(address)
      const error = yield* Effect.flip(Stream.runDrain(answer.stream))
      assert.strictEqual(error.reason._tag, "DecodeError")
    })
  )
})

describe("a request", () => {
  live("sends a stream with its stated length", () =>
    Effect.gen(function* () {
      const address = yield* listen((request, response) => {
        response.setHeader("x-length", request.headers["content-length"] ?? "none")
        request.pipe(response)
      })
      const pieces = Stream.make(new Uint8Array([1, 2]), new Uint8Array([3]))
      const answer = yield* post(address, HttpBody.stream(pieces, "application/octet-stream", 3))
      assert.strictEqual(answer.headers["x-length"], "3")
      assert.deepStrictEqual([...new Uint8Array(yield* answer.arrayBuffer)], [1, 2, 3])
    })
  )

  for (const size of [5000, 16 * 1024, 64 * 1024, 300_001, mebibyte, 2 * mebibyte]) {
    live(`looks at no more of a body in pieces of ${size} bytes than it says that it holds`, () =>
      Effect.gen(function* () {
        const hash = createHash("sha256")
        const address = yield* listen((request, response) => {
          // A server that takes its time: the connection is full most of the while.
          request.on("data", (piece: Buffer) => {
            hash.update(piece)
            request.pause()
            setImmediate(() => setImmediate(() => request.resume()))
          })
          request.on("end", () => response.end())
        })
        const content = createHash("sha256")
        const given: Array<Uint8Array> = []
        const count = Math.ceil((24 * mebibyte) / size)
        const pieces = Stream.fromIterable(Array.from({ length: count }, (_, index) => index)).pipe(
          Stream.rechunk(1),
          Stream.map((index) => {
            // What is older than it says, and one piece more, is written to.
            given.splice(0, given.length - Math.ceil(heldBytes / size) - 1).forEach((piece) => piece.fill(0))
            const piece = new Uint8Array(size).fill(index + 1)
            given.push(piece)
            content.update(piece)
            return piece
          })
        )
        yield* post(address, HttpBody.stream(pieces, "application/octet-stream", count * size))
        assert.strictEqual(hash.digest("hex"), content.digest("hex"))
      })
    )
  }

  live("runs a stream in the context of the request, with the number of bytes that it holds", () =>
    Effect.gen(function* () {
      const Caller = Context.Reference("test/Caller", { defaultValue: () => "nobody" })
      const address = yield* listen(echo)
      const told = Effect.all([Caller, HeldBytes, Effect.currentSpan.pipe(Effect.map(({ name }) => name))])
      const body = Stream.fromEffect(Effect.map(told, (all) => new TextEncoder().encode(all.join())))
      const answer = yield* post(address, HttpBody.stream(body, "text/plain")).pipe(
        Effect.provideService(Caller, "the caller"),
        Effect.withSpan("upload")
      )
      assert.match(yield* answer.text, new RegExp(`^the caller,${heldBytes},`))
      assert.isUndefined(yield* HeldBytes)
    })
  )

  live("fails with its body", () =>
    Effect.gen(function* () {
      const address = yield* listen(echo)
      const error = yield* Effect.flip(
        post(address, HttpBody.stream(Stream.fail(new Error("the source is gone")), "text/plain", 3))
      )
      assert.strictEqual(error.reason._tag, "TransportError")
    })
  )

  describe("whose body is not read to its end ends what gives it", () => {
    const ways = {
      "when it is answered before": (response: ServerResponse) => response.writeHead(413).end(),
      "when its connection breaks": (response: ServerResponse) => response.destroy()
    }
    for (const [when, answer] of Object.entries(ways)) {
      live(when, () =>
        Effect.gen(function* () {
          const address = yield* listen((request, response) => void request.once("data", () => answer(response)))
          const { body, ended } = stuck()
          yield* Effect.result(post(address, body))
          yield* ended
        })
      )
    }

    live("when it is given up", () =>
      Effect.gen(function* () {
        const begun = event()
        const address = yield* listen((request) => void request.once("data", begun.happen))
        const { body, ended } = stuck()
        const sending = yield* Effect.forkChild(post(address, body), { startImmediately: true })
        yield* begun.happened
        yield* Fiber.interrupt(sending)
        yield* ended
      })
    )
  })

  live("with a body of another kind is not sent", () =>
    Effect.gen(function* () {
      let asked = 0
      const address = yield* listen((_, response) => {
        asked += 1
        response.end()
      })
      const error = yield* Effect.flip(post(address, HttpBody.formData(new FormData())))
      assert.include(String(error.reason), "TransportError")
      assert.strictEqual(asked, 0)
    })
  )

  live("that is aborted closes its connection, and is not sent if it still waits for one", () =>
    Effect.gen(function* () {
      const asked = event()
      const targets: Array<string | undefined> = []
      const address = yield* listen(({ url }, response) => {
        targets.push(url)
        if (url === "/last") response.end()
        else asked.happen()
      })
      yield* Effect.gen(function* () {
        const first = yield* ask(address, "/first")
        yield* asked.happened
        const second = yield* ask(address, "/second")
        const last = yield* ask(address, "/last")
        yield* Fiber.interrupt(second)
        yield* Fiber.interrupt(first)
        assert.strictEqual((yield* Fiber.join(last)).status, 200)
        assert.deepStrictEqual(targets, ["/first", "/last"])
      }).pipe(Effect.provide(NodeRegistryHttpClient.layerOptions({ connections: 1 })))
    })
  )
})

describe("requests one after the other", () => {
  const answers = {
    "are answered at once": (_: IncomingMessage, response: ServerResponse) => response.end("small"),
    "are answered without a body": (_: IncomingMessage, response: ServerResponse) => response.writeHead(204).end(),
    "are answered at length": (_: IncomingMessage, response: ServerResponse) => response.end(Buffer.alloc(mebibyte)),
    "are answered in two parts": (_: IncomingMessage, response: ServerResponse) => {
      response.write("first")
      setImmediate(() => response.end("second"))
    }
  }

  for (const [name, answer] of Object.entries(answers)) {
    live(`that ${name} share one connection`, () =>
      Effect.gen(function* () {
        const connections = new Set<unknown>()
        const address = yield* listen((request, response) => {
          connections.add(request.socket)
          answer(request, response)
        })
        const get = HttpClientRequest.get(address)
        for (let time = 0; time < 5; time++) yield* (yield* HttpClient.execute(get)).arrayBuffer
        const drained = Effect.scoped(Effect.flatMap(scoped(get), ({ stream }) => Stream.runDrain(stream)))
        for (let time = 0; time < 5; time++) yield* drained
        assert.strictEqual(connections.size, 1)
      })
    )
  }
})

/** A server that reports when the connection of its answer was closed. */
const closing = (answer: (response: ServerResponse) => void) =>
  Effect.gen(function* () {
    const asked = event()
    const closed = event()
    const address = yield* listen((_, response) => {
      response.on("close", closed.happen)
      answer(response)
      asked.happen()
    })
    return { address, asked: asked.happened, closed: closed.happened }
  })

describe("a scope", () => {
  live("closes the connection of an answer that is not read", () =>
    Effect.gen(function* () {
      const { address, closed } = yield* closing((response) => response.write("for ever"))
      assert.strictEqual((yield* Effect.scoped(scoped(HttpClientRequest.get(address)))).status, 200)
      yield* closed
    })
  )

  live("closes the connection of a request without an answer, once that is interrupted", () =>
    Effect.gen(function* () {
      const { address, asked, closed } = yield* closing(() => {})
      const waiting = yield* Effect.forkChild(Effect.scoped(scoped(HttpClientRequest.get(address))))
      yield* asked
      yield* Fiber.interrupt(waiting)
      yield* closed
    })
  )

  live("is kept by a client that is derived from this one", () =>
    Effect.gen(function* () {
      const { address, closed } = yield* closing((response) => response.write("for ever"))
      const client = HttpClient.mapRequest(yield* HttpClient.HttpClient, HttpClientRequest.setHeader("a", "b"))
      assert.isFalse(ScopedHttpClient.isScopedHttpClient(client))
      yield* Effect.scoped(HttpClient.withScope(client).get(address))
      yield* closed
    })
  )

  live("does not matter if a request cannot be sent at all", () =>
    Effect.gen(function* () {
      const { reason } = yield* Effect.flip(Effect.scoped(scoped(HttpClientRequest.get("no address"))))
      assert.strictEqual(reason._tag, "InvalidUrlError")
    })
  )
})
