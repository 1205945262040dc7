/**
 * Keeps web pages of other origins away from the control API.
 *
 * The API has no login, and a browser on the same machine can reach it. A page of another origin cannot read responses,
 * but it can send requests. A page whose name resolves to this machine (DNS rebinding) can do both.
 */
import { isIP } from "node:net"
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"

/** A response with a problem of RFC 9457. */
export const problem = (status: number, title: string): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(
    { type: "about:blank", status, title },
    { status, contentType: "application/problem+json" }
  )

/** The name in a Host header or an option. Names are case-insensitive. */
const hostnameOf = (host: string): string | undefined => URL.parse(`http://${host}`)?.hostname.replace(/^\[|\]$/g, "")

/** An address resolves only to itself, and browsers resolve `localhost` only to this machine. */
const isOwn = (hostname: string, hosts: ReadonlyArray<string>): boolean =>
  isIP(hostname) !== 0 || hostname === "localhost" || hostname.endsWith(".localhost") || hosts.includes(hostname)

const hasBody = ({ headers }: HttpServerRequest.HttpServerRequest): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0

const isJson = (contentType: string | undefined): boolean =>
  /^application\/json\s*(;|$)/i.test(contentType?.trim() ?? "")

/** Why a request is refused, if it is. */
const refusal = (
  request: HttpServerRequest.HttpServerRequest,
  hosts: ReadonlyArray<string>
): HttpServerResponse.HttpServerResponse | undefined => {
  const { host, origin } = request.headers
  const hostname = host === undefined ? undefined : hostnameOf(host)
  if (hostname === undefined || !isOwn(hostname, hosts)) {
    return problem(421, "The host of the request is not a name of this emulator's control API")
  }
  if (origin !== undefined && origin !== `http://${host}`) {
    return problem(403, "The control API does not answer pages of other origins")
  }
  if (hasBody(request) && !isJson(request.headers["content-type"])) {
    return problem(415, "The control API accepts only application/json")
  }
  return undefined
}

/** Restricts what a browser may do with a response. */
const headers = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff"
}

/** Refuses requests that do not come from this machine's programs or the API's own page. */
export const guarded = <E, R>(
  app: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  hosts: ReadonlyArray<string>
): Effect.Effect<HttpServerResponse.HttpServerResponse, E, R | HttpServerRequest.HttpServerRequest> => {
  const hostnames = hosts.flatMap((host) => hostnameOf(host) ?? [])
  return Effect.gen(function* () {
    const request = yield* HttpServerRequest.HttpServerRequest
    return HttpServerResponse.setHeaders(refusal(request, hostnames) ?? (yield* app), headers)
  })
}
