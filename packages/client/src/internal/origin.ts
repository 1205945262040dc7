/**
 * Where a request may go. Credentials belong to one origin (scheme, host and port), and every address that a registry
 * names is measured against it.
 */
import * as Result from "effect/Result"

/** Reads an address; `base` resolves a relative one. */
const readUrl = (address: string, base?: string): Result.Result<URL, string> =>
  URL.canParse(address, base) ? Result.succeed(new URL(address, base)) : Result.fail("is not a URL")

const isLoopback = (url: URL): boolean =>
  url.hostname === "localhost" || url.hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(url.hostname)

/**
 * Whether an address is safe to send secrets to: https, or http that never leaves this machine.
 */
const isProtected = (url: URL): boolean => url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url))

/**
 * The origin of a registry from what a user writes: `https://myregistry.azurecr.io`, or the login server alone.
 */
export const parseEndpoint = (endpoint: string): Result.Result<URL, string> =>
  Result.filterOrFail(
    readUrl(endpoint.includes("://") ? endpoint : `https://${endpoint}`),
    (url) => url.pathname === "/" && url.search === "" && url.hash === "" && url.username === "" && url.password === "",
    () => "is more than a scheme, a host and a port"
  ).pipe(Result.filterOrFail(isProtected, () => "is not https (plain http is for this machine's own addresses alone)"))

/**
 * An address that the registry named, if it lies on the given origin; without user information and fragment.
 */
export const onOrigin = (origin: string, address: string, base: string): Result.Result<URL, string> =>
  Result.flatMap(readUrl(address, base), (url) =>
    url.origin === origin
      ? Result.succeed(new URL(url.pathname + url.search, origin))
      : Result.fail(`leads to ${url.origin}, away from ${origin}`)
  )
