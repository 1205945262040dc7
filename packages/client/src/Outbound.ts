/**
 * What the client may connect to.
 *
 * A registry sends its clients elsewhere: to storage for the bytes of blobs, to another place for an upload. Where the
 * client runs inside a network, a hostile registry could so have it ask that network's own machines, or the metadata
 * service of its cloud. So an address that only means something where the client is counts for as much as the registry
 * itself being there: a registry on this machine may lead to this machine, one in the private network into that.
 *
 * Every request passes `check`. An HTTP client that sees the address that it dials, after the name was resolved, checks
 * that as well, by `CurrentDestination`: `NodeRegistryHttpClient` does, `fetch` can't. Why it is made so:
 * docs/origins.md.
 *
 * Applications need nothing of this module. It is for who writes an HTTP client for a runtime.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Result from "effect/Result"
import { reachOfHost } from "./internal/http/address.ts"

/**
 * From where an address can be reached: from everywhere, from a private network, from one link (where the metadata
 * services of clouds are), or from this machine alone.
 *
 * **Details**
 *
 * Public is what IANA's registries of special-purpose addresses (RFC 6890, RFC 8190) call globally reachable. The metadata
 * services of clouds count as link-local, whatever address they have. An IPv6 address that carries an IPv4 address
 * (mapped, NAT64, 6to4, Teredo, ISATAP) has the more harmful reach of the two.
 *
 * @category models
 * @since 0.1.0
 */
export type Reach = "public" | "private" | "link-local" | "loopback"

/**
 * The reach of a host that is an address, or a name of this machine; of any other name only its addresses tell.
 *
 * **Example** (The reach of a few hosts)
 *
 * ```ts
 * import { Outbound } from "@effect-acr/client"
 *
 * const reaches = ["169.254.169.254", "10.0.0.4", "[::1]", "myregistry.azurecr.io"].map(Outbound.reachOf)
 * // "link-local", "private", "loopback", undefined
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const reachOf = (hostname: string): Reach | undefined => reachOfHost(hostname)

/**
 * Whether a registry within one reach may lead to an address within another.
 *
 * @category guards
 * @since 0.1.0
 */
export const mayLead = (registry: Reach, target: Reach): boolean => target === "public" || target === registry

/**
 * Where a request is going.
 *
 * @category models
 * @since 0.1.0
 */
export interface Destination {
  /** The host of the registry that the conversation is with. */
  readonly registry: string
  /** Whether the user named the host: as the registry, as one of its realms, or as one that it may lead to. */
  readonly isNamed: boolean
}

/**
 * Where the request at hand is going; none outside of this library.
 *
 * @category references
 * @since 0.1.0
 */
export const CurrentDestination: Context.Reference<Destination | undefined> = Context.Reference<
  Destination | undefined
>("@effect-acr/client/Outbound/CurrentDestination", { defaultValue: () => undefined })

/** Nobody reads what goes from this machine to this machine. From anywhere else plain http is the user's own choice. */
const isAsSafe = (registry: URL, target: URL): boolean =>
  target.protocol === "https:" ||
  (registry.protocol === "http:" &&
    (reachOf(registry.hostname) !== "loopback" || reachOf(target.hostname) === "loopback"))

/**
 * Whether a request may go to an address: from https there is no way to http, and an address that is not reached from
 * everywhere must be where the registry is, unless the user named it. Fails with what is wrong.
 *
 * @category guards
 * @since 0.1.0
 */
export const check = (registry: URL, target: URL, destination: Destination): Result.Result<void, string> => {
  if (target.origin === registry.origin) return Result.void
  if (!isAsSafe(registry, target)) return Result.fail(`${target.origin} is not as safe as ${registry.origin}`)
  const reach = reachOf(target.hostname)
  return destination.isNamed || reach === undefined || mayLead(reachOf(registry.hostname) ?? "public", reach)
    ? Result.void
    : Result.fail(`${target.origin} is a ${reach} address, and ${registry.origin} is not there`)
}

/**
 * What an HTTP client fails with when it would dial an address that it may not.
 *
 * @category errors
 * @since 0.1.0
 */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused"
}
