/**
 * Which addresses the client may connect to.
 *
 * A registry directs its clients to other servers: to storage for the bytes of blobs, to another address for an upload.
 * A hostile registry could use this to make a client inside a network send requests to that network's own machines, or
 * to the metadata service of its cloud. So a registry may lead to public addresses, and to other addresses only if the
 * registry itself is there: a registry on this machine may lead to this machine, and one in the private network to that
 * network.
 *
 * Every request passes `check`, which reads the address in the URL. An HTTP client that knows the address to which it
 * connects can check that as well, with `CurrentDestination` and `mayConnect`: `NodeRegistryHttpClient` does, `fetch`
 * cannot. docs/origins.md explains the decisions.
 *
 * Applications do not need this module. It is for authors of HTTP clients.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Result from "effect/Result"
import { reachOfHost } from "./internal/http/address.ts"

/**
 * From where an address can be reached: from everywhere, from a private network, from one link, or only from this
 * machine.
 *
 * **Details**
 *
 * An address is public if IANA's registries of special-purpose addresses (RFC 6890, RFC 8190) call it globally
 * reachable. The metadata services of clouds count as link-local, whatever address they have. An IPv6 address that
 * carries an IPv4 address (mapped, NAT64, 6to4, Teredo, ISATAP) has the more harmful reach of the two.
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
 * Tests whether a registry within one reach may lead to an address within another.
 *
 * @category guards
 * @since 0.1.0
 */
export const mayLead = (registry: Reach, target: Reach): boolean => target === "public" || target === registry

/**
 * The relation of a request's target to the registry: the registry itself, another target that the user named, or any
 * other target, to which the registry leads.
 *
 * @category models
 * @since 0.1.0
 */
export type Relation = "registry" | "named" | "other"

/**
 * Tests whether a request may use a connection to an address.
 *
 * **Details**
 *
 * `known` is the reach of the registry, as far as connections to its own origin have shown it (see `reachAfter`).
 * Before the first connection, the registry may be anywhere, but leads only to public addresses. Afterwards its own
 * name may lead only where a redirect may: a name that was public cannot turn into the metadata service. Targets that
 * the user named may be anywhere.
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
 * Returns the reach of a registry after a connection to one more address.
 *
 * **Details**
 *
 * Only a connection counts, not a DNS response. A registry that was reached within two different reaches counts as
 * public from then on, because the owner of the name can choose between them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reachAfter = (known: Reach | undefined, address: Reach): Reach =>
  known === undefined || known === address ? address : "public"

/**
 * The destination of a request.
 *
 * @category models
 * @since 0.1.0
 */
export interface Destination {
  /** The origin of the registry: `https://myregistry.azurecr.io`. */
  readonly registry: string
  /** The relation of the request's target to the registry. */
  readonly relation: Relation
}

/**
 * The destination of the current request; `undefined` for requests that this library did not send.
 *
 * @category references
 * @since 0.1.0
 */
export const CurrentDestination: Context.Reference<Destination | undefined> = Context.Reference<
  Destination | undefined
>("@effect-acr/client/Outbound/CurrentDestination", { defaultValue: () => undefined })

/** No other machine can read traffic within this machine. From anywhere else, plain http is the user's own choice. */
const isAsSafe = (registry: URL, target: URL): boolean =>
  target.protocol === "https:" ||
  (registry.protocol === "http:" &&
    (reachOf(registry.hostname) !== "loopback" || reachOf(target.hostname) === "loopback"))

/**
 * Checks whether a request may be sent to an address. Fails with a description of the problem.
 *
 * **Details**
 *
 * A registry with https never leads to http. An address that is not public must be within the reach of the registry,
 * unless the user named it. A host name passes: only the HTTP client that connects sees its address.
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
 * The error of an HTTP client that refuses to connect to an address, or whose proxy refuses. The request then fails
 * with `Refused` and is not retried.
 *
 * @category errors
 * @since 0.1.0
 */
export class AddressRefused extends Error {
  override readonly name = "AddressRefused"
}
