/**
 * Memory that sockets reuse: it does not change while a reader may still use it.
 */
import { randomBytes } from "node:crypto"
import { createServer, type RequestListener } from "node:http"
import * as ScopedHttpClient from "@effect-acr/client/ScopedHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as NodeRegistryHttpClient from "../src/NodeRegistryHttpClient.ts"

const content = randomBytes(12 * 1024 * 1024 + 12_345)

/** How a server cuts its content: evenly, into a little now and then, or so that records and reads never fit. */
const cuts = [64 * 1024, 1, 300_001, 16 * 1024, 777, 1024 * 1024, 5]

const send =
  (stated: boolean): RequestListener =>
  async (_, response) => {
    if (stated) response.setHeader("content-length", content.length)
    for (let offset = 0, turn = 0; offset < content.length; turn++) {
      const length = cuts[turn % cuts.length] ?? 1
      const hasRoom = response.write(content.subarray(offset, offset + length))
      offset += length
      if (!hasRoom) await new Promise((resolve) => response.once("drain", resolve))
    }
    response.end()
  }

const listen = (stated: boolean) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof createServer>>((resume) => {
      const server = createServer(send(stated))
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  ).pipe(
    Effect.map((server) => {
      const address = server.address()
      return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`
    })
  )

interface Piece {
  readonly offset: number
  readonly bytes: Uint8Array
}

const assertIntact = (pieces: ReadonlyArray<Piece>) => {
  for (const { bytes, offset } of pieces) {
    assert.isTrue(content.subarray(offset, offset + bytes.length).equals(bytes), `the bytes from ${offset}`)
  }
}

/** Reads an answer with a reader that looks at all that it may look at. Tells how many pieces of memory it saw. */
const read = (address: string, heldBytes: number | undefined) =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    if (!ScopedHttpClient.isScopedHttpClient(client)) return yield* Effect.die("the client has no scoped requests")
    const response = yield* client.executeScoped(HttpClientRequest.get(address))
    const memory = new Set<ArrayBufferLike>()
    const pulls: Array<ReadonlyArray<Piece>> = []
    let size = 0
    /** The pieces of the last pulls, and of those before as much as it holds. */
    const held = () => {
      const older = pulls.slice(0, -3).flat()
      let bytes = 0
      return [
        ...older.toReversed().filter((piece) => (bytes += piece.bytes.length) <= (heldBytes ?? content.length)),
        ...pulls.slice(-3).flat()
      ]
    }
    if (!ScopedHttpClient.isPulledResponse(response)) return yield* Effect.die("the body cannot be pulled")
    yield* Stream.runForEachArray(Stream.fromPull(Effect.succeed(response.pull(heldBytes))), (pieces) =>
      Effect.sync(() => {
        assertIntact(held())
        pulls.push(
          pieces.map((bytes) => {
            memory.add(bytes.buffer)
            const offset = size
            size += bytes.length
            return { offset, bytes }
          })
        )
        assertIntact(held())
      })
    )
    assertIntact(held())
    assert.strictEqual(size, content.length)
    return memory.size
  })

describe("responses that are received into the same memory", () => {
  for (const stated of [true, false]) {
    for (const heldBytes of [undefined, 0, 64 * 1024]) {
      it.live(
        `${heldBytes ?? "all"} bytes held of an answer ${stated ? "of a stated length" : "in chunks"}`,
        () =>
          Effect.gen(function* () {
            const address = yield* listen(stated)
            const alone = yield* read(address, heldBytes)
            // Less than a fifth of the answer.
            if (heldBytes !== undefined) assert.isBelow(alone * 128 * 1024, content.length / 5)
            yield* Effect.forEach([undefined, 0, heldBytes, heldBytes], (bytes) => read(address, bytes), {
              concurrency: "unbounded"
            })
          }).pipe(Effect.scoped, Effect.provide(NodeRegistryHttpClient.layer)),
        60_000
      )
    }
  }
})
