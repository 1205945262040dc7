/**
 * docs/observability.md: the spans, metrics and logs of the client, and those of a push as they were.
 */
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { steady } from "../troubleshooting/guide.ts"
import type { Watched } from "./push.ts"

/** The attributes that a line shows. */
const shown = [
  "registry.digest",
  "registry.size",
  "registry.resumed_bytes",
  "http.request.resend_count",
  "http.response.status_code",
  "error.type"
]

/** The codes of a broken connection: which one depends on whether the client is reading or writing. */
const broken = /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET)$/

const short = (value: unknown): string =>
  String(value)
    .replace(/^(sha256:[0-9a-f]{8}).*/, "$1…")
    .replace(broken, "ECONNRESET")

const line = (span: Tracer.NativeSpan): string => {
  const attributes = shown
    .filter((name) => span.attributes.has(name))
    .map((name) => `${name.replace(/^(?:registry|http)\./, "")}=${short(span.attributes.get(name))}`)
  return [steady(span.name), ...attributes].join("  ")
}

const tree = (
  spans: ReadonlyArray<Tracer.NativeSpan>,
  parent: string | undefined,
  indent: string
): ReadonlyArray<string> =>
  spans
    .filter((span) => Option.getOrUndefined(Option.map(span.parent, ({ spanId }) => spanId)) === parent)
    .flatMap((span) => [
      indent + line(span),
      ...span.events.map(
        ([name, , attributes]) =>
          `${indent}  * ${name}: ${steady(String(attributes?.["message"] ?? "")).split(" (")[0]}`
      ),
      ...tree(spans, span.spanId, `${indent}  `)
    ])

const introduction = `# Observability

The client writes spans, metrics and logs with Effect's own tracer, metrics and logger, and needs no configuration.
\`examples/export-telemetry.ts\` exports all of them to an OpenTelemetry collector. Names and attributes follow
OpenTelemetry's semantic conventions for HTTP; other attributes begin with \`registry.\`.

## Spans

Each operation has a span with its name (\`RegistryContent.uploadBlob\`), and a child span of kind \`client\` for each
request. The name of a request is its method and the template of its path (\`GET /v2/{name}/blobs/{digest}\`), or the
method alone if the registry chose the path: upload sessions, storage, token services on other hosts.

| Attribute                    | On        | Meaning                                                              |
| ---------------------------- | --------- | -------------------------------------------------------------------- |
| \`server.address\`             | both      | the registry's host; on requests, the host that receives the request |
| \`server.port\`                | both      | its port                                                             |
| \`error.type\`                 | both      | the reason of the failure; only on failed spans                      |
| \`http.request.method\`        | requests  | the method                                                           |
| \`url.full\`                   | requests  | the address without its query, which may hold secrets                |
| \`url.template\`               | requests  | the template of the path, if it has one                              |
| \`http.response.status_code\`  | requests  | the status, if the server answered                                   |
| \`http.request.resend_count\`  | requests  | the number of earlier requests of the operation, from the second on  |
| \`registry.client_request_id\` | requests  | the client's ID of the request, which the log of the registry shows  |
| \`registry.repository\`        | both      | the repository                                                       |
| \`registry.reference\`         | both      | the tag or digest that was requested                                 |
| \`registry.digest\`            | both      | the digest                                                           |
| \`registry.size\`              | transfers | total bytes                                                          |
| \`registry.resumed_bytes\`     | transfers | bytes already transferred when it resumed                            |

The span of a request ends when the client has read the response. For the bytes of a blob it ends with the head of the
response, and the span of the download continues. Each further request after a challenge, a redirect or a fault has its own
span.

**Failed spans.** An operation's span fails with the operation, and \`error.type\` is the \`reason\` of its error. A
request's span fails, with this \`error.type\`:

- on any status but one of success: the status
- if the connection fails: the code of the error, such as \`ECONNREFUSED\`, or \`timeout\`
- if it is interrupted: \`interrupted\`
- if the client cannot use the response: the reason, \`InvalidResponse\`

The span holds the error of the operation, without secrets. Two responses fail no span, because the client expects them:

- a 401 whose challenge the client answers with a login. A 401 that refuses the login does fail its span, and so does one
  whose challenge the client cannot or may not answer.
- a 404 for an object that the client looks up or deletes. \`NotFound\` fails neither the span of the request nor that of the
  operation, although the program gets it as an error.

**Events.** An operation's span has an event, with the reason, for each retry and each time that a transfer resumes.

## Metrics

| Metric                              | Unit      | By                                                   | Measures                                               |
| ----------------------------------- | --------- | ---------------------------------------------------- | ------------------------------------------------------ |
| \`http.client.request.duration\`      | \`s\`       | server, method, status, \`error.type\`, operation      | number and duration of requests                        |
| \`registry.client.io\`                | \`By\`      | registry, \`network.io.direction\`                     | bytes of manifests and blobs, \`transmit\` and \`receive\` |
| \`registry.client.retries\`           | \`{retry}\` | registry, operation, \`error.type\`                    | retries that were sent, and transfers that resumed     |
| \`registry.client.request.wait_time\` | \`s\`       | registry, \`registry.limit\` (a bucket, \`concurrency\`) | waits for \`rateLimits\` and for \`maxConcurrentRequests\` |

Metrics have the attributes \`server.address\` and \`server.port\` for the server or registry, those of spans for method and
status, and \`registry.operation\`. Durations have the buckets that the conventions recommend. The number of requests is the
count of the durations; the number of tokens is that of \`OAuth.exchange\` (refresh tokens) and \`OAuth.token\` (access tokens)
with the status 200. The layer of a registry names at most 32 servers, and measures further ones as \`_OTHER\`, because a
registry decides where its blobs are and metrics stay in memory as long as the program runs. Values of attributes are text, as
in all metrics of Effect; Prometheus shows the names with underscores.

## Logs

At debug level the client logs a line for each request, each retry, each wait for a limit, and each step of a transfer.
Warnings of the registry (\`Warning: 299\`) are logged once each, and passed to \`onWarning\`. The client also
warns of records that it leaves out of a [list](manifests.md#lists).

Spans, metrics and logs contain no token, password, session state or signature. Every test file searches all that it wrote, at
the finest level, for every secret that it used.

## Example: telemetry of a push

A program pushes an image to the emulator, and the connection breaks after one megabyte of the layer
(\`npx -y pnpm@12 observability\`). Its spans:
`

const block = (lines: ReadonlyArray<string>): string => ["```text", ...lines, "```"].join("\n")

/** The text of the page. */
export const page = ({ logs, metrics, spans }: Watched): string =>
  [
    introduction,
    block(tree(spans, undefined, "")),
    "",
    "Its logs:",
    "",
    block(logs.map((text) => steady(text).replaceAll(/(sha256:[0-9a-f]{8})[0-9a-f]{56}/g, "$1…"))),
    "",
    "Its metrics, each with its count:",
    "",
    block([...metrics].toSorted()),
    ""
  ].join("\n")
