/**
 * Memory that sockets reuse: it does not change while a reader may still use it.
 */
import { createHash, randomBytes } from "node:crypto"
import { createServer, type RequestListener } from "node:http"
import type * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Digest from "@effect-acr/client/Digest"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
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

const digest = `sha256:${createHash("sha256").update(content).digest("hex")}`

/**
 * Reads the blob with a reader that looks at all that it may look at, and notes the memory that it sees. Returns a function
 * that looks again at what it may still use at the end.
 */
const read = (
  source: BlobSource.BlobSource<unknown>,
  heldBytes: number | undefined,
  memory = new Set<ArrayBufferLike>()
) =>
  Effect.gen(function* () {
    let pieces: Array<Piece> = []
    let size = 0
    /** The pieces that the reader may still use when it pulls again. */
    const held = (): ReadonlyArray<Piece> => {
      if (heldBytes === undefined) return pieces
      const last = pieces.at(-1)
      if (heldBytes === 0 || last === undefined) return []
      return pieces.filter(({ bytes, offset }) => offset + bytes.length > last.offset - heldBytes)
    }
    yield* Stream.runForEachArray(source.read(0, heldBytes), (arrived) =>
      Effect.sync(() => {
        const before = held()
        assertIntact(before)
        const now = arrived.map((bytes) => {
          memory.add(bytes.buffer)
          const offset = size
          size += bytes.length
          return { offset, bytes }
        })
        assertIntact(now)
        pieces = [...before, ...now]
      })
    )
    assert.strictEqual(size, content.length)
    return () => assertIntact(held())
  })

const sourceAt = (address: string) =>
  RegistryContent.layer({ endpoint: address.replace(/\/$/, "") }).pipe(
    Layer.provide(Credentials.layerAnonymous),
    Layer.provide(NodeRegistryHttpClient.layer),
    Layer.build,
    Effect.map((context) =>
      Context.get(context, RegistryContent.RegistryContent).blobSource("library/blob", {
        digest: Digest.Digest.make(digest),
        size: content.length
      })
    )
  )

describe("blobs that are received into the same memory", () => {
  for (const stated of [true, false]) {
    for (const heldBytes of [undefined, 0, 64 * 1024, 1024 * 1024]) {
      it.live(
        `${heldBytes ?? "all"} bytes held of an answer ${stated ? "of a stated length" : "in chunks"}`,
        () =>
          Effect.gen(function* () {
            const source = yield* sourceAt(yield* listen(stated))
            const memory = new Set<ArrayBufferLike>()
            const alone = yield* read(source, heldBytes, memory)
            // Little more than a fifth of the blob.
            if (heldBytes !== undefined) {
              assert.isBelow(memory.size * 128 * 1024, content.length / 5 + 2 * heldBytes)
            }
            const together = yield* Effect.forEach(
              [undefined, 0, heldBytes, heldBytes],
              (bytes) => read(source, bytes),
              { concurrency: "unbounded" }
            )
            for (const lookAgain of [alone, ...together]) lookAgain()
          }).pipe(Effect.scoped),
        60_000
      )
    }
  }

  it.live("a reader that uses nothing at the end of a blob leaves all memory to the next one", () =>
    Effect.gen(function* () {
      const source = yield* sourceAt(yield* listen(true))
      const memory = new Set<ArrayBufferLike>()
      for (let turn = 0; turn < 12; turn++) yield* read(source, 0, memory)
      assert.isBelow(memory.size * 128 * 1024, content.length / 5)
    }).pipe(Effect.scoped)
  )
})
