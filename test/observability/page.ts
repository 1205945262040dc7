/**
 * docs/observability.md: the spans, metrics and logs of the client, and those of a push as they were.
 */
import * as Option from "effect/Option"
import type * as Tracer from "effect/Tracer"
import { steady } from "../troubleshooting/guide.ts"
import type { Watched } from "./push.ts"

/** What is worth a place in a line. */
const shown = [
  "registry.digest",
  "registry.size",
  "registry.resumed_bytes",
  "http.request.resend_count",
  "http.response.status_code",
  "error.type"
]

/** A connection that breaks is noticed while reading or while writing. */
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

The client writes spans, metrics and logs by Effect's own means, and needs no configuration: whichever tracer, logger and
metrics a program has receive them. \`examples/export-telemetry.ts\` sends all of them to an OpenTelemetry collector. Names
and attributes follow OpenTelemetry's semantic conventions for HTTP; what these do not name begins with \`registry.\`.

## Spans

One span for each operation, with its name (\`RegistryContent.uploadBlob\`), and under it one for each request, of kind
\`client\`. The name of a request is its method and the template of its path (\`GET /v2/{name}/blobs/{digest}\`), or the
method alone where the registry chose the path: upload sessions, storage, token services elsewhere.

| Attribute                    | Of        | Means                                                                     |
| ---------------------------- | --------- | ------------------------------------------------------------------------- |
| \`server.address\`             | both      | the host: of an operation the registry, of a request where it goes        |
| \`server.port\`                | both      | its port                                                                  |
| \`error.type\`                 | both      | why it failed; only of spans that failed                                  |
| \`http.request.method\`        | requests  |                                                                           |
| \`url.full\`                   | requests  | the address without its query, which may hold secrets                     |
| \`url.template\`               | requests  | the template of its path, where there is one                              |
| \`http.response.status_code\`  | requests  | the status, if there was an answer                                        |
| \`http.request.resend_count\`  | requests  | how many requests of the same operation came before, from the second on   |
| \`registry.client_request_id\` | requests  | our name for the request, which operators of a registry find in their log |
| \`registry.repository\`        | both      | the repository                                                            |
| \`registry.reference\`         | both      | the tag or digest that was requested                                      |
| \`registry.digest\`            | both      | the digest                                                                |
| \`registry.size\`              | transfers | bytes in all                                                              |
| \`registry.resumed_bytes\`     | transfers | bytes that were there when it resumed                                     |

The span of a request ends when its answer was read. For the bytes of a blob it ends with the head of the answer: the span
of the download goes on. A request is sent again after a challenge, a redirect of a download, or a fault, and each time it
has a span of its own.

**What fails a span.** An operation's span fails with the operation, and \`error.type\` is the \`reason\` of its error. A
request's span fails by any status but one of success, and then \`error.type\` is the status; by a connection that fails
(the code of the error, \`ECONNREFUSED\`), \`timeout\`, \`interrupted\`, or by an answer that can't be used (the reason,
\`InvalidResponse\`). The span holds the error without its secrets, as the operation would fail with it. Two answers fail no
span, because the client counts on them:

- a 401 whose challenge the client answers with a login. A 401 that refuses the login fails its span, and so does one whose
  challenge the client can't or may not answer.
- a 404 where something is looked for or deleted. \`NotFound\` fails the span of neither that request nor its operation,
  although the program gets it as an error.

**Events.** An operation's span has an event for each retry and each time that a transfer resumes, with the reason.

## Metrics

| Metric                              | Unit      | By                                                   | Measures                                               |
| ----------------------------------- | --------- | ---------------------------------------------------- | ------------------------------------------------------ |
| \`http.client.request.duration\`      | \`s\`       | server, method, status, \`error.type\`, operation      | requests: how many, and how long they took             |
| \`registry.client.io\`                | \`By\`      | registry, \`network.io.direction\`                     | bytes of manifests and blobs, \`transmit\` and \`receive\` |
| \`registry.client.retries\`           | \`{retry}\` | registry, operation, \`error.type\`                    | retries that were sent, and transfers that resumed     |
| \`registry.client.request.wait_time\` | \`s\`       | registry, \`registry.limit\` (a bucket, \`concurrency\`) | waits for \`rateLimits\` and for \`maxConcurrentRequests\` |

The server or registry is \`server.address\` and \`server.port\`, method and status are named as in spans, and the operation
is \`registry.operation\`. Durations have the buckets that the conventions advise. The number of requests is the count of
the durations; the number of tokens is that of \`OAuth.exchange\` (refresh tokens) and \`OAuth.token\` (access tokens) with
the status 200. A layer of a registry measures at most 32 servers by name, and further ones as \`_OTHER\`: a registry decides
where its blobs are, and metrics are kept as long as the program runs. Values of attributes are text, as Effect's metrics
have them; Prometheus shows the names with underscores.

## Logs

At debug level the client logs a line for each request, each retry, each wait for a limit, and each step of a transfer.
Warnings of the registry (\`Warning: 299\`) are logged once each, and passed to \`onWarning\`. The client also
warns of records that it leaves out of a [list](manifests.md#lists).

No token, password, session state or signature is in any of them: every file of tests searches all that was written while
it ran, at the finest level, for every secret that it used.

## A push

What follows is printed by a program that pushes an image to the emulator, while the connection breaks after a megabyte of
the layer (\`npx -y pnpm@12 observability\`).
`

const block = (lines: ReadonlyArray<string>): string => ["```text", ...lines, "```"].join("\n")

/** The text of the page. */
export const page = ({ logs, metrics, spans }: Watched): string =>
  [
    introduction,
    block(tree(spans, undefined, "")),
    "",
    "The same in logs:",
    "",
    block(logs.map((text) => steady(text).replaceAll(/(sha256:[0-9a-f]{8})[0-9a-f]{56}/g, "$1…"))),
    "",
    "And in metrics, each with its count:",
    "",
    block([...metrics].toSorted()),
    ""
  ].join("\n")
