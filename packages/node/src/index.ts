/**
 * What Node adds to `@effect-acr/client`.
 *
 * @since 0.1.0
 */

/** Checks of what a program needs to work with a registry. */
export * as Diagnosis from "./Diagnosis.ts"

/** The logins that container tools store. */
export * as DockerConfig from "./DockerConfig.ts"

/** Compression by `node:zlib`. */
export * as NodeCompression from "./NodeCompression.ts"

/** Hashes by `node:crypto`. */
export * as NodeHasher from "./NodeHasher.ts"

/** Everything that a script needs, in one layer. */
export * as NodeRegistries from "./NodeRegistries.ts"

/** The HTTP client for registries on Node. */
export * as NodeRegistryHttpClient from "./NodeRegistryHttpClient.ts"
