/**
 * Parses the endpoint of a registry: a host, a URL, or the name of an ACR registry.
 */
import * as Result from "effect/Result"
import { isBareName, loginServerOf, toLoginServer } from "../acr/hosts.ts"
import { toHubRegistry } from "./hub.ts"
import { isProtected, isWeb, readUrl } from "./origin.ts"

/** An endpoint with its scheme. */
const complete = (endpoint: string): string => {
  if (endpoint.includes("://")) return endpoint
  return `https://${isBareName(endpoint) ? loginServerOf(endpoint) : endpoint}`
}

/** The endpoints that are valid with every credential. */
export const expected =
  "expected a registry's login server (myregistry.azurecr.io) or its address (https://myregistry.azurecr.io)"

/**
 * Parses the origin of a registry from its name, its login server, its URL, or the URL of one of its data endpoints.
 */
export const parseEndpoint = (endpoint: string, allowInsecureHttp = false): Result.Result<URL, string> =>
  readUrl(complete(endpoint)).pipe(
    Result.filterOrFail(
      (url) => isWeb(url) && url.hostname !== "",
      () => "is not the address of a registry"
    ),
    Result.filterOrFail(
      (url) => url.username === "" && url.password === "",
      () => "contains a login: provide it with Credentials"
    ),
    Result.filterOrFail(
      (url) => url.pathname === "/" && url.search === "" && url.hash === "",
      () => "has more than a scheme, a host and a port: name repositories in operations"
    ),
    Result.filterOrFail(
      (url) => endpoint.includes("://") || url.port !== "" || url.hostname === "localhost" || /[.:]/.test(url.hostname),
      () => "is neither the name of a registry (5 to 50 letters and digits) nor a host"
    ),
    Result.mapError((problem) => `${problem}; ${expected}`),
    Result.filterOrFail(
      (url) => allowInsecureHttp || isProtected(url),
      () =>
        "is plain http, which is accepted only for addresses of this machine: anyone on the network path could read the credentials (allowInsecureHttp accepts it)"
    ),
    Result.map((url) => new URL(`${url.protocol}//${toHubRegistry(toLoginServer(url.host))}`))
  )

/** Parses and normalizes an origin in an option. */
export const parseOrigin = (text: string): Result.Result<string, string> =>
  readUrl(text).pipe(
    Result.filterOrFail(
      (url) => isWeb(url) && url.href === `${url.origin}/`,
      () => ""
    ),
    Result.mapBoth({
      onSuccess: (url) => url.origin,
      onFailure: () => "expected an origin: https://auth.example.com"
    })
  )

/** Parses a host without a port, normalized as in the URLs of requests. */
export const parseHost = (text: string): Result.Result<string, string> => {
  const host = text.includes(":") && !text.startsWith("[") ? `[${text}]` : text
  return readUrl(`https://${host}`).pipe(
    // A wildcard or a path is left over, or changes in the URL.
    Result.filterOrFail(
      (url) => url.href === `https://${url.hostname}/` && /^[a-z0-9.\-_[\]:]+$/i.test(host),
      () => ""
    ),
    Result.mapBoth({
      onSuccess: (url) => url.hostname,
      onFailure: () => "expected a host without a port: storage.example.com"
    })
  )
}
