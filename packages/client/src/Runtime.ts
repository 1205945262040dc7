/**
 * Building blocks for packages of a runtime, such as `@effect-acr/node`: an HTTP client that checks the addresses it
 * connects to, and faster hashes. Applications do not need this module.
 *
 * @since 0.1.0
 */

/** Incremental hashes. */
export * as Hasher from "./Hasher.ts"

/** Which addresses the client may connect to. */
export * as Outbound from "./Outbound.ts"

/** HTTP clients that close connections with the scope of a request, and state which memory they still use. */
export * as ScopedHttpClient from "./ScopedHttpClient.ts"
