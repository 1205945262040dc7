/**
 * What an operation shows of itself: spans and a counter.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import * as BlobSource from "../src/BlobSource.ts"
import { ContainerRegistry } from "../src/ContainerRegistry.ts"
import { RegistryContent } from "../src/RegistryContent.ts"
import { never } from "../src/RetryPolicy.ts"
import { content } from "./support/content.ts"
import { behindOAuth, endpoint, json, properties, registry } from "./support/registry.ts"

const read = Effect.flatMap(ContainerRegistry, (registry) => registry.repositoryProperties("alpine"))

interface Shown {
  readonly name: string
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
      assert.deepStrictEqual(yield* spansOf(read), [
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
          ["PATCH /s", "RegistryContent.sendBytes"],
          ["RegistryContent.cancelUpload", "RegistryContent.uploadBlob"],
          ["DELETE /s", "RegistryContent.cancelUpload"]
        ]
      )
      const error = yield* Effect.flip(upload)
      assert.strictEqual(error.operation, "RegistryContent.uploadBlob")
      assert.deepStrictEqual(error.request, { method: "PATCH", url: `${endpoint}/s` })
    }).pipe(
      Effect.provide(
        content(({ method }) =>
          method === "POST"
            ? new Response(null, { status: 202, headers: { location: "/s?_state=secret" } })
            : new Response(null, { status: method === "PATCH" ? 403 : 204 })
        )
      )
    )
  )
})

describe("the counter of requests", () => {
  it.effect("counts by method and status", () =>
    Effect.gen(function* () {
      yield* read
      const snapshot = yield* Metric.snapshot
      const counted = snapshot
        .filter(({ id }) => id === "registry_client_requests")
        .map(({ attributes, state }) => [
          attributes?.["method"],
          attributes?.["status"],
          "count" in state ? state.count : 0
        ])
      assert.sameDeepMembers(counted, [
        ["GET", "401", 1],
        ["POST", "200", 2],
        ["GET", "200", 1]
      ])
    }).pipe(
      Effect.provideServiceEffect(
        Metric.MetricRegistry,
        Effect.sync(() => new Map())
      ),
      Effect.provide(registry(behindOAuth("repository:alpine:metadata_read", properties)))
    )
  )
})
