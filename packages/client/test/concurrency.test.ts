/**
 * A limit of concurrent requests: it holds, no request waits longer than necessary, and there is no deadlock.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as HttpClient from "effect/http/HttpClient"
import * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as HttpClientResponse from "effect/http/HttpClientResponse"
import { TestClock } from "effect/testing"
import * as BlobSource from "../src/BlobSource.ts"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import * as Registry from "../src/Registry.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import type { RetryPolicy } from "../src/RetryPolicy.ts"
import type * as Transport from "../src/Transport.ts"
import { patient, sha256 } from "./support/content.ts"
import { behindOAuth, challenge, endpoint, entra, json, properties, registry, type Asked } from "./support/registry.ts"

/** Larger than what an upload keeps in memory. */
const text = "content ".repeat(200_000)
const bytes = new TextEncoder().encode(text)
const digest = sha256(bytes)

/** The number of concurrent requests, by host. */
const makeCount = () => {
  const now = new Map<string, number>()
  const most = new Map<string, number>()
  return {
    most,
    now,
    enter: (host: string) => {
      const count = (now.get(host) ?? 0) + 1
      now.set(host, count)
      most.set(host, Math.max(most.get(host) ?? 0, count))
    },
    leave: (host: string) => {
      now.set(host, (now.get(host) ?? 0) - 1)
    }
  }
}

type Count = ReturnType<typeof makeCount>

const host = "myregistry.azurecr.io"

/**
 * An HTTP client that takes a second for each request: a half to connect, and another for the answer once the request
 * was read. The body of a blob counts until it is read or cancelled.
 */
const slow = (
  count: Count,
  answer: (asked: Pick<Asked, "method" | "url" | "authorization" | "range">, body: string) => Response
) =>
  HttpClient.make((request, url) =>
    Effect.suspend(() => {
      count.enter(url.host)
      const body =
        request.body._tag === "Stream"
          ? Stream.runFold(
              request.body.stream,
              () => "",
              (text, piece) => text + new TextDecoder().decode(piece)
            )
          : Effect.succeed(request.body._tag === "Uint8Array" ? new TextDecoder().decode(request.body.body) : "")
      return Effect.delay(Effect.orDie(body), "500 millis").pipe(
        Effect.tap(Effect.sleep("500 millis")),
        Effect.map((text) => {
          const { authorization, range } = request.headers
          const response = answer({ method: request.method, url, authorization, range: range ?? null }, text)
          if (response.status >= 300 || request.method !== "GET" || !url.pathname.includes("/blobs/")) {
            count.leave(url.host)
            return response
          }
          return counted(response, () => count.leave(url.host))
        }),
        Effect.map((response) => HttpClientResponse.fromWeb(request, response)),
        Effect.onInterrupt(() => Effect.sync(() => count.leave(url.host)))
      )
    })
  )

/** An answer that reports when its body was read or cancelled. */
const counted = (response: Response, over: () => void): Response => {
  const reader = response.body?.getReader()
  let isOver = false
  const end = () => {
    if (!isOver) over()
    isOver = true
  }
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const part = await reader?.read()
        if (part === undefined || part.done) {
          end()
          controller.close()
        } else {
          controller.enqueue(part.value)
        }
      },
      cancel: end
    },
    { highWaterMark: 0 }
  )
  return new Response(body, { status: response.status, headers: response.headers })
}

/** A registry that has a blob, and accepts everything it is sent. */
const blobs: Parameters<typeof slow>[1] = ({ method, url }) => {
  const session = { location: `/v2/alpine/blobs/uploads/s` }
  switch (method) {
    case "POST":
      return new Response(null, { status: 202, headers: session })
    case "PATCH":
      return new Response(null, { status: 202, headers: session })
    case "PUT":
      return new Response(null, { status: 201 })
    case "HEAD":
      return new Response(null, { headers: { "content-length": String(bytes.length) } })
    default:
      return url.pathname.includes("/blobs/")
        ? new Response(text, { headers: { "content-length": String(bytes.length) } })
        : properties()
  }
}

const services = (
  client: HttpClient.HttpClient,
  maxConcurrentRequests: number,
  options: Partial<Transport.Options> & { readonly credentials?: Layer.Layer<Credentials.Credentials> } = {}
) => {
  const { credentials = Credentials.layerAnonymous, ...others } = options
  const retry: RetryPolicy = { ...patient, attemptTimeout: "1 minute" }
  return Registry.layer({ endpoint, maxConcurrentRequests, retry, ...others }).pipe(
    Layer.provide(credentials),
    Layer.provide(Layer.succeed(HttpClient.HttpClient, client))
  )
}

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))
const download = Effect.flatMap(RegistryContent, (content) => content.blobBytes("alpine", digest))

