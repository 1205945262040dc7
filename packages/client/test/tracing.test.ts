/**
 * What an operation shows of itself: spans, metrics, logs, and what the registry has to say.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { TestClock } from "effect/testing"
import * as BlobSource from "../src/BlobSource.ts"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import { layerTransport, RegistryContent } from "../src/RegistryContent.ts"
import { never } from "../src/RetryPolicy.ts"
import { content, patient, sha256 } from "./support/content.ts"
import { behindOAuth, endpoint, Journal, json, properties, registry, type Script } from "./support/registry.ts"

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))

const withHeader = (response: Response, name: string, value: string): Response => {
  response.headers.set(name, value)
  return response
}

interface Shown {
  readonly name: string
  readonly attributes: { readonly [name: string]: unknown }
  readonly parent: string | undefined
  readonly status: unknown
  readonly failed: boolean
}

/** Runs an effect and tells its spans, in the order of their beginnings. */
const spansOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<ReadonlyArray<Shown>, never, R> =>
  Effect.suspend(() => {
    const spans: Array<Tracer.Span> = []
    const tracer = Tracer.make({
      span(options) {
        const span = new Tracer.NativeSpan(options)
        spans.push(span)
        return span
      }
    })
    return Effect.exit(effect).pipe(
      Effect.provideService(Tracer.Tracer, tracer),
      Effect.map(() =>
        spans.map((span) => ({
          name: span.name,
          attributes: Object.fromEntries(span.attributes),
          parent: Option.getOrUndefined(
            Option.flatMap(span.parent, (parent) => (parent._tag === "Span" ? Option.some(parent.name) : Option.none()))
          ),
          status: span.attributes.get("http.response.status_code"),
          failed: span.status._tag === "Ended" && Exit.isFailure(span.status.exit)
        }))
      )
    )
  })

describe("spans", () => {
  it.effect("are one for the operation and one for each request, and an expected 401 fails none", () =>
    Effect.gen(function* () {
      const operation = "ContainerRegistry.repositoryProperties"
      const request = { parent: operation, failed: false }
      const shown = (yield* spansOf(read)).map(({ failed, name, parent, status }) => ({ name, parent, status, failed }))
      assert.deepStrictEqual(shown, [
        { name: operation, parent: undefined, status: undefined, failed: false },
        { ...request, name: `GET ${endpoint}/acr/v1/alpine`, status: 401 },
        { ...request, name: `POST ${endpoint}/oauth2/exchange`, status: 200 },
        { ...request, name: `POST ${endpoint}/oauth2/token`, status: 200 },
        { ...request, name: `GET ${endpoint}/acr/v1/alpine`, status: 200 }
      ])
    }).pipe(Effect.provide(registry(behindOAuth("repository:alpine:metadata_read", properties))))
  )

  it.effect("fail with the operation", () =>
    Effect.gen(function* () {
      const spans = yield* spansOf(read)
      assert.deepStrictEqual(
        spans.filter(({ failed }) => failed).map(({ name }) => name),
        ["ContainerRegistry.repositoryProperties"]
      )
    }).pipe(
      Effect.provide(
        registry(
          behindOAuth("s", () => json({}, { status: 403 })),
          { retry: never }
        )
      )
    )
  )
})

describe("an upload", () => {
  it.effect("shows its requests within it, and fails under its own name", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const upload = registry.uploadBlob("alpine", BlobSource.fromString("content"))
      const spans = yield* spansOf(upload)
      assert.deepStrictEqual(
        spans.map(({ name, parent }) => [name.replace(endpoint, ""), parent]),
        [
          ["RegistryContent.uploadBlob", undefined],
          ["RegistryContent.openUpload", "RegistryContent.uploadBlob"],
          ["POST /v2/alpine/blobs/uploads/", "RegistryContent.openUpload"],
          ["RegistryContent.sendBytes", "RegistryContent.uploadBlob"],
          ["PATCH /v2/alpine/blobs/uploads/s", "RegistryContent.sendBytes"],
          ["RegistryContent.cancelUpload", "RegistryContent.uploadBlob"],
          ["DELETE /v2/alpine/blobs/uploads/s", "RegistryContent.cancelUpload"]
        ]
      )
      const error = yield* Effect.flip(upload)
      assert.strictEqual(error.operation, "RegistryContent.uploadBlob")
      assert.strictEqual(error.request?.method, "PATCH")
      assert.strictEqual(error.request?.url, `${endpoint}/v2/alpine/blobs/uploads/s`)
    }).pipe(
      Effect.provide(
        content(({ method }) =>
          method === "POST"
            ? new Response(null, { status: 202, headers: { location: "/v2/alpine/blobs/uploads/s?_state=secret" } })
            : new Response(null, { status: method === "PATCH" ? 403 : 204 })
        )
      )
    )
  )
})

