/**
 * Uploads to a server that stops reading.
 */
import { createServer, type IncomingMessage } from "node:http"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Credentials from "@effect-acr/client/Credentials"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import * as RetryPolicy from "@effect-acr/client/RetryPolicy"
import { assert, describe, it } from "@effect/vitest"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as NodeRegistryHttpClient from "../src/NodeRegistryHttpClient.ts"

const mebibyte = 1024 * 1024
const uploads = "/v2/a/blobs/uploads/"

/** A registry whose sessions read what `read` lets them. Returns its address and the lengths that requests stated. */
const listen = (read: (request: IncomingMessage, done: () => void) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly close: () => void; readonly endpoint: string; readonly lengths: Array<string> }>(
        (resume) => {
          const lengths: Array<string> = []
          const server = createServer((request, response) => {
            if (request.method === "PATCH") {
              const headers = request.headers
              lengths.push(`${headers["content-length"]} ${headers["content-range"]} ${headers["transfer-encoding"]}`)
              return read(request, () => response.writeHead(202, { location: `${uploads}1` }).end())
            }
            request.resume()
            response.writeHead(request.method === "PUT" ? 201 : 202, { location: `${uploads}1` }).end()
          })
          server.listen(0, "127.0.0.1", () => {
            const address = server.address()
            const port = typeof address === "object" ? (address?.port ?? 0) : 0
            const close = () => {
              server.closeAllConnections()
              server.close()
            }
            resume(Effect.succeed({ close, endpoint: `http://127.0.0.1:${port}`, lengths }))
          })
        }
      ),
      ({ close }) => Effect.sync(close)
    ),
    ({ endpoint, lengths }) => ({ endpoint, lengths })
  )

/** Uploads so many bytes in chunks of eight mebibytes. */
const upload = (endpoint: string, bytes: number, idleTimeout: Duration.Input) =>
  Effect.flatMap(RegistryContent.RegistryContent, (content) =>
    content.uploadBlob("a", BlobSource.fromStream(Stream.make(new Uint8Array(bytes))))
  ).pipe(
    Effect.provide(
      RegistryContent.layer({ endpoint, retry: RetryPolicy.never, idleTimeout }).pipe(
        Layer.provide([Credentials.layerAnonymous, NodeRegistryHttpClient.layer])
      )
    )
  )

describe("a chunk that the registry stops reading", () => {
  it.live("is aborted after the idle timeout, not after the timeout of the whole chunk", () =>
    Effect.gen(function* () {
      // It reads a little, and then for ever nothing.
      const { endpoint } = yield* listen((request) => {
        request.once("data", () => request.pause())
      })
      const { reason } = yield* Effect.flip(upload(endpoint, 64 * mebibyte, "1 second"))
      assert.strictEqual(reason._tag, "Unavailable")
      assert.include(reason.message, "1s")
    })
  )
})

describe("a chunk that the registry reads slowly", () => {
  it.live("is sent with its length, and does not time out while it progresses", () =>
    Effect.gen(function* () {
      const { endpoint, lengths } = yield* listen((request, done) => {
        request.on("data", () => {
          request.pause()
          setImmediate(() => request.resume())
        })
        request.on("end", done)
      })
      const { size } = yield* upload(endpoint, 20 * mebibyte, "30 seconds")
      assert.strictEqual(size, 20 * mebibyte)
      const chunk = 8 * mebibyte
      assert.deepStrictEqual(lengths, [
        `${chunk} 0-${chunk - 1} undefined`,
        `${chunk} ${chunk}-${2 * chunk - 1} undefined`,
        `${4 * mebibyte} ${2 * chunk}-${20 * mebibyte - 1} undefined`
      ])
    })
  )
})
