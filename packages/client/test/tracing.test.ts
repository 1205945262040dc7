/**
 * Observability of operations: spans, metrics, logs, and the registry's warnings.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type * as Tracer from "effect/Tracer"
import { TestClock } from "effect/testing"
import * as BlobSource from "../src/BlobSource.ts"
import * as Digest from "../src/Digest.ts"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import * as Credentials from "../src/Credentials.ts"
import { layerTransport, RegistryContent } from "../src/RegistryContent.ts"
import { NotFound, RegistryError } from "../src/RegistryError.ts"
import { never } from "../src/RetryPolicy.ts"
import { Transport } from "../src/Transport.ts"
import { content, patient, sha256 } from "./support/content.ts"
import {
  behindOAuth,
  challenge,
  endpoint,
  Journal,
  json,
  properties,
  registry,
  type Script
} from "./support/registry.ts"
import * as Spans from "./support/spans.ts"

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))

const withHeader = (response: Response, name: string, value: string): Response => {
  response.headers.set(name, value)
  return response
}

interface Shown {
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly attributes: { readonly [name: string]: unknown }
  readonly events: ReadonlyArray<string>
  readonly parent: string | undefined
  /** The failure, if there is one. */
  readonly failure: string | undefined
}

/** The observable parts of a span. */
const shown = (span: Tracer.NativeSpan, _: number, spans: ReadonlyArray<Tracer.NativeSpan>): Shown => {
  const nameOf = ({ spanId }: Tracer.AnySpan) =>
    Option.map(
      Arr.findFirst(spans, (other) => other.spanId === spanId),
      ({ name }) => name
    )
  assert.strictEqual(span.status._tag, "Ended", `${span.name} never ended`)
  return {
    name: span.name,
    kind: span.kind,
    attributes: Object.fromEntries(span.attributes),
    events: span.events.map(([name]) => name),
    parent: Option.getOrUndefined(Option.flatMap(span.parent, nameOf)),
    failure:
      span.status._tag === "Ended" && Exit.isFailure(span.status.exit)
        ? Cause.pretty(span.status.exit.cause)
        : undefined
  }
}

/** Runs an effect and returns its spans, in the order of their beginnings. */
const spansOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<ReadonlyArray<Shown>, never, R> =>
  Effect.map(Spans.spansOf(effect), (spans) => spans.map(shown))

/** Only the spans of requests: name, status, error, and whether they failed. */
const requestsOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(spansOf(effect), (spans) =>
    spans
      .filter(({ kind }) => kind === "client")
      .map(({ attributes, failure, name }) => ({
        name,
        status: attributes["http.response.status_code"],
        error: attributes["error.type"],
        failed: failure !== undefined
      }))
  )

const answered = (name: string, status: number) => ({ name, status, error: undefined, failed: false })
const failedWith = (name: string, status: number | undefined, error: string) => ({ name, status, error, failed: true })

