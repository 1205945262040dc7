/**
 * What a package for a runtime builds on, such as `@effect-acr/node`: an HTTP client that guards its connections, and faster
 * hashes. Applications need none of it.
 *
 * @since 0.1.0
 */

/** Hashes that grow with the bytes that pass by. */
export * as Hasher from "./Hasher.ts"

/** What the client may connect to. */
export * as Outbound from "./Outbound.ts"

/** HTTP clients that end requests themselves, and tell what they hold. */
export * as ScopedHttpClient from "./ScopedHttpClient.ts"
