/**
 * Shows requests on standard error, without secrets.
 */
import { printable } from "@effect-acr/client/Printable"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Stdio from "effect/Stdio"
import type * as Headers from "effect/http/Headers"
import * as HttpClient from "effect/http/HttpClient"
import type * as HttpClientRequest from "effect/http/HttpClientRequest"
import * as Output from "./output.ts"

/** Headers that never hold a secret. Others are shown without their value, because a registry may put a token anywhere. */
const shownHeaders: ReadonlySet<string> = new Set([
  "accept",
  "content-length",
  "content-range",
  "content-type",
  "date",
  "docker-content-digest",
  "docker-distribution-api-version",
  "etag",
  "oci-filters-applied",
  "oci-subject",
  "range",
  "ratelimit-limit",
  "ratelimit-remaining",
  "retry-after",
  "server",
  "user-agent",
  "www-authenticate",
  "x-ms-client-request-id",
  "x-ms-correlation-request-id",
  "x-ms-ratelimit-remaining-calls-per-second"
])

const headerLines = (
  mark: string,
  headers: Headers.Headers,
  isShown: (value: string) => boolean = () => true
): ReadonlyArray<string> =>
  Object.entries(headers).map(
    ([name, value]) => `${mark} ${name}: ${shownHeaders.has(name) && isShown(value) ? value : "<not shown>"}`
  )

/** The minimum length of a text that counts as a secret. */
const leastSecret = 4

/** The parts of a request's login, encoded and decoded. A server may send them back. */
const secretsIn = ({ headers }: HttpClientRequest.HttpClientRequest): ReadonlyArray<string> => {
  const [, sent = ""] = (headers["authorization"] ?? "").split(" ", 2)
  const read = Buffer.from(sent, "base64").toString()
  const password = read.slice(read.indexOf(":") + 1)
  return [sent, read, password].filter((text) => text.length >= leastSecret)
}

/** The address without user, query and fragment. Links to storage have a signature in their query. */
const addressOf = ({ url }: HttpClientRequest.HttpClientRequest): string => {
  const parsed = URL.parse(url)
  return parsed === null ? "<no address>" : `${parsed.origin}${parsed.pathname}`
}

/** Wraps a client so that its requests are shown: 0 shows none, 1 a line for each, 2 their headers as well. */
export const shownRequests =
  (verbosity: number) =>
  <E, R>(client: Layer.Layer<HttpClient.HttpClient, E, R>): Layer.Layer<HttpClient.HttpClient, E, R | Stdio.Stdio> =>
    verbosity === 0 ? client : Layer.provide(Layer.effect(HttpClient.HttpClient, showing(verbosity)), client)

const showing = (verbosity: number) =>
  Effect.gen(function* () {
    const client = yield* HttpClient.HttpClient
    const stdio = yield* Effect.context<Stdio.Stdio>()
    const tell = (lines: ReadonlyArray<string>) =>
      Effect.provideContext(Output.tell(lines.map(printable).join("\n")), stdio)
    return HttpClient.transform(client, (response, request) =>
      Effect.gen(function* () {
        const startedAt = yield* Clock.currentTimeMillis
        const asked = `${request.method} ${addressOf(request)}`
        const secrets = secretsIn(request)
        const isNoEcho = (value: string) => !secrets.some((secret) => value.includes(secret))
        const after = Effect.map(Clock.currentTimeMillis, (now) => `${now - startedAt} ms`)
        const answer = yield* Effect.tapError(response, ({ reason }) =>
          Effect.flatMap(after, (time) => tell([`${asked} failed, ${time}: ${reason._tag}`]))
        )
        yield* tell([
          `${asked} ${answer.status} ${yield* after}`,
          ...(verbosity < 2
            ? []
            : [...headerLines(">", request.headers), ...headerLines("<", answer.headers, isNoEcho)])
        ])
        return answer
      })
    )
  })