describe("spans", () => {
  it.effect("are one for the operation and one for each request", () =>
    Effect.gen(function* () {
      const operation = "ContainerRegistry.repositoryProperties"
      assert.deepStrictEqual(
        (yield* spansOf(read)).map(({ kind, name, parent }) => ({ name, parent, kind })),
        [
          { name: operation, parent: undefined, kind: "internal" },
          { name: "GET /acr/v1/{name}", parent: operation, kind: "client" },
          { name: "POST /oauth2/exchange", parent: operation, kind: "client" },
          { name: "POST /oauth2/token", parent: operation, kind: "client" },
          { name: "GET /acr/v1/{name}", parent: operation, kind: "client" }
        ]
      )
    }).pipe(Effect.provide(registry(behindOAuth("repository:alpine:metadata_read", properties))))
  )

  it.effect(
    "of requests have the attributes of OpenTelemetry's conventions, and the second one has the resend count",
    () =>
      Effect.gen(function* () {
        const spans = (yield* spansOf(read)).filter(({ name }) => name === "GET /acr/v1/{name}")
        const attributes = spans.map(({ attributes: { "registry.client_request_id": id, ...others } }) => {
          assert.isString(id)
          return others
        })
        const common = {
          "http.request.method": "GET",
          "url.full": `${endpoint}/acr/v1/alpine`,
          "url.template": "/acr/v1/{name}",
          "server.address": "myregistry.azurecr.io",
          "server.port": 443,
          "registry.repository": "alpine"
        }
        assert.deepStrictEqual(attributes, [
          { ...common, "http.response.status_code": 401 },
          { ...common, "http.response.status_code": 200, "http.request.resend_count": 1 }
        ])
      }).pipe(Effect.provide(registry(behindOAuth("repository:alpine:metadata_read", properties))))
  )

  for (const [at, address, port] of [
    ["http://127.0.0.1:5001", "127.0.0.1", 5001],
    ["http://localhost", "localhost", 80],
    ["http://[::1]:5001", "::1", 5001]
  ] as const) {
    it.effect(`name the host and the port separately: ${at}`, () =>
      Effect.gen(function* () {
        for (const { attributes } of yield* spansOf(read)) {
          assert.deepInclude({ ...attributes }, { "server.address": address, "server.port": port })
        }
      }).pipe(Effect.provide(registry(properties, { endpoint: at, credentials: Credentials.layerAnonymous })))
    )
  }

  it.effect("have low-cardinality names, without values that a registry chooses", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const names = (yield* requestsOf(
        content.uploadBlob("library/alpine", BlobSource.fromString("content"), { chunkSize: 4 })
      )).map(({ name }) => name)
      assert.deepStrictEqual(names, [
        "POST /v2/{name}/blobs/uploads/",
        "PATCH",
        "PUT /v2/{name}/blobs/uploads/{reference}"
      ])
    }).pipe(
      Effect.provide(
        content(({ method }) => {
          if (method === "PUT") return new Response(null, { status: 201 })
          const location = method === "POST" ? "/sessions/7d2f" : "/v2/library/alpine/blobs/uploads/7d2f"
          return new Response(null, { status: 202, headers: { location } })
        })
      )
    )
  )

  it.effect("count the requests of one operation, for whatever reason they were sent again", () =>
    Effect.gen(function* () {
      const spans = (yield* spansOf(read)).filter(({ name }) => name === "GET /acr/v1/{name}")
      assert.deepStrictEqual(
        spans.map(({ attributes }) => attributes["http.request.resend_count"]),
        [undefined, 1, 2, 3]
      )
    }).pipe(
      Effect.provide(
        registry(
          behindOAuth("s", (_, count) => {
            if (count === 1) return json({}, { status: 503 })
            return count === 2 ? "reset" : properties()
          }),
          { retry: patient }
        )
      )
    )
  )

  it.effect("count a redirect that is followed", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const spans = (yield* spansOf(content.blobBytes("alpine", sha256("content")))).filter(
        ({ kind }) => kind === "client"
      )
      assert.deepStrictEqual(
        spans.map(({ attributes, name }) => [
          name,
          attributes["server.address"],
          attributes["http.request.resend_count"]
        ]),
        [
          ["GET /v2/{name}/blobs/{digest}", "myregistry.azurecr.io", undefined],
          ["GET", "storage.example", 1]
        ]
      )
    }).pipe(Effect.provide(content(warningStorage)))
  )
})

/** A registry that requires a password, or one with another realm. */
const asking =
  (challenge: string, answer: Script): Script =>
  (asked, count) =>
    asked.authorization === undefined
      ? json({}, { status: 401, headers: { "www-authenticate": challenge } })
      : answer(asked, count)

const password = Credentials.layerPassword({ username: "user", password: Redacted.make("not-the-password") })

