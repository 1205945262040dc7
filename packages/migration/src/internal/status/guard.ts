/**
 * Protects the status page, which has no login, from web pages of other origins: a page whose name resolves to this machine (DNS
 * rebinding) could read the names of all repositories.
 */
import { isIP } from "node:net"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Effect from "effect/Effect"
import { policy } from "./page.ts"

/** The host name in a Host header or an option. */
const hostnameOf = (host: string): string | undefined => URL.parse(`http://${host}`)?.hostname.replace(/^\[|\]$/g, "")

/** Addresses are not resolved, and browsers resolve `localhost` to this machine only. */
const isOwn = (hostname: string, hosts: ReadonlyArray<string>): boolean =>
  isIP(hostname) !== 0 || hostname === "localhost" || hostname.endsWith(".localhost") || hosts.includes(hostname)

/** The response that refuses a request, if it is refused. */
const refusal = (
  { headers: { host = "", origin } }: HttpServerRequest.HttpServerRequest,
  hosts: ReadonlyArray<string>
): HttpServerResponse.HttpServerResponse | undefined => {
  const hostname = hostnameOf(host)
  if (hostname === undefined || !isOwn(hostname, hosts)) {
    return HttpServerResponse.text(
      "The host of the request is not a name of this status page: open it by an IP address of this machine\n",
      { status: 421 }
    )
  }
  return origin === undefined || URL.parse(origin)?.host === host
    ? undefined
    : HttpServerResponse.text("The status page does not answer pages of other origins\n", { status: 403 })
}

/** Headers that restrict what a browser may do with a response. */
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
