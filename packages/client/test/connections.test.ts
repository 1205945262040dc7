/**
 * The resources of a transfer: the client closes failed connections at once, and reads only a few pieces ahead of the
 * program.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { TestClock } from "effect/testing"
import * as Credentials from "../src/Credentials.ts"
import * as Registry from "../src/Registry.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import * as ScopedHttpClient from "../src/ScopedHttpClient.ts"
import { content, sha256 } from "./support/content.ts"
import { challenge, endpoint, json } from "./support/registry.ts"

const blob = Buffer.from("0123456789".repeat(100))
const digest = sha256(blob)

const download = Effect.flatMap(RegistryContent, (registry) => Stream.runDrain(registry.blob("alpine", digest)))

/** A client that notes when each request takes a connection and when it releases the connection. */
const noting = (notes: Array<string>, answer: (path: string) => Response) => {
  const client = HttpClient.make((request, url) =>
    Effect.sync(() => HttpClientResponse.fromWeb(request, answer(url.pathname)))
  )
  return ScopedHttpClient.make(client, (request) => {
    const path = new URL(request.url).pathname.replace(/sha256.*/, "")
    return Effect.andThen(
      Effect.acquireRelease(
        Effect.sync(() => notes.push(`${path} begins`)),
        () => Effect.sync(() => notes.push(`${path} ends`))
      ),
      client.execute(request)
    )
  })
}

/** A body that sends its bytes and then stalls. */
const stalling = (bytes: Uint8Array, onCancel: () => void): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => controller.enqueue(bytes),
    cancel: onCancel
  })

describe("a download", () => {
  it.effect("releases the connection of the challenge before it sends the next request", () => {
    const notes: Array<string> = []
    let isChallenged = false
    const client = noting(notes, (path) => {
      if (path === "/oauth2/token") return json({ access_token: "token" })
      if (isChallenged) return new Response(blob)
      isChallenged = true
      return challenge("repository:alpine:pull")
    })
    return Effect.gen(function* () {
      yield* download
      assert.deepStrictEqual(notes, [
        "/v2/alpine/blobs/ begins",
        "/v2/alpine/blobs/ ends",
        "/oauth2/token begins",
        "/oauth2/token ends",
        "/v2/alpine/blobs/ begins",
        "/v2/alpine/blobs/ ends"
      ])
    }).pipe(
      Effect.provide(
        Registry.layer({ endpoint }).pipe(
          Layer.provide([Credentials.layerAnonymous, Layer.succeed(HttpClient.HttpClient, client)])
        )
      )
    )
  })

  it.effect("closes a connection that stalls before it resumes", () => {
    let isClosed = false
    const wasClosed: Array<boolean> = []
    return Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(download)
      yield* Effect.repeat(TestClock.adjust(0), { times: 20 })
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(wasClosed, [false, true])
    }).pipe(
      Effect.provide(
        content(({ range }) => {
          wasClosed.push(isClosed)
          const headers = { "content-length": String(blob.length - (range === null ? 0 : 100)) }
          return range === null
            ? new Response(
                stalling(blob.subarray(0, 100), () => {
                  isClosed = true
                }),
                { headers }
              )
            : new Response(blob.subarray(100), {
                status: 206,
                headers: { ...headers, "content-range": `bytes 100-${blob.length - 1}/${blob.length}` }
              })
        })
      )
    )
  })

  it.effect("reads only a few pieces ahead of a slow consumer", () => {
    let sent = 0
    const body = () =>
      new ReadableStream<Uint8Array>(
        {
          pull: (controller) => {
            controller.enqueue(blob.subarray(sent, sent + 1))
            sent += 1
            if (sent === blob.length) controller.close()
          }
        },
        { highWaterMark: 0 }
      )
    return Effect.gen(function* () {
      const registry = yield* RegistryContent
      const fiber = yield* registry.blob("alpine", digest).pipe(
        Stream.runForEachArray(() => Effect.sleep("1 minute")),
        Effect.forkChild
      )
      yield* Effect.repeat(TestClock.adjust(0), { times: 100 })
      assert.isAtMost(sent, 5)
      yield* TestClock.adjust("10 minutes")
      yield* Effect.repeat(TestClock.adjust(0), { times: 100 })
      assert.isAtMost(sent, 15)
      yield* Fiber.interrupt(fiber)
    }).pipe(Effect.provide(content(() => new Response(body()))))
  })
})
