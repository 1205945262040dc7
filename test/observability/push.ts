/**
 * A push during which a connection breaks, watched: its spans, its logs, its metrics.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import { RegistryContent } from "@effect-acr/client/RegistryContent"
import { AcrEmulator } from "@effect-acr/emulator"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as References from "effect/References"
import * as Tracer from "effect/Tracer"

export interface Watched {
  /** In the order of their beginnings. */
  readonly spans: ReadonlyArray<Tracer.NativeSpan>
  readonly logs: ReadonlyArray<string>
  /** `name{attributes} value` */
  readonly metrics: ReadonlyArray<string>
}

const push = Effect.gen(function* () {
  const content = yield* RegistryContent
  const config = yield* content.uploadBlob("samples/hello", BlobSource.fromString("{}"), {
    mediaType: MediaType.ociImageConfig
  })
  const layer = yield* content.uploadBlob("samples/hello", BlobSource.fromBytes(new Uint8Array(4 * 1024 * 1024)), {
    mediaType: MediaType.ociImageLayer
  })
  yield* content.putManifest("samples/hello", Manifest.image({ config, layers: [layer] }), { tag: "demo" })
})

/** The connection of the layer's upload breaks after a megabyte. */
const breaking = Effect.flatMap(AcrEmulator.AcrEmulator, ({ inject }) =>
  inject({ method: "PATCH", consequence: { _tag: "ResetRequest", afterBytes: 1024 * 1024 } })
)

/** Pushes, and tells what was to be seen. */
export const watchedPush: Effect.Effect<Watched, unknown> = Effect.suspend(() => {
  const spans: Array<Tracer.NativeSpan> = []
  const logs: Array<string> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  const logger = Logger.make(({ message }) => {
    logs.push(String(message))
  })
  return Effect.gen(function* () {
    yield* breaking
    yield* push.pipe(
      Effect.withSpan("push"),
      Effect.provideService(Tracer.Tracer, tracer),
      Effect.provideService(References.MinimumLogLevel, "Debug"),
      Effect.provideService(Logger.CurrentLoggers, new Set([logger]))
    )
    const server = /^(?:server\.address|server\.port)$/
    const metrics = (yield* Metric.snapshot)
      .filter(({ id }) => /^(?:http|registry)\.client\./.test(id))
      .map(({ attributes = {}, id, state }) => {
        const named = Object.entries(attributes)
          .filter(([name]) => name !== "unit" && !server.test(name))
          .map(([name, value]) => `${name}="${value}"`)
        return `${id}{${named.join(", ")}} ${"count" in state ? String(state.count) : ""}`
      })
    return { spans, logs, metrics }
  }).pipe(
    Effect.provideService(Metric.MetricRegistry, new Map()),
    Effect.provide(AcrEmulator.layerRegistry().pipe(Layer.provideMerge(AcrEmulator.layer())))
  )
})
