/**
 * docs/observability.md: what there is to be seen, and a push as it was seen.
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
  "registry.attempt",
  "http.response.status_code"
]

const short = (value: unknown): string => String(value).replace(/^(sha256:[0-9a-f]{8}).*/, "$1…")

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

const introduction = `# What there is to be seen

The client shows itself by Effect's own means, and needs no configuration: whichever tracer, logger and metrics a program
has receive it. \`examples/export-telemetry.ts\` sends all of it to an OpenTelemetry collector.

**Spans.** One for each operation, by its name (\`RegistryContent.uploadBlob\`), and under it one for each request. That
something is not there, and a 401 that asks for a token, fail no span.

| Attribute                    | Of         | Means                                                        |
| ---------------------------- | ---------- | ------------------------------------------------------------ |
| \`server.address\`             | operations | the registry's login server                                  |
| \`registry.repository\`        | both       | the repository                                               |
| \`registry.reference\`         | both       | the tag or digest that was asked for                         |
| \`registry.digest\`            | both       | the digest                                                   |
| \`registry.size\`              | transfers  | bytes in all                                                 |
| \`registry.resumed_bytes\`     | transfers  | bytes that were there when it was taken up again             |
| \`registry.attempt\`           | requests   | 1 for the first attempt                                      |
| \`registry.client_request_id\` | requests   | our name for the request, which operators of a registry find |
| \`http.request.method\`        | requests   |                                                              |
| \`http.response.status_code\`  | requests   | 0 if there was no answer                                     |
| \`url.full\`                   | requests   | without the query, which may hold secrets                    |
| \`error.type\`                 | operations | \`NotFound\`, where something is not there                     |

Events of an operation's span tell of attempts that failed and transfers that were taken up again, with the reason.

**Metrics.**

| Metric                            | By                        | Counts                                           |
| --------------------------------- | ------------------------- | ------------------------------------------------ |
| \`registry_client_requests\`        | operation, method, status | requests                                         |
| \`registry_client_bytes\`           | direction                 | bytes of manifests and blobs, sent and received  |
| \`registry_client_retries\`         | operation, cause          | attempts and transfers that were taken up again  |
| \`registry_client_token_fetches\`   | kind                      | access and refresh tokens                        |
| \`registry_client_rate_limit_wait\` | bucket                    | waits for the rate limit, and how long they were |

**Logs.** At debug level a line for each request, each attempt that failed, and each step of a transfer. Warnings of the
registry (\`Warning: 299\`) are logged once each, and told to \`onWarning\`.

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
    "And in metrics:",
    "",
    block([...metrics].toSorted()),
    ""
  ].join("\n")
