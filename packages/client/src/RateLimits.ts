/**
 * How many requests a minute this program sends.
 *
 * @since 0.1.0
 */

/**
 * The kinds of requests that Azure Container Registry counts apart.
 *
 * **Details**
 *
 * ACR's documentation, "Azure Container Registry SKUs", throttling: reads (GET, HEAD), writes (PUT, PATCH, POST),
 * deletes, listing of referrers, and tokens.
 *
 * @category models
 * @since 0.1.0
 */
export type Bucket = "read" | "write" | "delete" | "referrers" | "oauth"

/**
 * Requests a minute, by kind; a kind that is left out is not limited.
 *
 * **Details**
 *
 * A token bucket: a whole minute's requests may go at once, then they go evenly. Every attempt counts.
 *
 * @category models
 * @since 0.1.0
 */
export type RateLimits = { readonly [Kind in Bucket]?: number }

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