/** What the metrics of an effect come to: `name{attributes}` and a count or a sum. */
const metricsOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    yield* Effect.exit(effect)
    const snapshot = yield* Metric.snapshot
    return Object.fromEntries(
      snapshot
        .filter(({ id }) => id.startsWith("registry_client_"))
        .map(({ attributes, id, state }) => [
          `${id.replace("registry_client_", "")} ${Object.values(attributes ?? {}).join(" ")}`,
          "count" in state ? Number(state.count) : 0
        ])
    )
  }).pipe(
    Effect.provideServiceEffect(
      Metric.MetricRegistry,
      Effect.sync(() => new Map())
    )
  )

describe("metrics", () => {
  it.effect("count requests by operation, method and status, and tokens", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* metricsOf(read), {
        "requests ContainerRegistry.repositoryProperties GET 401": 1,
        "requests OAuth.exchange POST 200": 1,
        "token_fetches refresh": 1,
        "requests OAuth.token POST 200": 1,
        "token_fetches access": 1,
        "requests ContainerRegistry.repositoryProperties GET 200": 1
      })
    }).pipe(Effect.provide(registry(behindOAuth("repository:alpine:metadata_read", properties))))
  )

  it.effect("count retries by cause", () =>
    Effect.gen(function* () {
      const metrics = yield* metricsOf(read)
      assert.strictEqual(metrics["retries ContainerRegistry.repositoryProperties Throttled"], 1)
      assert.strictEqual(metrics["retries ContainerRegistry.repositoryProperties Unavailable"], 2)
    }).pipe(
      Effect.provide(
        registry(
          (_, count) => {
            if (count === 0) return json({}, { status: 429 })
            if (count === 1) return json({}, { status: 503 })
            return count === 2 ? "reset" : properties()
          },
          { retry: patient }
        )
      )
    )
  )

  it.effect("count bytes both ways, also of a transfer that breaks off", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const download = registry.blob("alpine", sha256("content")).pipe(Stream.runDrain)
      const upload = registry.uploadBlob("alpine", BlobSource.fromString("a blob"))
      const metrics = yield* metricsOf(Effect.andThen(Effect.exit(download), upload))
      assert.strictEqual(metrics["bytes received"], "cont".length)
      assert.strictEqual(metrics["bytes sent"], "a blob".length)
    }).pipe(
      Effect.provide(
        content(({ method }) => {
          switch (method) {
            case "GET":
              return new Response("cont", { headers: { "content-length": "4" } })
            case "PUT":
              return new Response(null, { status: 201 })
            default:
              return new Response(null, { status: 202, headers: { location: "/s", range: "0-5" } })
          }
        })
      )
    )
  )

  it.effect("measure how long requests wait for their turn", () =>
    Effect.gen(function* () {
      const calls = yield* Effect.forkChild(metricsOf(Effect.all([read, read, read])))
      for (let second = 0; second < 120; second++) yield* TestClock.adjust("1 second")
      const metrics = yield* Fiber.join(calls)
      assert.strictEqual(metrics["rate_limit_wait milliseconds read"], 2)
    }).pipe(Effect.provide(registry(properties, { rateLimits: { read: 1 } })))
  )
})

/** The attributes of each span, with its name and whether it failed. */
const attributesOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(spansOf(effect), (spans) =>
    spans.map(({ attributes, failed, name }): { readonly [name: string]: unknown } => ({
      name: name.replace(endpoint, ""),
      failed,
      ...attributes
    }))
  )

describe("an operation's span", () => {
  it.effect("tells the registry, the repository, the reference and the attempt", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const [operation, first, second] = yield* attributesOf(registry.tagProperties("alpine", "3.20"))
      assert.deepInclude(
        { ...operation },
        {
          name: "ContainerRegistry.tagProperties",
          "server.address": "myregistry.azurecr.io",
          "registry.repository": "alpine",
          "registry.reference": "3.20"
        }
      )
      assert.deepInclude({ ...first }, { "registry.attempt": 1, "http.response.status_code": 503, failed: false })
      assert.deepInclude({ ...second }, { "registry.attempt": 2, "registry.repository": "alpine" })
    }).pipe(
      Effect.provide(
        registry((_, count) => (count === 0 ? json({}, { status: 503 }) : json({}, { status: 404 })), {
          retry: patient
        })
      )
    )
  )

  it.effect("does not fail because something is not there", () =>
    Effect.gen(function* () {
      const [operation] = yield* attributesOf(read)
      assert.deepInclude({ ...operation }, { failed: false, "error.type": "NotFound" })
      assert.strictEqual((yield* Effect.flip(read)).reason._tag, "NotFound")
    }).pipe(Effect.provide(registry(() => json({}, { status: 404 }))))
  )

  it.effect("of a download tells what came before it was taken up again", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const [operation] = yield* attributesOf(registry.blobBytes("alpine", sha256("content")))
      assert.deepInclude({ ...operation }, { "registry.repository": "alpine", "registry.digest": sha256("content") })
      const download = (yield* attributesOf(registry.blob("alpine", sha256("content")).pipe(Stream.runDrain)))[0]
      assert.deepInclude({ ...download }, { "registry.resumed_bytes": 4, "registry.size": 7, failed: false })
    }).pipe(
      Effect.provide(
        content(({ range }) =>
          range === null
            ? new Response("cont", { headers: { "content-length": "7" } })
            : new Response("ent", { status: 206, headers: { "content-range": "bytes 4-6/7" } })
        )
      )
    )
  )
})

