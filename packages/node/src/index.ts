/**
 * What Node adds to `@effect-acr/client`.
 *
 * @since 0.1.0
 */

/** The HTTP client for registries on Node. */
export * as NodeRegistryHttpClient from "./NodeRegistryHttpClient.ts"
