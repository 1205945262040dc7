/**
 * What Node adds to `@effect-acr/client`.
 *
 * @since 0.1.0
 */

/** Hashes by `node:crypto`. */
export * as NodeHasher from "./NodeHasher.ts"

/** The HTTP client for registries on Node. */
export * as NodeRegistryHttpClient from "./NodeRegistryHttpClient.ts"
