/**
 * Memory that sockets reuse: it does not change while a reader may still use it.
 */
import { createHash, randomBytes } from "node:crypto"
import { createServer, type RequestListener, type ServerResponse } from "node:http"
import { createServer as createSecureServer } from "node:https"
import type * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import * as Digest from "@effect-acr/client/Digest"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { NodeRegistryHttpClient } from "@effect-acr/node"
import { generate } from "selfsigned"

const content = randomBytes(12 * 1024 * 1024 + 12_345)

/** How a server cuts its content: evenly, into a little now and then, or so that records and reads never fit. */
const cuts = [64 * 1024, 1, 300_001, 16 * 1024, 777, 1024 * 1024, 5]

/** Answers a request for the end of the content, and does not stop there. */
const sendTooMuch = (range: string, response: ServerResponse) => {
  const from = Number(/\d+/.exec(range)?.[0])
  response.writeHead(206, { "content-range": `bytes ${from}-${content.length - 1}/*` })
  response.end(Buffer.concat([content.subarray(from), randomBytes(300_000)]))
}

const send =
  (isStated: boolean): RequestListener =>
  async ({ headers }, response) => {
    if (headers.range !== undefined) return sendTooMuch(headers.range, response)
    if (isStated) response.setHeader("content-length", content.length)
    for (let offset = 0, turn = 0; offset < content.length; turn++) {
      const length = cuts[turn % cuts.length] ?? 1
      const hasRoom = response.write(content.subarray(offset, offset + length))
      offset += length
      if (!hasRoom) await new Promise((resolve) => response.once("drain", resolve))
    }
    response.end()
  }

interface Form {
  /** Whether the answer states its length. */
  readonly isStated: boolean
  readonly isSecure: boolean
}

/** Serves the content to a client of registries. */
const serve = ({ isSecure, isStated }: Form) =>
  Effect.gen(function* () {
    const { cert, private: key } = yield* Effect.promise(() =>
      generate([{ name: "commonName", value: "127.0.0.1" }], {
        extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }]
      })
    )
    const server = isSecure ? createSecureServer({ cert, key }, send(isStated)) : createServer(send(isStated))
    const port = yield* Effect.acquireRelease(
      Effect.callback<number>((resume) => {
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
        })
      }),
      () =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    )
    const context = yield* RegistryContent.layer({
      endpoint: `${isSecure ? "https" : "http"}://127.0.0.1:${port}`
    }).pipe(
      Layer.provide(Credentials.layerAnonymous),
      Layer.provide(NodeRegistryHttpClient.layerOptions({ ca: cert })),
      Layer.build
    )
    return Context.get(context, RegistryContent.RegistryContent).blobSource("library/blob", {
      digest: Digest.Digest.make(digest),
      size: content.length
    })
  })

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
  memory = new Set<ArrayBufferLike>(),
  from = 0
) =>
  Effect.gen(function* () {
    let pieces: Array<Piece> = []
    let size = from
    /** The pieces that the reader may still use when it pulls again. */
    const held = (): ReadonlyArray<Piece> => {
      if (heldBytes === undefined) return pieces
      const last = pieces.at(-1)
      if (heldBytes === 0 || last === undefined) return []
      return pieces.filter(({ bytes, offset }) => offset + bytes.length > last.offset - heldBytes)
    }
    yield* Stream.runForEachArray(source.read(from, heldBytes), (arrived) =>
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

/** The number of bytes that pieces of memory still take. */
const bytesOf = (memory: ReadonlySet<ArrayBufferLike>): number =>
  Array.from(memory).reduce((sum, { byteLength }) => sum + byteLength, 0)

const forms: ReadonlyArray<Form> = [
  { isStated: true, isSecure: false },
  { isStated: false, isSecure: false },
  { isStated: true, isSecure: true },
  { isStated: false, isSecure: true }
]

describe("blobs whose received memory is used again or freed", () => {
  for (const form of forms) {
    const answer = `an answer ${form.isStated ? "of a stated length" : "in chunks"}${form.isSecure ? " by TLS" : ""}`

    for (const heldBytes of [undefined, 0, 64 * 1024, 1024 * 1024]) {
      it.live(
        `${heldBytes ?? "all"} bytes held of ${answer}`,
        () =>
          Effect.gen(function* () {
            const source = yield* serve(form)
            const memory = new Set<ArrayBufferLike>()
            const alone = yield* read(source, heldBytes, memory)
            // Little more than a fifth of the blob.
            if (heldBytes !== undefined) assert.isBelow(bytesOf(memory), content.length / 5 + 2 * heldBytes)
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

  for (const isSecure of [false, true]) {
    it.live(`bytes held at the end, of an answer that goes on after it${isSecure ? ", by TLS" : ""}`, () =>
      Effect.gen(function* () {
        const source = yield* serve({ isStated: false, isSecure })
        for (let tailBytes = 100_000; tailBytes < 400_000; tailBytes += 10_000) {
          const lookAgain = yield* read(source, 1024, new Set(), content.length - tailBytes)
          yield* read(source, 0)
          lookAgain()
        }
      }).pipe(Effect.scoped)
    )
  }

  // Of an answer in chunks, the memory of some reads ends with what is no part of the blob, and is left to the collector.
  for (const isSecure of [false, true]) {
    it.live(
      `a reader that uses nothing at the end leaves all memory to the next one${isSecure ? ", by TLS" : ""}`,
      () =>
        Effect.gen(function* () {
          const source = yield* serve({ isStated: true, isSecure })
          const memory = new Set<ArrayBufferLike>()
          for (let turn = 0; turn < 12; turn++) yield* read(source, 0, memory)
          assert.isBelow(bytesOf(memory), content.length / 5)
        }).pipe(Effect.scoped)
    )
  }
})
