/**
 * Hashes by `node:crypto`, which are several times as fast as those in JavaScript.
 *
 * @since 0.1.0
 */
import { createHash } from "node:crypto"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Layer from "effect/Layer"

const start: Hasher.Start = (algorithm) => {
  const hash = createHash(algorithm)
  return {
    update: (bytes) => {
      hash.update(bytes)
    },
    hex: () => hash.digest("hex")
  }
}

/**
 * Computes digests with `node:crypto` instead of the client's own implementation.
 *
 * **When to use**
 *
 * Use with another HTTP client, in a runtime that has `node:crypto`. `NodeRegistryHttpClient.layer` includes this
 * layer.
 *
 * **Example** (With `fetch`)
 *
 * ```ts
 * import { NodeHasher } from "@effect-acr/node"
 * import { Layer } from "effect"
 * import { FetchHttpClient } from "effect/http"
 *
 * const HttpClientLive = Layer.merge(FetchHttpClient.layer, NodeHasher.layer)
 * ```
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never> = Layer.succeed(Hasher.Hasher, start)
