/**
 * Addresses. Credentials belong to one origin (scheme, host and port), and every address in an answer is checked
 * against it.
 */
import * as Result from "effect/Result"
import { type Authority, authorityOf, type Purpose } from "./authority.ts"
import { reachOf } from "../../Outbound.ts"
import { globalOrigin } from "../acr/hosts.ts"
import { identitiesOf, isThisMachine } from "./address.ts"

/** Parses an address; `base` resolves a relative one. */
export const readUrl = (address: string, base?: string): Result.Result<URL, string> =>
  URL.canParse(address, base) ? Result.succeed(new URL(address, base)) : Result.fail("is not a URL")

/** Other schemes may have an origin too: that of the address inside them, such as `blob:`. */
export const isWeb = (url: URL): boolean => url.protocol === "https:" || url.protocol === "http:"

/**
 * Whether an address is safe to send secrets to: https, or http that never leaves this machine.
 */
export const isProtected = (url: URL): boolean =>
  url.protocol === "https:" || (url.protocol === "http:" && isThisMachine(url.hostname))

/** The target of a request: an origin, and the path and query exactly as they were written. */
export interface Location {
  /** The origin of the registry. */
  readonly registry: string
  readonly origin: string
  readonly path: string
  /** The credentials of the request. */
  readonly authority: Exclude<Authority, "login" | "refused">
}

/** A path of the registry that the library chooses itself. */
export const atRegistry = (registry: string, path: string): Location => ({
  registry,
  origin: registry,
  path,
  authority: "access"
})

/** The statuses of redirects: RFC 9110, section 15.4. */
export const redirects: ReadonlyArray<number> = [301, 302, 303, 307, 308]

/** More hops than any registry needs. */
export const maxRedirects = 4

/** The path and origin of an operation. A request without credentials has an origin. */
export const at = ({ authority, origin, path }: Location): { readonly path: string; readonly origin?: string } =>
  authority === "access" ? { path } : { origin, path }

/** The part before path and query. */
const beforePath = /^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]*/i

/** Paths that a request line can contain unchanged. */
const visible = /^\/[!-~]*$/

/**
 * Path and query. State and signatures in the query must not change, so an address that can be sent as written is kept;
 * one with dot segments is normalized, because the path that they lead to counts.
 */
const pathOf = (address: string, url: URL): string => {
  const [written = ""] = address.replace(beforePath, "").split("#", 1)
  const verbatim =
    visible.test(written) &&
    written.split("?", 1)[0] === url.pathname &&
    new URL(url.origin + written).href === url.origin + url.pathname + url.search
  return verbatim ? written : url.pathname + url.search
}

/** The hosts that an address may mean. A regional endpoint of ACR is the whole registry. */
const hostsOf = ({ hostname }: URL): ReadonlyArray<string> =>
  identitiesOf(hostname).map((host) => globalOrigin(`https://${host}`))

/** Whether an address may be the registry under another name or port. It receives no credentials for that. */
const mayBe = (registry: URL, url: URL): boolean =>
  hostsOf(url).some((host) => hostsOf(registry).includes(host)) ||
  (url.port === registry.port && reachOf(url.hostname) === "loopback" && reachOf(registry.hostname) === "loopback")

/**
 * Resolves an address that an answer named, relative to the request's own address, if the answer may lead there.
 * `Outbound` decides whether the client may connect to it.
 */
export const follow = (
  address: string,
  from: Location,
  purpose: Exclude<Purpose, "realm">
): Result.Result<Location, string> =>
  readUrl(address, from.origin + from.path).pipe(
    // The scheme is not quoted: it could be a secret that `URL` has written in lower case.
    Result.filterOrFail(isWeb, () => "is neither http nor https"),
    Result.flatMap((url) => {
      const { registry } = from
      const { origin } = url
      const author = from.authority === "access" ? "registry" : "stranger"
      // Storage may be another port of the registry's host, and lead to itself.
      const isRegistry =
        origin === registry || (author === "stranger" && origin !== from.origin && mayBe(new URL(registry), url))
      const isPageElsewhere = purpose === "page" && origin !== from.origin
      const authority = isPageElsewhere
        ? "refused"
        : authorityOf(purpose, author, isRegistry ? "registry" : "elsewhere")
      if (authority === "access" || authority === "none") {
        return Result.succeed({ registry, origin, path: pathOf(address, url), authority })
      }
      return Result.fail(
        isRegistry
          ? `leads from ${from.origin} back to ${registry}, for which it has no authority`
          : `leads to ${origin}, away from ${registry}`
      )
    })
  )
