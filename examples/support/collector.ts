/**
 * A collector of OpenTelemetry in this process, in the place of Jaeger or another that one would run.
 */
import { createServer, type Server } from "node:http"
import { Effect, Schema } from "effect"

/** A collector that keeps what it is sent, by the path that it is sent to. */
export interface Collector {
  readonly address: string
  readonly received: ReadonlyMap<string, ReadonlyArray<string>>
}

const listen = Effect.callback<{ readonly server: Server; readonly collector: Collector }>((resume) => {
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
    resume(Effect.succeed({ server, collector: { address: `http://127.0.0.1:${port}`, received } }))
  })
})

/** Starts a collector, which listens until the scope closes. */
export const startCollector = Effect.map(
  Effect.acquireRelease(listen, ({ server }) =>
    Effect.sync(() => {
      server.closeAllConnections()
      server.close()
    })
  ),
  ({ collector }) => collector
)

/** The fields of an exported span that are read here. */
const Span = Schema.Struct({
  name: Schema.String,
  spanId: Schema.String,
  parentSpanId: Schema.optionalKey(Schema.String),
  attributes: Schema.Array(Schema.Struct({ key: Schema.String, value: Schema.Unknown }))
})

/** A span as the exporter sent it. */
export type Span = typeof Span.Type

const Traces = Schema.fromJsonString(
  Schema.Struct({
    resourceSpans: Schema.Array(
      Schema.Struct({ scopeSpans: Schema.Array(Schema.Struct({ spans: Schema.Array(Span) })) })
    )
  })
)

/** The spans that a collector has received. */
export const spansOf = ({ received }: Collector) =>
  Effect.map(
    Effect.forEach(received.get("/v1/traces") ?? [], (text) => Schema.decodeEffect(Traces)(text)),
    (exports) =>
      exports.flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      )
  )

/** The spans as a tree, of so many levels: each under the one that it is a part of. */
export const formatSpans = (spans: ReadonlyArray<Span>, levels: number): string => {
  const known = new Set(spans.map(({ spanId }) => spanId))
  const linesUnder = (parent: string | undefined, level: number): ReadonlyArray<string> =>
    level === levels
      ? []
      : spans
          .filter(({ parentSpanId }) =>
            parent === undefined ? parentSpanId === undefined || !known.has(parentSpanId) : parentSpanId === parent
          )
          .flatMap(({ name, spanId }) => [`${"  ".repeat(level)}${name}`, ...linesUnder(spanId, level + 1)])
  return linesUnder(undefined, 0).join("\n")
}
