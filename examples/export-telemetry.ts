/**
 * Uploads an image and shows the work to an OpenTelemetry collector: spans, metrics and logs, by Effect's own exporter.
 *
 * `OTEL_EXPORTER_OTLP_ENDPOINT` names the collector, for example http://127.0.0.1:4318 where Jaeger or `otel-tui` runs.
 */
import { NodeHttpClient } from "@effect/platform-node"
import { Config, Console, Effect, Layer, Option, References } from "effect"
import { Otlp } from "effect/observability"
import { RegistryLive, run } from "./support/registry.ts"
import { uploadImage } from "./upload-image.ts"

/** What the client shows of itself needs no configuration: whichever tracer, logger and metrics there are receive it. */
const telemetryTo = (collector: string) =>
  Otlp.layerJson({ baseUrl: collector, resource: { serviceName: "effect-acr-example" } }).pipe(
    Layer.provide(NodeHttpClient.layerUndici),
    Layer.provideMerge(Layer.succeed(References.MinimumLogLevel, "Debug"))
  )

export const exportTelemetry = Effect.gen(function* () {
  const collector = yield* Config.option(Config.String("OTEL_EXPORTER_OTLP_ENDPOINT"))
  if (Option.isNone(collector)) {
    return yield* Console.log("OTEL_EXPORTER_OTLP_ENDPOINT names no collector, so nothing is exported.")
  }
  yield* uploadImage.pipe(Effect.withSpan("release"), Effect.provide(telemetryTo(collector.value)))
  yield* Console.log(`The trace "release" is at ${collector.value}.`)
})

if (import.meta.main) run(exportTelemetry, RegistryLive)
