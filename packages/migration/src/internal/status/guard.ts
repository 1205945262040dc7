/**
 * Keeps web pages of other origins away from the status page. It has no login: a page whose name resolves to this machine (DNS
 * rebinding) could read the names of all repositories.
 */
import { isIP } from "node:net"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Effect from "effect/Effect"
import { policy } from "./page.ts"

/** The name in a Host header or an option. */
const hostnameOf = (host: string): string | undefined => URL.parse(`http://${host}`)?.hostname.replace(/^\[|\]$/g, "")

/** An address resolves to nothing but itself, and browsers resolve `localhost` to this machine alone. */
const isOwn = (hostname: string, hosts: ReadonlyArray<string>): boolean =>
  isIP(hostname) !== 0 || hostname === "localhost" || hostname.endsWith(".localhost") || hosts.includes(hostname)

/** Why a request is refused, if it is. */
const refusal = (
  { headers: { host = "", origin } }: HttpServerRequest.HttpServerRequest,
  hosts: ReadonlyArray<string>
): HttpServerResponse.HttpServerResponse | undefined => {
  const hostname = hostnameOf(host)
  if (hostname === undefined || !isOwn(hostname, hosts)) {
    return HttpServerResponse.text("The host of the request is not a name of this status page\n", { status: 421 })
  }
  return origin === undefined || URL.parse(origin)?.host === host
    ? undefined
    : HttpServerResponse.text("The status page does not answer pages of other origins\n", { status: 403 })
}

/** What a browser must not do with an answer. */
const headers = {
  "Cache-Control": "no-store",
  "Content-Security-Policy": policy,
  "Cross-Origin-Resource-Policy": "same-origin",
  "Referrer-Policy": "no-referrer",
  "X-Content-Type-Options": "nosniff"
}

/** Refuses requests for other hosts and from other origins. */
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
