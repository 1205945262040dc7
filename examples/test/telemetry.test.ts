/**
 * The example of telemetry, with a collector that keeps what it is sent.
 */
import { createServer, type Server } from "node:http"
import { AcrEmulator } from "@effect-acr/emulator"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Redacted, Schema } from "effect"
import { exportTelemetry } from "../export-telemetry.ts"
import { Identity } from "./support.ts"

/** A collector of OpenTelemetry that keeps what it is sent, by the path it is sent to. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly server: Server; readonly address: string; readonly received: Map<string, Array<string>> }>(
    (resume) => {
      const received = new Map<string, Array<string>>()
      const server = createServer((request, response) => {
        let body = ""
        request.setEncoding("utf8")
        request.on("data", (text: string) => (body += text))
        request.on("end", () => {
          const path = request.url ?? ""
          received.set(path, [...(received.get(path) ?? []), body])
          response.writeHead(200, { "content-type": "application/json" }).end("{}")
        })
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" ? (address?.port ?? 0) : 0
        resume(Effect.succeed({ server, address: `http://127.0.0.1:${port}`, received }))
      })
    }
  ),
  ({ server }) =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
)

/** What the test reads of an OTLP export of traces. */
const Traces = Schema.fromJsonString(
  Schema.Struct({
    resourceSpans: Schema.Array(
      Schema.Struct({
        scopeSpans: Schema.Array(
          Schema.Struct({
            spans: Schema.Array(
              Schema.Struct({
                name: Schema.String,
                spanId: Schema.String,
                parentSpanId: Schema.optionalKey(Schema.String),
                attributes: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.Unknown }))
              })
            )
          })
        )
      })
    )
  })
)

describe("telemetry", () => {
  it.live("of an upload reaches a collector: spans that belong together, metrics and logs, and no secret", () =>
    Effect.gen(function* () {
      const { address, received } = yield* collector
      const { logins } = yield* AcrEmulator.AcrEmulator
      yield* exportTelemetry.pipe(
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({ OTEL_EXPORTER_OTLP_ENDPOINT: address })))
      )

      const exports = yield* Effect.forEach(received.get("/v1/traces") ?? [], (text) =>
        Schema.decodeEffect(Traces)(text)
      )
      const spans = exports.flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      )
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
      assert.include(logs, "upload: the registry has")
      for (const text of [...received.values()].flat()) {
        assert.notInclude(text, Redacted.value(logins.entraToken))
        assert.notMatch(text, /_state=|Bearer [\w-]+\./)
      }
    }).pipe(Effect.provide(Identity))
  )
})
