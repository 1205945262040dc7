/**
 * Hashes by `node:crypto`, several times as fast as those in JavaScript.
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
 * Puts `node:crypto` in the place of the client's own implementation. `NodeRegistryHttpClient.layer` includes it.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<never> = Layer.succeed(Hasher.Hasher, start)