describe("a request", () => {
  it.effect("has a name of its own, which the error tells beside the registry's", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read)
      const sent = (yield* Journal).map(({ clientRequestId }) => clientRequestId)
      assert.lengthOf(sent, 4)
      assert.lengthOf(new Set(sent), 4)
      for (const id of sent) {
        assert.match(id ?? "", /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      }
      assert.strictEqual(error.request?.clientRequestId, sent[3])
      assert.strictEqual(error.response?.correlationId, "their-name")
      assert.include(error.message, `correlation id their-name, client request id ${sent[3]}`)
    }).pipe(
      Effect.provide(
        registry(
          behindOAuth("repository:alpine:metadata_read", () =>
            json({}, { status: 403, headers: { "x-ms-correlation-request-id": "their-name" } })
          )
        )
      )
    )
  )
})

/** A registry whose storage warns. */
const warningStorage: Script = ({ url }) =>
  url.origin === endpoint
    ? new Response(null, { status: 307, headers: { location: "https://storage.example/blob" } })
    : new Response("content", { headers: { warning: '299 - "believe me"', "content-length": "7" } })

describe("a registry's warning", () => {
  it.effect("reaches the user once, by a log and by a function", () => {
    const told: Array<string> = []
    const logged: Array<string> = []
    const logger = Logger.make(({ logLevel, message }) => {
      if (logLevel === "Warn") logged.push(String(message))
    })
    const warning = '299 - "the image is deprecated", 110 - "stale", 299 - "say \\"friend\\", and enter"'
    return Effect.gen(function* () {
      yield* read
      yield* read
      assert.deepStrictEqual(told, ["the image is deprecated", 'say "friend", and enter', "another"])
      assert.deepStrictEqual(
        logged,
        told.map((text) => `myregistry.azurecr.io warns: ${text}`)
      )
    }).pipe(
      Effect.provide(
        Layer.merge(
          registry(
            (_, count) => withHeader(properties(), "warning", count === 0 ? warning : `${warning}, 299 - "another"`),
            {
              onWarning: (text) =>
                Effect.sync(() => {
                  told.push(text)
                })
            }
          ),
          Logger.layer([logger])
        )
      )
    )
  })

  it.effect("is not taken from somebody else", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const layer = layerTransport().pipe(
        Layer.provide(
          registry(warningStorage, {
            onWarning: (text) =>
              Effect.sync(() => {
                told.push(text)
              })
          })
        )
      )
      yield* Effect.flatMap(RegistryContent, (registry) => registry.blobBytes("alpine", sha256("content"))).pipe(
        Effect.provide(layer)
      )
      assert.deepStrictEqual(told, [])
    })
  )
})

describe("logs at debug level", () => {
  it.effect("let a stranger follow a transfer", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => {
      lines.push(String(message).replaceAll(endpoint, ""))
    })
    return Effect.gen(function* () {
      const registry = yield* RegistryContent
      yield* registry.uploadBlob("alpine", BlobSource.fromString("content"))
      assert.deepStrictEqual(
        lines.map((line) => line.replace(/ \(.*/, "")),
        [
          "POST /v2/alpine/blobs/uploads/ 202",
          "PATCH /s 503: Unavailable",
          "upload: Repeat: RegistryContent.uploadBlob: Unavailable: the registry answered 503 without an explanation",
          "PATCH /s 202",
          "upload: the registry has 7 of 7 bytes",
          "PUT /s 201",
          `upload: ${sha256("content")} is there`
        ]
      )
    }).pipe(
      Effect.provide([
        content(({ method }, count) => {
          if (method === "PUT") return new Response(null, { status: 201 })
          return method === "PATCH" && count === 0
            ? new Response(null, { status: 503 })
            : new Response(null, { status: 202, headers: { location: "/s" } })
        }),
        Logger.layer([logger])
      ]),
      Effect.provideService(References.MinimumLogLevel, "Debug")
    )
  })
})
