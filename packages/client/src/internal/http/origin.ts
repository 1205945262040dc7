/**
 * Addresses. Credentials belong to one origin (scheme, host and port), and every address that an answer names is
 * measured against it.
 */
import * as Result from "effect/Result"
import { type Authority, authorityOf, type Purpose } from "./authority.ts"
import { reachOf } from "../../Outbound.ts"
import { globalOrigin } from "../acr/hosts.ts"
import { identitiesOf, isThisMachine } from "./address.ts"

/** Reads an address; `base` resolves a relative one. */
export const readUrl = (address: string, base?: string): Result.Result<URL, string> =>
  URL.canParse(address, base) ? Result.succeed(new URL(address, base)) : Result.fail("is not a URL")

/** Other schemes may have an origin too: that of the address inside them. */
export const isWeb = (url: URL): boolean => url.protocol === "https:" || url.protocol === "http:"

/**
 * Whether an address is safe to send secrets to: https, or http that never leaves this machine.
 */
export const isProtected = (url: URL): boolean =>
  url.protocol === "https:" || (url.protocol === "http:" && isThisMachine(url.hostname))

/** Where a request goes: an origin, and path and query byte for byte as they were written. */
export interface Location {
  /** The origin of the registry that the conversation is with. */
  readonly registry: string
  readonly origin: string
  readonly path: string
  /** What goes with the request. */
  readonly authority: Exclude<Authority, "login" | "refused">
}

/** A path of the registry that the library names itself. */
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

/** How an operation names the place of its request: what goes there without credentials has an origin. */
export const at = ({ authority, origin, path }: Location): { readonly path: string; readonly origin?: string } =>
  authority === "access" ? { path } : { origin, path }

/** What stands before path and query. */
const beforePath = /^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#]*/i

/** What can stand in a request line as it is. */
const visible = /^\/[!-~]*$/

/**
 * Path and query. State and signatures in the query are the server's own business, so an address that can be sent as it
 * is written is not written anew; one with dot segments is, since what counts is the path that they lead to.
 */
const pathOf = (address: string, url: URL): string => {
  const [written = ""] = address.replace(beforePath, "").split("#", 1)
  const verbatim =
    visible.test(written) &&
    written.split("?", 1)[0] === url.pathname &&
    new URL(url.origin + written).href === url.origin + url.pathname + url.search
  return verbatim ? written : url.pathname + url.search
}

/** What the host of an address may be. A regional endpoint of ACR is the whole registry. */
const hostsOf = ({ hostname }: URL): ReadonlyArray<string> =>
  identitiesOf(hostname).map((host) => globalOrigin(`https://${host}`))

/** Whether an address may be the registry under another name or port. It is sent no credentials for that. */
const mayBe = (registry: URL, url: URL): boolean =>
  hostsOf(url).some((host) => hostsOf(registry).includes(host)) ||
  (url.port === registry.port && reachOf(url.hostname) === "loopback" && reachOf(registry.hostname) === "loopback")

/**
 * An address that an answer named, if the answer may lead there. A relative one is resolved against the request's own
 * address. Whether a connection may be made to it, `Outbound` decides.
 */
export const follow = (
  address: string,
  from: Location,
  purpose: Exclude<Purpose, "realm">
): Result.Result<Location, string> =>
  readUrl(address, from.origin + from.path).pipe(
    // The scheme is not quoted: it could be a secret, which URL writes in lower case.
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
