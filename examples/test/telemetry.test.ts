/**
 * The example of telemetry, with a collector that keeps what it is sent.
 */
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted } from "effect"
import { exportTelemetry } from "../export-telemetry.ts"
import { spansOf, startCollector } from "../support/collector.ts"
import { Identity } from "./support.ts"

describe("telemetry", () => {
  it.live("of an upload reaches a collector: spans that belong together, metrics and logs, and no secret", () =>
    Effect.gen(function* () {
      const collector = yield* startCollector
      const { address, received } = collector
      const { logins } = yield* AcrEmulator.AcrEmulator
      yield* exportTelemetry.pipe(
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ OTEL_EXPORTER_OTLP_ENDPOINT: address })))
      )

      const spans = yield* spansOf(collector)
      const named = (name: string) => spans.filter((span) => span.name === name)
      const [release] = named("release")
      const uploads = named("RegistryContent.uploadBlob")
      assert.lengthOf(uploads, 3)
      for (const upload of uploads) {
        assert.strictEqual(upload.parentSpanId, release?.spanId)
        const keys = upload.attributes.map(({ key }) => key)
        for (const key of ["registry.repository", "registry.digest", "registry.size"]) assert.include(keys, key)
        const parts = spans.filter(({ parentSpanId }) => parentSpanId === upload.spanId).map(({ name }) => name)
        assert.includeMembers(parts, ["RegistryContent.openUpload", "RegistryContent.commitUpload"])
      }
      assert.lengthOf(named("RegistryContent.putManifest"), 1)

      const metrics = (received.get("/v1/metrics") ?? []).join("")
      for (const name of ["http.client.request.duration", "registry.client.io", "OAuth.token", '"unit":"s"']) {
        assert.include(metrics, name)
      }
      const logs = (received.get("/v1/logs") ?? []).join("")
      assert.include(logs, " is complete")
      for (const text of [...received.values()].flat()) {
        assert.notInclude(text, Redacted.value(logins.entraToken))
        assert.notMatch(text, /_state=|Bearer [\w-]+\./)
      }
    }).pipe(Effect.provide(Identity))
  )
})