const several = <A, E, R>(times: number, effect: Effect.Effect<A, E, R>) =>
  Effect.all(
    Array.from({ length: times }, () => effect),
    { concurrency: "unbounded" }
  )

/** Runs everything that is due. */
const settle = Effect.repeat(TestClock.adjust(0), { times: 20 })

/** The result of an effect within a number of seconds. */
const within = <A, E, R>(seconds: number, effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    for (let second = 0; second < seconds; second++) {
      yield* settle
      yield* TestClock.adjust("1 second")
    }
    yield* settle
    const exit = fiber.pollUnsafe()
    if (exit === undefined) {
      yield* Fiber.interrupt(fiber)
      return yield* Effect.die(new Error(`not over after ${seconds} seconds`))
    }
    return yield* exit
  })

describe("a limited number of requests", () => {
  it.effect("are sent to a host, and the others when these are answered", () => {
    const count = makeCount()
    return Effect.gen(function* () {
      assert.lengthOf(yield* within(3, several(5, read)), 5)
      assert.deepStrictEqual([...count.most], [[host, 2]])
    }).pipe(Effect.provide(services(slow(count, blobs), 2)))
  })

  it.effect("includes those for tokens, and none waits for its own", () => {
    const count = makeCount()
    const answer = behindOAuth("repository:alpine:metadata_read", properties)
    const client = slow(count, (asked, body) => {
      const reply = answer(
        {
          ...asked,
          body,
          accept: undefined,
          contentRange: undefined,
          contentType: undefined,
          clientRequestId: undefined
        },
        0
      )
      return reply instanceof Response ? reply : new Response(null, { status: 500 })
    })
    return Effect.gen(function* () {
      assert.lengthOf(yield* within(10, several(5, read)), 5)
      assert.deepStrictEqual([...count.most], [[host, 1]])
    }).pipe(Effect.provide(services(client, 1, { credentials: entra })))
  })

  it.effect("does not include one that waits for a retry", () => {
    const count = makeCount()
    let asked = 0
    const client = slow(count, () =>
      asked++ === 0 ? new Response("", { status: 503, headers: { "retry-after": "30" } }) : properties()
    )
    return Effect.gen(function* () {
      const first = yield* Effect.forkChild(read)
      yield* settle
      yield* TestClock.adjust("1 second")
      yield* within(1, read)
      assert.isUndefined(first.pollUnsafe())
      yield* within(31, Fiber.join(first))
    }).pipe(Effect.provide(services(client, 1)))
  })

  it.effect("does not include one that was interrupted, even while it waited", () => {
    const count = makeCount()
    return Effect.gen(function* () {
      const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(read))
      yield* settle
      yield* Fiber.interruptAll(fibers)
      yield* within(1, read)
      assert.deepStrictEqual([...count.now], [[host, 0]])
    }).pipe(Effect.provide(services(slow(count, blobs), 1)))
  })

  it.effect("is counted for each host separately", () => {
    const count = makeCount()
    const client = slow(count, (asked, body) =>
      asked.url.host === host && asked.url.pathname.includes("/blobs/")
        ? new Response(null, { status: 307, headers: { location: "https://storage.example/blobs/1" } })
        : blobs(asked, body)
    )
    return Effect.gen(function* () {
      assert.lengthOf(yield* within(8, several(3, download)), 3)
      assert.deepStrictEqual(
        [...count.most],
        [
          [host, 1],
          ["storage.example", 1]
        ]
      )
    }).pipe(Effect.provide(services(client, 1)))
  })

  it.effect("waits as the metrics show", () =>
    Effect.gen(function* () {
      // The authentication scheme is known from here on.
      yield* within(1, read)
      yield* within(3, several(3, read))
      const wait = (yield* Metric.snapshot).find(({ id }) => id === "registry.client.request.wait_time")
      assert.deepStrictEqual(wait?.attributes, {
        "server.address": host,
        "server.port": "443",
        "registry.limit": "concurrency",
        unit: "s"
      })
      assert.deepInclude({ ...wait?.state }, { count: 2, sum: 3 })
    }).pipe(
      Effect.provide(services(slow(makeCount(), blobs), 1)),
      Effect.provideServiceEffect(
        Metric.MetricRegistry,
        Effect.sync(() => new Map())
      )
    )
  )

  for (const warned of ["an answer", "a challenge", "a token", "an exchange"] as const) {
    for (const limit of [1, 8]) {
      it.effect(
        `does not block a function that is called with a warning with ${warned} and sends requests: ${limit}`,
        () => {
          let asked = 0
          const paths = { "an exchange": "/oauth2/exchange", "a token": "/oauth2/token" }
          const client = slow(makeCount(), ({ authorization, url }) => {
            const isFirst = asked++ === 0
            const answer =
              url.pathname === "/oauth2/exchange"
                ? json({ refresh_token: "refresh" })
                : url.pathname === "/oauth2/token"
                  ? json({ access_token: "access" })
                  : warned !== "an answer" && authorization === undefined
                    ? challenge("repository:alpine:metadata_read")
                    : properties()
            const warns =
              warned in paths
                ? Object.entries(paths).some((path) => path.join() === `${warned},${url.pathname}`)
                : isFirst
            if (warns) answer.headers.set("warning", '299 - "look at the tag"')
            return answer
          })
          return Effect.gen(function* () {
            const self = yield* Deferred.make<ContainerRegistry["Service"]>()
            const seen: Array<string> = []
            const onWarning = () =>
              Effect.gen(function* () {
                const registry = yield* Deferred.await(self)
                seen.push((yield* Effect.orDie(registry.repositoryProperties("other"))).name)
                // Of another kind, whose authentication scheme is not known yet.
                yield* Effect.orDie(registry.updateRepository("other", { canDelete: false }))
              })
            yield* Effect.gen(function* () {
              yield* Deferred.succeed(self, yield* ContainerRegistry)
              yield* within(12, several(2, read))
            }).pipe(Effect.provide(services(client, limit, { onWarning, credentials: entra })))
            assert.lengthOf(seen, 1)
          })
        }
      )
    }
  }

  for (const limit of [0, -1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    it.effect(`can't be ${limit}`, () =>
      Effect.gen(function* () {
        const exit = yield* Effect.exit(Layer.build(registry(() => properties(), { maxConcurrentRequests: limit })))
        assert.isTrue(Exit.isFailure(exit))
        assert.include(String(exit), `maxConcurrentRequests "${limit}"`)
      })
    )
  }
})