describe("the span of a request fails", () => {
  const get = "GET /acr/v1/{name}"
  const failures: ReadonlyArray<readonly [string, Script, ReturnType<typeof failedWith>]> = [
    ["by a refusal", () => json({}, { status: 403 }), failedWith(get, 403, "403")],
    ["by a fault of the registry", () => json({}, { status: 503 }), failedWith(get, 503, "503")],
    ["by throttling", () => json({}, { status: 429 }), failedWith(get, 429, "429")],
    ["by a redirect that is not followed", () => new Response(null, { status: 302 }), failedWith(get, 302, "302")],
    ["by a status that is not success", () => new Response(null, { status: 204 }), failedWith(get, 204, "204")],
    ["by a connection that breaks", () => "reset", failedWith(get, undefined, "ECONNRESET")],
    ["by an answer that is not JSON", () => new Response("<html>"), failedWith(get, 200, "InvalidResponse")],
    ["by a 401 without a challenge", () => json({}, { status: 401 }), failedWith(get, 401, "401")],
    [
      "by a challenge that is not answered, because it leads elsewhere",
      asking('Bearer realm="https://elsewhere.example/token"', properties),
      failedWith(get, 401, "401")
    ],
    [
      "by a challenge that is not answered, because there is no password",
      asking("Basic", properties),
      failedWith(get, 401, "401")
    ]
  ]
  for (const [name, script, expected] of failures) {
    it.effect(name, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* requestsOf(read), [expected])
      }).pipe(Effect.provide(registry(script, { retry: never })))
    )
  }

  it.effect("by a challenge that is not answered, because the credential fails", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* requestsOf(read), [failedWith(get, 401, "401")])
    }).pipe(
      Effect.provide(
        registry(() => challenge("s"), {
          credentials: Credentials.layerEntra(Effect.fail("no identity")),
          retry: never
        })
      )
    )
  )

  it.effect("by the 404 of a token service", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* requestsOf(read), [answered(get, 401), failedWith("GET /oauth2/token", 404, "404")])
    }).pipe(
      Effect.provide(
        registry(({ url }) => (url.pathname === "/oauth2/token" ? new Response("", { status: 404 }) : challenge("s")), {
          credentials: password,
          retry: never
        })
      )
    )
  )

  it.effect("by a timeout", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(requestsOf(read))
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(yield* Fiber.join(fiber), [failedWith(get, undefined, "timeout")])
    }).pipe(Effect.provide(registry(() => "stall", { retry: never })))
  )

  it.effect("by the 401 that refuses the login, not by the challenge", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* requestsOf(read), [answered(get, 401), failedWith(get, 401, "401")])
      // From now on the first request of an operation is refused as well.
      assert.deepStrictEqual(yield* requestsOf(read), [failedWith(get, 401, "401")])
    }).pipe(
      Effect.provide(
        registry(
          asking("Basic", () => json({}, { status: 401, headers: { "www-authenticate": "Basic" } })),
          { credentials: password, retry: never }
        )
      )
    )
  )

  it.effect("by the 401 of a token service", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* requestsOf(read), [
        answered(get, 401),
        failedWith("POST /oauth2/exchange", 401, "401")
      ])
    }).pipe(Effect.provide(registry(() => challenge("s"), { retry: never })))
  )

  it.effect("by the 404 of a request that writes", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const update = registry.updateTag("alpine", "3.20", { canDelete: false })
      const [operation, request] = yield* spansOf(update)
      assert.isDefined(operation?.failure)
      assert.strictEqual(operation?.attributes["error.type"], "NotFound")
      assert.isDefined(request?.failure)
      assert.strictEqual(request?.attributes["error.type"], "404")
    }).pipe(Effect.provide(registry(() => json({}, { status: 404 }))))
  )

  it.effect("with the error that the operation would fail with", () =>
    Effect.gen(function* () {
      const [operation, first, second] = yield* spansOf(read)
      assert.isUndefined(operation?.failure)
      assert.include(first?.failure, "Unavailable: the registry answered 503 without an explanation")
      assert.isUndefined(second?.failure)
    }).pipe(
      Effect.provide(
        registry((_, count) => (count === 0 ? json({}, { status: 503 }) : properties()), { retry: patient })
      )
    )
  )
})

