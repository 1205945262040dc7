/**
 * Hashes that grow with the bytes that pass by.
 *
 * The client hashes all content that it sends or receives. It brings an implementation that runs everywhere; a runtime
 * that has a faster one provides it in place (on Node, the HTTP client's layer of `@effect-acr/node` does).
 *
 * @since 0.1.0
 */
import { sha256, sha512 } from "@noble/hashes/sha2.js"
import * as Context from "effect/Context"
import * as Hex from "effect/encoding/Hex"
import { type Algorithm, Digest } from "./Digest.ts"

/**
 * A hash under way. It has state, and belongs to one stream of bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hash {
  /** Takes the next bytes. */
  readonly update: (bytes: Uint8Array) => void
  /** The hash of all bytes so far, in lower-case hexadecimal digits. The hash is used up. */
  readonly hex: () => string
}

/**
 * Begins a hash. What a runtime with faster hashes of its own has to provide.
 *
 * @category models
 * @since 0.1.0
 */
export type Start = (algorithm: Algorithm) => Hash

const algorithms = { sha256, sha512 }

const portable: Start = (algorithm) => {
  const hash = algorithms[algorithm].create()
  return {
    update: (bytes) => {
      hash.update(bytes)
    },
    hex: () => Hex.encode(hash.digest())
  }
}

/**
 * The implementation in use; one in plain JavaScript if none is provided.
 *
 * **Details**
 *
 * The services read it when their layers are built: provide another one beneath those.
 *
 * **Example** (Hashing by `node:crypto`, as `NodeHasher` of `@effect-acr/node` does)
 *
 * ```ts
 * import { Hasher } from "@effect-acr/client/Runtime"
 * import { Layer } from "effect"
 * import { createHash } from "node:crypto"
 *
 * const FastHashes = Layer.succeed(Hasher.Hasher, (algorithm) => {
 *   const hash = createHash(algorithm)
 *   return {
 *     update: (bytes) => {
 *       hash.update(bytes)
 *     },
 *     hex: () => hash.digest("hex")
 *   }
 * })
 * ```
 *
 * @category references
 * @since 0.1.0
 */
export const Hasher: Context.Reference<Start> = Context.Reference("@effect-acr/client/Hasher", {
  defaultValue: () => portable
})

/**
 * The digest of bytes at hand.
 *
 * **Example** (The digest of a text)
 *
 * ```ts
 * import { Hasher } from "@effect-acr/client/Runtime"
 * import { Effect } from "effect"
 *
 * export const digestOf = (text: string) =>
 *   Effect.map(Hasher.Hasher, (start) => Hasher.digest(start, "sha256", new TextEncoder().encode(text)))
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const digest = (start: Start, algorithm: Algorithm, bytes: Uint8Array): Digest => {
  const hash = start(algorithm)
  hash.update(bytes)
  return Digest.make(`${algorithm}:${hash.hex()}`)
}
