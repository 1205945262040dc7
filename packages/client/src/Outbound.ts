/**
 * What the client may connect to.
 *
 * A registry sends its clients elsewhere: to storage for the bytes of blobs, to another place for an upload. A hostile
 * registry could so make a client inside a network send requests to that network's own machines, or to the metadata
 * service of its cloud. So a registry may lead to addresses that everybody reaches, and to others only if the registry is
 * there itself: a registry on this machine may lead to this machine, and one in the private network into that.
 *
 * Every request passes `check`, which reads addresses. An HTTP client that sees the address to which it connects can
 * check that as well, by `CurrentDestination` and `mayConnect`: `NodeRegistryHttpClient` does, `fetch` can't. The
 * decisions behind it: docs/origins.md.
 *
 * Applications need nothing of this module. It is for authors of HTTP clients.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Result from "effect/Result"
import { reachOfHost } from "./internal/http/address.ts"

/**
 * From where an address can be reached: from everywhere, from a private network, from one link, or from this machine
 * alone.
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
 * Returns the reach of a host that is an address or a name of this machine, and `undefined` for other names.
 *
 * **Example** (The reach of a few hosts)
 *
 * ```ts
 * import { Outbound } from "@effect-acr/client/Runtime"
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
 * What the target of a request is to the registry of the conversation: the registry itself, a target that the user named
 * besides it, or any other, to which the registry leads.
 *
 * @category models
 * @since 0.1.0
 */
export type Relation = "registry" | "named" | "other"

/**
 * Whether a request may use a connection to an address.
 *
 * **Details**
 *
 * `known` is where the registry has been reached so far (see `reachAfter`), by connections to its own origin. Until there
 * was one, the registry may be anywhere, but leads to public addresses only. Afterwards its own name may lead only where
 * a redirect might: a name that was public cannot turn into the metadata service. What the user named may be anywhere.
 *
 * @category guards
 * @since 0.1.0
 */
export const mayConnect = (relation: Relation, known: Reach | undefined, address: Reach): boolean => {
  switch (relation) {
    case "named":
      return true
    case "registry":
      return known === undefined || mayLead(known, address)
    case "other":
      return mayLead(known ?? "public", address)
  }
}

/**
 * Returns where a registry counts as being once it was reached at one more address.
 *
 * **Details**
 *
 * Only a connection counts, not an answer of DNS. A registry that was reached in two different places counts as public
 * from then on: the owner of the name can choose between them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reachAfter = (known: Reach | undefined, address: Reach): Reach =>
  known === undefined || known === address ? address : "public"

/**
 * Where a request is going.
 *
 * @category models
 * @since 0.1.0
 */
export interface Destination {
  /** The origin of the registry of the conversation: `https://myregistry.azurecr.io`. */
  readonly registry: string
  /** What the target of the request is to the registry. */
  readonly relation: Relation
}

/**
 * Where the current request is going; `undefined` for requests that are not of this library.
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
 * Whether a request may go to an address. Fails with a description of what is wrong.
 *
 * **Details**
 *
 * From https no way leads to http. An address that not everybody reaches must be within the reach of the registry,
 * unless the user named it. A name passes: where it leads is seen by the HTTP client that connects.
 *
 * @category guards
 * @since 0.1.0
 */
export const check = (registry: URL, target: URL, destination: Destination): Result.Result<void, string> => {
  if (target.origin === registry.origin) return Result.void
  if (!isAsSafe(registry, target)) return Result.fail(`${target.origin} is not as safe as ${registry.origin}`)
  const reach = reachOf(target.hostname)
  return reach === undefined || mayConnect(destination.relation, reachOf(registry.hostname), reach)
    ? Result.void
    : Result.fail(`${target.origin} is a ${reach} address, and ${registry.origin} is not there`)
}

/**
 * The error of an HTTP client that refuses to connect to an address, or whose proxy refuses. The request fails with
 * `Refused` and is not retried.
 *
 * @category errors
 * @since 0.1.0
 */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused"
}
