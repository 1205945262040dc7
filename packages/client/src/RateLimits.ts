/**
 * How many requests a minute this program sends.
 *
 * Without limits a program is as fast as the registry lets it, and waits when the registry answers 429. With limits it
 * waits before, which leaves room for other programs that use the registry as the same identity. `adaptive` of
 * `Transport.Options` finds a limit that is not known.
 *
 * @since 0.1.0
 */

/**
 * Requests a minute, by kind; a kind that is left out is not limited.
 *
 * **Details**
 *
 * The kinds are those that ACR counts apart: its documentation, "Azure Container Registry SKUs", throttling.
 *
 * A list of referrers counts as a read as well, as it does for ACR.
 *
 * A token bucket: a whole minute's requests may go at once, then they go evenly. Every attempt counts, and one that waits
 * for its turn does not use up the policy's `attemptTimeout`.
 *
 * Each conversation has a limiter of its own, unless the context in which it is made has a `RateLimiter` of
 * `effect/persistence`. Then it uses that one, by registry and kind: conversations with one registry share a limit, and
 * those with different registries do not. Give all that share it the same numbers. With `layerStoreRedis` several
 * processes share it; if its store fails, the request is retried and then the operation fails with `Unavailable`.
 *
 * `maxConcurrentRequests` of `Transport.Options` limits how many requests are under way at the same time.
 *
 * **Example** (Leaving half of a Premium registry to others)
 *
 * ```ts
 * import { ContainerRegistry, RateLimits } from "@effect-acr/client"
 *
 * const Registry = ContainerRegistry.layerConfig({
 *   rateLimits: { ...RateLimits.acrPremium, read: 5000, delete: 1000 }
 * })
 * ```
 *
 * **Example** (Sharing one limit between two conversations with a registry)
 *
 * ```ts
 * import { ContainerRegistry, RateLimits, RegistryContent } from "@effect-acr/client"
 * import { Layer } from "effect"
 * import { RateLimiter } from "effect/persistence"
 *
 * const endpoint = "myregistry.azurecr.io"
 * const rateLimits = RateLimits.acrStandard
 *
 * const Registry = Layer.mergeAll(
 *   ContainerRegistry.layer({ endpoint, rateLimits }),
 *   RegistryContent.layer({ endpoint, rateLimits })
 * ).pipe(Layer.provide(RateLimiter.layer), Layer.provide(RateLimiter.layerStoreMemory))
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface RateLimits {
  /** GET and HEAD. */
  readonly read?: number
  /** PUT, PATCH and POST. */
  readonly write?: number
  /** DELETE. */
  readonly delete?: number
  /** Lists of referrers. */
  readonly referrers?: number
  /** Requests for tokens. */
  readonly oauth?: number
}

/**
 * What ACR allows one identity on a Basic or Standard registry (documentation of 2026).
 *
 * @category constants
 * @since 0.1.0
 */
export const acrStandard: RateLimits = { read: 5000, write: 1000, delete: 500, referrers: 250, oauth: 10_000 }

/**
 * What ACR allows one identity on a Premium registry (documentation of 2026).
 *
 * @category constants
 * @since 0.1.0
 */
export const acrPremium: RateLimits = { read: 10_000, write: 2000, delete: 2000, referrers: 1000, oauth: 20_000 }