describe("the span of a request does not fail", () => {
  it.effect("by a challenge that is answered, even for a token that the registry no longer accepts", () =>
    Effect.gen(function* () {
      const rejected = [answered("GET /acr/v1/{name}", 401), answered("POST /oauth2/token", 200)]
      const login = [answered("GET /acr/v1/{name}", 401), answered("POST /oauth2/exchange", 200)]
      assert.deepStrictEqual(yield* requestsOf(read), [
        ...login,
        answered("POST /oauth2/token", 200),
        ...rejected,
        answered("GET /acr/v1/{name}", 200)
      ])
    }).pipe(
      Effect.provide(
        registry(
          behindOAuth("repository:alpine:metadata_read", ({ authorization }) =>
            authorization === "Bearer token-0" ? challenge("repository:alpine:metadata_read") : properties()
          )
        )
      )
    )
  )

  it.effect("by the challenge that an operation of the transport expects", () =>
    Effect.gen(function* () {
      const { authorize } = yield* Transport
      assert.deepStrictEqual(yield* requestsOf(authorize(["repository:alpine:pull"])), [
        answered("GET /v2/", 401),
        answered("POST /oauth2/exchange", 200),
        answered("POST /oauth2/token", 200)
      ])
    }).pipe(Effect.provide(registry(behindOAuth("", properties))))
  )

  it.effect("by a 404 of a look-up or a removal", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const management = yield* ContainerRegistry
      for (const [lookUp, name] of [
        [Effect.asVoid(content.headBlob("alpine", sha256("content"))), "HEAD /v2/{name}/blobs/{digest}"],
        [Effect.asVoid(content.resolve("alpine", "3.20")), "HEAD /v2/{name}/manifests/{reference}"],
        [Effect.asVoid(management.tagProperties("alpine", "3.20")), "GET /acr/v1/{name}/_tags/{reference}"],
        [Effect.asVoid(management.deleteTag("alpine", "3.20")), "DELETE /acr/v1/{name}/_tags/{reference}"]
      ] as const) {
        assert.deepStrictEqual(yield* requestsOf(lookUp), [answered(name, 404)])
      }
    }).pipe(
      Effect.provide(
        content(({ method }) => (method === "HEAD" ? new Response(null, { status: 404 }) : json({}, { status: 404 })))
      )
    )
  )
})

