/**
 * Rate limits: how many requests a minute a program sends.
 *
 * Without limits, a program sends requests as fast as the registry allows, and waits when the registry answers 429.
 * With limits, it waits before that, which leaves capacity for other programs with the same identity. `adaptive` of
 * `Transport.Options` finds an unknown limit.
 *
 * @since 0.1.0
 */

/**
 * The number of requests a minute, by kind. Kinds that are left out are not limited.
 *
 * **Details**
 *
 * ACR counts each of these kinds separately (its documentation, "Azure Container Registry SKUs", throttling). A list of
 * referrers also counts as a read, as it does for ACR.
 *
 * Each limit is a token bucket: the requests of a whole minute may be sent at once, and further ones at even intervals.
 * Every attempt counts. The time in which an attempt waits for the limit does not count against the policy's
 * `attemptTimeout`.
 *
 * Each transport has its own limiter, unless the context in which it is made has a `RateLimiter` of
 * `effect/persistence`. Then it uses that one, by registry and kind: transports of one registry share a limit, and
 * those of different registries do not. Give all of them the same numbers. With `layerStoreRedis`, several processes
 * share the limit. If its store fails, the request is retried, and then the operation fails with `Unavailable`.
 *
 * `maxConcurrentRequests` of `Transport.Options` limits concurrency.
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
 * **Example** (Sharing one limit between two transports of a registry)
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
 * The limits of ACR for one identity on a Basic or Standard registry (documentation of 2026).
 *
 * @category constants
 * @since 0.1.0
 */
export const acrStandard: RateLimits = { read: 5000, write: 1000, delete: 500, referrers: 250, oauth: 10_000 }

/**
 * The limits of ACR for one identity on a Premium registry (documentation of 2026).
 *
 * @category constants
 * @since 0.1.0
 */
export const acrPremium: RateLimits = { read: 10_000, write: 2000, delete: 2000, referrers: 1000, oauth: 20_000 }
