/**
 * Where a request may go. Credentials belong to one origin (scheme, host and port), and every address that a registry
 * names is measured against it.
 */
import * as Result from "effect/Result"

/** Reads an address; `base` resolves a relative one. */
export const readUrl = (address: string, base?: string): Result.Result<URL, string> =>
  URL.canParse(address, base) ? Result.succeed(new URL(address, base)) : Result.fail("is not a URL")

/** Other schemes may have an origin too: that of the address inside them. */
export const isWeb = (url: URL): boolean => url.protocol === "https:" || url.protocol === "http:"

const isLoopback = (url: URL): boolean =>
  url.hostname === "localhost" || url.hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(url.hostname)

/**
 * Whether an address is safe to send secrets to: https, or http that never leaves this machine.
 */
export const isProtected = (url: URL): boolean =>
  url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url))

/**
 * Path and query of an address that the registry named, if it lies on the given origin.
 */
export const onOrigin = (origin: string, address: string, base: string): Result.Result<string, string> =>
  Result.flatMap(readUrl(address, base), (url) =>
    isWeb(url) && url.origin === origin
      ? Result.succeed(url.pathname + url.search)
      : Result.fail(`leads to ${url.origin}, away from ${origin}`)
  )

/** An address for a request: an origin, and path and query byte for byte as they were written. */
export interface Location {
  readonly origin: string
  readonly path: string
}

/** What stands before path and query. */
const authority = /^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]*/i

/**
 * An address that the registry named for an upload or a download, which may be on another host: storage. Relative ones
 * are resolved against the request's own address. From https there is no way back to http.
 *
 * State and signatures in the query are the server's own business, so it is not written anew.
 */
export const follow = (address: string, from: Location): Result.Result<Location, string> =>
  readUrl(address, from.origin + from.path).pipe(
    Result.filterOrFail(
      (url) =>
        (isWeb(url) && url.origin === from.origin) ||
        (isProtected(url) && (url.protocol === "https:" || from.origin.startsWith("http:"))),
      (url) => `leads to ${url.origin}, which is not as safe as ${from.origin}`
    ),
    Result.map((url) => {
      const [written = ""] = address.replace(authority, "").split("#", 1)
      const verbatim = visible.test(written) && new URL(url.origin + written).href === hrefOf(url)
      return { origin: url.origin, path: verbatim ? written : url.pathname + url.search }
    })
  )

/** What can stand in a request line as it is. */
const visible = /^\/[!-~]*$/

/** The address without user information and fragment. */
const hrefOf = (url: URL): string => url.origin + url.pathname + url.search