describe("the span of an operation", () => {
  it.effect("fails with the operation, and names the reason", () =>
    Effect.gen(function* () {
      const [operation] = yield* spansOf(read)
      assert.include(operation?.failure, "Forbidden")
      assert.deepInclude(
        { ...operation?.attributes },
        { "error.type": "Forbidden", "server.address": "myregistry.azurecr.io", "server.port": 443 }
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

  it.effect("of a transfer as well", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const named = { digest: Digest.Digest.make(sha256("content")), size: 7 }
      const forbidden = { "error.type": "Forbidden", "server.address": "myregistry.azurecr.io", "server.port": 443 }
      for (const transfer of [
        content.uploadBlob("alpine", BlobSource.fromString("content")),
        content.putBlob("alpine", named, BlobSource.fromString("content")),
        content.mountBlob("alpine", { digest: sha256("content"), from: "other" }),
        content.blobBytes("alpine", sha256("content")),
        content.blob("alpine", sha256("content")).pipe(Stream.runDrain)
      ]) {
        const [operation] = yield* spansOf(Effect.asVoid(transfer))
        assert.include(operation?.failure, "Forbidden", operation?.name)
        assert.deepInclude({ ...operation?.attributes }, forbidden, operation?.name)
      }
    }).pipe(Effect.provide(content(() => json({}, { status: 403 }), never)))
  )

  it.effect("does not fail because something does not exist", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      for (const lookUp of [
        read,
        content.headBlob("alpine", sha256("content")),
        content.blobBytes("alpine", sha256("content")),
        content.blob("alpine", sha256("content")).pipe(Stream.runDrain)
      ]) {
        const spans = yield* spansOf(Effect.asVoid(lookUp))
        for (const { attributes, failure, name } of spans) {
          assert.isUndefined(failure, name)
          assert.notProperty(attributes, "error.type", name)
        }
        assert.strictEqual((yield* Effect.flip(Effect.asVoid(lookUp))).reason._tag, "NotFound")
      }
    }).pipe(Effect.provide(content(({ method }) => new Response(method === "HEAD" ? null : "", { status: 404 }))))
  )

  it.effect("of a download fails where its consumer fails, and has no error type of its own then", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const missing = new RegistryError({
        operation: "elsewhere",
        reason: new NotFound({ resource: "repository", description: "elsewhere" })
      })
      const consumed = Stream.runForEach(content.blob("alpine", sha256("content")), () => missing)
      const [download] = yield* spansOf(Effect.exit(consumed))
      assert.include(download?.failure, "elsewhere")
      assert.notProperty(download?.attributes, "error.type")
    }).pipe(Effect.provide(content(() => new Response("content"))))
  )

  it.effect("of a login too", () =>
    Effect.gen(function* () {
      const { authorize } = yield* Transport
      const [operation] = yield* spansOf(authorize(["repository:alpine:pull"]))
      assert.strictEqual(operation?.name, "Transport.authorize")
      assert.deepInclude(
        { ...operation?.attributes },
        { "error.type": "Unavailable", "server.address": "myregistry.azurecr.io", "server.port": 443 }
      )
    }).pipe(Effect.provide(registry(() => "reset", { retry: never })))
  )

  it.effect("of an interrupted operation ends, and so does that of its request", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(spansOf(Effect.timeoutOption(read, "1 second")))
      yield* TestClock.adjust("1 second")
      const [operation, request] = yield* Fiber.join(fiber)
      assert.notProperty(operation?.attributes, "error.type")
      assert.strictEqual(request?.attributes["error.type"], "interrupted")
    }).pipe(Effect.provide(registry(() => "stall")))
  )
})