describe("a limited number of blobs", () => {
  it.effect("are downloaded, and the others when these have been read", () => {
    const count = makeCount()
    return Effect.gen(function* () {
      assert.lengthOf(yield* within(3, several(5, download)), 5)
      assert.deepStrictEqual([...count.most], [[host, 2]])
      assert.deepStrictEqual([...count.now], [[host, 0]])
    }).pipe(Effect.provide(services(slow(count, blobs), 2)))
  })

  it.effect("does not include one that was interrupted", () => {
    const count = makeCount()
    return Effect.gen(function* () {
      const content = yield* RegistryContent
      yield* within(1, content.blob("alpine", digest).pipe(Stream.take(1), Stream.runDrain))
      yield* within(1, Effect.exit(content.blob("alpine", sha256("another")).pipe(Stream.runDrain)))
      yield* within(1, download)
    }).pipe(Effect.provide(services(slow(count, blobs), 1)))
  })

  it.effect("leaves capacity for requests of the program that reads them", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const reading = content.blob("alpine", digest).pipe(
        Stream.mapEffect(() => read),
        Stream.runDrain
      )
      yield* within(2, reading)
    }).pipe(Effect.provide(services(slow(makeCount(), blobs), 1)))
  )

  it.effect("may be redirected to the same host", () => {
    const client = slow(makeCount(), (asked, body) =>
      asked.url.pathname.startsWith("/v2/")
        ? new Response("elsewhere", { status: 307, headers: { location: "/storage/blobs/1" } })
        : blobs(asked, body)
    )
    return Effect.gen(function* () {
      assert.lengthOf(yield* within(8, several(3, download)), 3)
    }).pipe(Effect.provide(services(client, 1)))
  })

  it.effect("are uploaded, and a waiting one does not count as stalled", () => {
    const count = makeCount()
    return Effect.gen(function* () {
      const content = yield* RegistryContent
      // The source takes two minutes.
      const long = BlobSource.fromRepeatableStream(Stream.fromEffect(Effect.as(Effect.sleep("2 minutes"), bytes)), {
        size: bytes.length
      })
      const uploads = Effect.all(
        [
          content.uploadBlob("alpine", long),
          Effect.delay(content.uploadBlob("alpine", BlobSource.fromBytes(bytes)), "1500 millis")
        ],
        { concurrency: "unbounded" }
      )
      assert.lengthOf(yield* within(140, uploads), 2)
      assert.isAtMost(count.most.get(host) ?? 0, 2)
    }).pipe(Effect.provide(services(slow(count, blobs), 1, { retry: { ...patient, schedule: Schedule.recurs(0) } })))
  })

  const sources: ReadonlyArray<
    readonly [string, (content: RegistryContent["Service"]) => BlobSource.BlobSource<unknown>]
  > = [
    [
      "in one request",
      (content) =>
        BlobSource.fromRepeatableStream(content.blob("alpine", digest), {
          size: bytes.length
        })
    ],
    ["in chunks", (content) => BlobSource.fromStream(content.blob("alpine", digest))]
  ]
  for (const [name, source] of sources) {
    it.effect(`are copied within a registry, ${name}`, () => {
      const count = makeCount()
      return Effect.gen(function* () {
        const content = yield* RegistryContent
        const copies = several(4, content.uploadBlob("alpine", source(content)))
        assert.lengthOf(yield* within(40, copies), 4)
        // A download, an upload, and a request that is no blob.
        assert.isAtMost(count.most.get(host) ?? 0, 3)
      }).pipe(Effect.provide(services(slow(count, blobs), 1)))
    })
  }

  it.effect("are copied while another one waits for its turn", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const late = Stream.concat(
        Stream.drain(Stream.fromEffect(Effect.sleep("3 seconds"))),
        content.blob("alpine", digest)
      )
      const copy = content.uploadBlob("alpine", BlobSource.fromRepeatableStream(late, { size: bytes.length }))
      yield* within(40, Effect.all([copy, Effect.delay(download, "2 seconds")], { concurrency: "unbounded" }))
    }).pipe(Effect.provide(services(slow(makeCount(), blobs), 1)))
  )

  it.effect("does not block a function that is called with a warning of one and reads another", () => {
    let asked = 0
    const client = slow(makeCount(), (request, body) => {
      const answer = blobs(request, body)
      if (asked++ === 0) answer.headers.set("warning", '299 - "look at the blob"')
      return answer
    })
    return Effect.gen(function* () {
      const self = yield* Deferred.make<RegistryContent["Service"]>()
      let size = 0
      const onWarning = () =>
        Effect.gen(function* () {
          const content = yield* Deferred.await(self)
          size = (yield* Effect.orDie(content.blobBytes("alpine", digest))).length
        })
      yield* Effect.gen(function* () {
        yield* Deferred.succeed(self, yield* RegistryContent)
        yield* within(4, download)
      }).pipe(Effect.provide(services(client, 1, { onWarning })))
      assert.strictEqual(size, bytes.length)
    })
  })

  it.effect("are copied by an HTTP client that reads bodies in its own fibres", () =>
    Effect.gen(function* () {
      const run = Effect.runPromiseWith(yield* Effect.context())
      const inner = slow(makeCount(), blobs)
      const client = HttpClient.mapRequest(inner, (request) => {
        const { body } = request
        if (body._tag !== "Stream") return request
        const whole = Effect.promise(() => run(Effect.orDie(Stream.mkUint8Array(body.stream))))
        return HttpClientRequest.bodyStream(request, Stream.fromEffect(whole))
      })
      yield* Effect.gen(function* () {
        const content = yield* RegistryContent
        const blob = yield* within(3, content.headBlob("alpine", digest))
        yield* within(20, content.uploadBlob("alpine", content.blobSource("alpine", blob)))
      }).pipe(Effect.provide(services(client, 1)))
    })
  )

  it.effect("are copied in both directions at once", () => {
    const count = makeCount()
    return Effect.gen(function* () {
      const content = yield* RegistryContent
      const copies = several(
        3,
        Effect.forEach(sources, ([, source]) => content.uploadBlob("alpine", source(content)), {
          concurrency: "unbounded"
        })
      )
      assert.lengthOf(yield* within(60, copies), 3)
    }).pipe(Effect.provide(services(slow(count, blobs), 1)))
  })
})
