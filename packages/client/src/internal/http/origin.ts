/**
 * Where a request may go. Credentials belong to one origin (scheme, host and port), and every address that a registry
 * names is measured against it.
 */
import * as Result from "effect/Result"
import { reachOf } from "../../Outbound.ts"

/** Reads an address; `base` resolves a relative one. */
export const readUrl = (address: string, base?: string): Result.Result<URL, string> =>
  URL.canParse(address, base) ? Result.succeed(new URL(address, base)) : Result.fail("is not a URL")

/** Other schemes may have an origin too: that of the address inside them. */
export const isWeb = (url: URL): boolean => url.protocol === "https:" || url.protocol === "http:"

/** Nobody listens on the way: `0.0.0.0` is this machine too, but no address to send to. */
const isThisMachine = (hostname: string): boolean =>
  reachOf(hostname) === "loopback" && !/^\[?[0:.]+\]?$/.test(hostname)

/**
 * Whether an address is safe to send secrets to: https, or http that never leaves this machine.
 */
export const isProtected = (url: URL): boolean =>
  url.protocol === "https:" || (url.protocol === "http:" && isThisMachine(url.hostname))

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
 * are resolved against the request's own address. Whether a request may go there, `Outbound` decides.
 *
 * State and signatures in the query are the server's own business, so it is not written anew.
 */
export const follow = (address: string, from: Location): Result.Result<Location, string> =>
  readUrl(address, from.origin + from.path).pipe(
    Result.filterOrFail(isWeb, (url) => `leads to ${url.protocol}, which is no way to go`),
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