describe("an upload", () => {
  it.effect("contains the spans of its requests, and fails under its own name", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const upload = registry.uploadBlob("alpine", BlobSource.fromString("content"), { chunkSize: 4 })
      const spans = yield* spansOf(upload)
      assert.deepStrictEqual(
        spans.map(({ name, parent }) => [name, parent]),
        [
          ["RegistryContent.uploadBlob", undefined],
          ["RegistryContent.openUpload", "RegistryContent.uploadBlob"],
          ["POST /v2/{name}/blobs/uploads/", "RegistryContent.openUpload"],
          ["RegistryContent.sendBytes", "RegistryContent.uploadBlob"],
          ["PATCH /v2/{name}/blobs/uploads/{reference}", "RegistryContent.sendBytes"],
          ["RegistryContent.cancelUpload", "RegistryContent.uploadBlob"],
          ["DELETE /v2/{name}/blobs/uploads/{reference}", "RegistryContent.cancelUpload"]
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

interface Measured {
  readonly id: string
  readonly attributes: { readonly [name: string]: string }
  readonly state: object
}

/** The metrics after an effect. */
const metricsOf = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<ReadonlyArray<Measured>, never, R> =>
  Effect.gen(function* () {
    yield* Effect.exit(effect)
    return (yield* Metric.snapshot).map(({ attributes = {}, id, state }) => ({ id, attributes, state }))
  }).pipe(
    Effect.provideServiceEffect(
      Metric.MetricRegistry,
      Effect.sync(() => new Map())
    )
  )

/** The counts of one metric, by the values of some of its attributes. */
const counts = (
  metrics: ReadonlyArray<Measured>,
  metric: string,
  ...by: ReadonlyArray<string>
): { readonly [values: string]: number } =>
  Object.fromEntries(
    metrics
      .filter(({ id }) => id === metric)
      .map(({ attributes, state }) => [
        by.map((name) => attributes[name] ?? "-").join(" "),
        "count" in state ? Number(state.count) : 0
      ])
  )

const operation = "ContainerRegistry.repositoryProperties"

const readAt = (host: string) =>
  Effect.provide(read, registry(properties, { endpoint: `https://${host}`, credentials: Credentials.layerAnonymous }))

describe("metrics", () => {
  it.effect("measure each request in seconds, with the attributes and the buckets of OpenTelemetry's conventions", () =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkChild(metricsOf(Effect.timeoutOption(read, "3 seconds")))
      yield* TestClock.adjust("3 seconds")
      const [duration] = yield* Fiber.join(fiber)
      assert.strictEqual(duration?.id, "http.client.request.duration")
      assert.deepStrictEqual(duration?.attributes, {
        "http.request.method": "GET",
        "server.address": "myregistry.azurecr.io",
        "server.port": "443",
        "error.type": "interrupted",
        "registry.operation": operation,
        unit: "s"
      })
      const state: object = duration?.state ?? {}
      assert.deepInclude(state, { count: 1, sum: 3 })
      assert.deepStrictEqual(
        "buckets" in state && Array.isArray(state.buckets) && state.buckets.map(([bound]) => bound),
        [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]
      )
    }).pipe(Effect.provide(registry(() => "stall")))
  )

  it.effect("count requests by registry, operation and status, those for tokens as well", () =>
    Effect.gen(function* () {
      const by = ["server.address", "registry.operation", "http.response.status_code", "error.type"]
      assert.deepStrictEqual(counts(yield* metricsOf(read), "http.client.request.duration", ...by), {
        [`myregistry.azurecr.io ${operation} 401 -`]: 1,
        "myregistry.azurecr.io OAuth.exchange 200 -": 1,
        "myregistry.azurecr.io OAuth.token 200 -": 1,
        [`myregistry.azurecr.io ${operation} 200 -`]: 1
      })
    }).pipe(Effect.provide(registry(behindOAuth("repository:alpine:metadata_read", properties))))
  )

  it.effect("distinguish registries", () =>
    Effect.gen(function* () {
      const metrics = yield* metricsOf(Effect.andThen(readAt("one.example"), readAt("two.example")))
      assert.deepStrictEqual(counts(metrics, "http.client.request.duration", "server.address"), {
        "one.example": 1,
        "two.example": 1
      })
    })
  )

  it.effect("are limited to the usual number of hosts, however many a registry names", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      const downloads = Effect.forEach(Array(100).keys(), () =>
        Effect.exit(content.blobBytes("alpine", sha256("content")))
      )
      const hosts = counts(yield* metricsOf(downloads), "http.client.request.duration", "server.address")
      assert.isAtMost(Object.keys(hosts).length, 40)
      assert.isAtLeast(hosts["_OTHER"] ?? 0, 60)
    }).pipe(
      Effect.provide(
        content(({ url }, count) =>
          url.origin === endpoint
            ? new Response(null, { status: 307, headers: { location: `https://storage-${count}.example/blob` } })
            : new Response("content")
        )
      )
    )
  )

  it.effect("count the retries that happen, by registry, operation and reason", () =>
    Effect.gen(function* () {
      const by = ["server.address", "registry.operation", "error.type"]
      assert.deepStrictEqual(counts(yield* metricsOf(read), "registry.client.retries", ...by), {
        [`myregistry.azurecr.io ${operation} Throttled`]: 1,
        [`myregistry.azurecr.io ${operation} Unavailable`]: 2
      })
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

  it.effect("count bytes both ways by registry, also of a transfer that breaks off", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const download = registry.blob("alpine", sha256("content")).pipe(Stream.runDrain)
      const upload = registry.uploadBlob("alpine", BlobSource.fromString("a blob"))
      const metrics = yield* metricsOf(Effect.andThen(Effect.exit(download), upload))
      assert.deepStrictEqual(counts(metrics, "registry.client.io", "server.address", "network.io.direction", "unit"), {
        "myregistry.azurecr.io receive By": "cont".length,
        "myregistry.azurecr.io transmit By": "a blob".length
      })
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

  it.effect("count bytes of manifests by registry", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const manifest = "{}"
      const put = registry.putManifest("alpine", manifest, { mediaType: "application/json", tag: "latest" })
      const get = Effect.exit(registry.manifest("alpine", "latest"))
      const metrics = yield* metricsOf(Effect.andThen(put, get))
      assert.deepStrictEqual(counts(metrics, "registry.client.io", "server.address", "network.io.direction"), {
        "myregistry.azurecr.io receive": 2,
        "myregistry.azurecr.io transmit": 2
      })
    }).pipe(
      Effect.provide(
        content(({ method }) =>
          method === "PUT"
            ? new Response(null, { status: 201 })
            : new Response("{}", { headers: { "content-type": "application/json" } })
        )
      )
    )
  )

  it.effect("measure in seconds how long requests wait for limits", () =>
    Effect.gen(function* () {
      const calls = yield* Effect.forkChild(metricsOf(Effect.all([read, read, read])))
      for (let second = 0; second < 120; second++) yield* TestClock.adjust("1 second")
      const wait = (yield* Fiber.join(calls)).find(({ id }) => id === "registry.client.request.wait_time")
      assert.deepStrictEqual(wait?.attributes, {
        "server.address": "myregistry.azurecr.io",
        "server.port": "443",
        "registry.limit": "read",
        unit: "s"
      })
      assert.deepInclude(wait?.state, { count: 2, sum: 120 })
    }).pipe(Effect.provide(registry(properties, { rateLimits: { read: 1 } })))
  )
})

/** The retries of an effect in the metric, the events of spans, and the logs. */
const retriesOf = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const logs: Array<string> = []
    const logger = Logger.make(({ message }) => {
      logs.push(String(message))
    })
    let spans: ReadonlyArray<Shown> = []
    const metrics = yield* metricsOf(
      Effect.map(spansOf(effect), (shown) => {
        spans = shown
      })
    ).pipe(
      Effect.provideService(References.MinimumLogLevel, "Debug"),
      Effect.provideService(Logger.CurrentLoggers, new Set([logger]))
    )
    return {
      counted: Object.values(counts(metrics, "registry.client.retries")).reduce((sum, count) => sum + count, 0),
      events: spans.flatMap(({ events }) => events).filter((name) => !name.startsWith("exception")).length,
      logs: logs.filter((line) => /^(?:retry|download: resumes at byte \d+|upload: [A-Z]\w+): /.test(line)).length
    }
  })

const faulty: Script = ({ method }) =>
  method === "POST"
    ? new Response(null, { status: 202, headers: { location: "/v2/alpine/blobs/uploads/s" } })
    : new Response(null, { status: 503 })

describe("a retry that does not happen is not counted, traced or logged", () => {
  const none = { counted: 0, events: 0, logs: 0 }
  const thrice = { counted: 3, events: 3, logs: 3 }
  const transfers: {
    readonly [name: string]: Effect.Effect<void, unknown, ContainerRegistry | RegistryContent>
  } = {
    "a request": Effect.asVoid(read),
    "a download": Effect.flatMap(RegistryContent, (content) =>
      Stream.runDrain(content.blob("alpine", sha256("content")))
    ),
    "an upload": Effect.flatMap(RegistryContent, (content) =>
      Effect.asVoid(content.uploadBlob("alpine", BlobSource.fromString("content")))
    )
  }
  for (const [name, effect] of Object.entries(transfers)) {
    it.effect(`of ${name} that the policy does not allow`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* retriesOf(effect), none)
      }).pipe(Effect.provide(content(faulty, never)))
    )

    it.effect(`of ${name} after the last one that the policy allows`, () =>
      Effect.gen(function* () {
        assert.deepStrictEqual(yield* retriesOf(effect), thrice)
      }).pipe(Effect.provide(content(faulty, patient)))
    )

    it.effect(`of ${name} that is interrupted while it waits`, () =>
      Effect.gen(function* () {
        const fiber = yield* Effect.forkChild(retriesOf(Effect.timeoutOption(effect, "1 minute")))
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* Fiber.join(fiber), none)
      }).pipe(Effect.provide(content(faulty, { ...patient, schedule: Schedule.spaced("1 hour") })))
    )
  }

  it.effect("of a download that is complete when the connection breaks", () =>
    Effect.gen(function* () {
      const content = yield* RegistryContent
      assert.deepStrictEqual(yield* retriesOf(content.blobBytes("alpine", sha256("content"))), none)
      assert.strictEqual((yield* content.blobBytes("alpine", sha256("content"))).length, "content".length)
      assert.lengthOf(yield* Journal, 2)
    }).pipe(
      Effect.provide(
        content(() => {
          let isSent = false
          const body = new ReadableStream({
            pull(controller) {
              if (isSent) controller.error(new Error("terminated"))
              else controller.enqueue(new TextEncoder().encode("content"))
              isSent = true
            }
          })
          return new Response(body, { headers: { "content-length": "7" } })
        }, never)
      )
    )
  )
})

