/**
 * Incremental hashes.
 *
 * The client hashes all content that it sends or receives. Its own implementation runs everywhere. A runtime can
 * provide a faster one: on Node, the HTTP client's layer of `@effect-acr/node` does.
 *
 * @since 0.1.0
 */
import { sha256, sha512 } from "@noble/hashes/sha2.js"
import * as Context from "effect/Context"
import * as Hex from "effect/encoding/Hex"
import { type Algorithm, Digest } from "./Digest.ts"

/**
 * An incremental hash. It has state and belongs to one stream of bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Hash {
  /** Adds the next bytes. */
  readonly update: (bytes: Uint8Array) => void
  /** Returns the hash of all bytes so far, in lower-case hexadecimal digits. The hash cannot be used afterwards. */
  readonly hex: () => string
}

/**
 * Starts a hash. A runtime with faster hashes implements this function.
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
 * The hash implementation in use. Defaults to one in plain JavaScript.
 *
 * **Details**
 *
 * The services read it when their layers are built, so provide another implementation to those layers.
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
 * Computes the digest of bytes in memory.
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