describe("an operation's span", () => {
  it.effect("shows the registry, the repository and the reference", () =>
    Effect.gen(function* () {
      const registry = yield* ContainerRegistry
      const [operation, first, second] = yield* spansOf(registry.tagProperties("alpine", "3.20"))
      assert.deepStrictEqual(operation?.attributes, {
        "server.address": "myregistry.azurecr.io",
        "server.port": 443,
        "registry.repository": "alpine",
        "registry.reference": "3.20"
      })
      assert.deepInclude({ ...first?.attributes }, { "http.response.status_code": 503, "registry.reference": "3.20" })
      assert.deepInclude({ ...second?.attributes }, { "http.request.resend_count": 1, "registry.repository": "alpine" })
    }).pipe(
      Effect.provide(
        registry((_, count) => (count === 0 ? json({}, { status: 503 }) : json({}, { status: 404 })), {
          retry: patient
        })
      )
    )
  )

  it.effect("of a download shows what came before it resumed", () =>
    Effect.gen(function* () {
      const registry = yield* RegistryContent
      const [operation] = yield* spansOf(registry.blobBytes("alpine", sha256("content")))
      assert.deepInclude(
        { ...operation?.attributes },
        { "registry.repository": "alpine", "registry.digest": sha256("content") }
      )
      const [download] = yield* spansOf(registry.blob("alpine", sha256("content")).pipe(Stream.runDrain))
      assert.isUndefined(download?.failure)
      assert.deepInclude({ ...download?.attributes }, { "registry.resumed_bytes": 4, "registry.size": 7 })
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
  it.effect("has its own id, which the error has in addition to the registry's", () =>
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

  it.effect("is reported for at most 256 distinct texts", () => {
    const told: Array<string> = []
    return Effect.gen(function* () {
      yield* Effect.repeat(read, { times: 19 })
      assert.strictEqual(told.length, 256)
    }).pipe(
      Effect.provide(
        registry(
          (_, count) => {
            const warnings = Array.from({ length: 20 }, (_, index) => `299 - "warning ${count}.${index}"`)
            return withHeader(properties(), "warning", warnings.join(", "))
          },
          { onWarning: (text) => Effect.sync(() => void told.push(text)) }
        )
      )
    )
  })

  it.effect("is not accepted from other servers", () =>
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
  it.effect("show the steps of a transfer", () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => {
      lines.push(String(message).replaceAll(endpoint, ""))
    })
    return Effect.gen(function* () {
      const registry = yield* RegistryContent
      yield* registry.uploadBlob("alpine", BlobSource.fromString("content"), { chunkSize: 4 })
      assert.deepStrictEqual(
        lines.map((line) => line.replace(/ \(.*/, "")),
        [
          "POST /v2/alpine/blobs/uploads/ 202",
          "PATCH /s 503: Unavailable",
          "upload: Repeat: RegistryContent.uploadBlob: Unavailable: the registry answered 503 without an explanation",
          "PATCH /s 202",
          "upload: the registry has 4 of 7 bytes",
          "PUT /s 201",
          `upload: ${sha256("content")} is complete`
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
