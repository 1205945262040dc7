/**
 * The reasons for content that does not match its size or digest.
 */
import { algorithm, type Digest, hex } from "../../Digest.ts"
import type { Hash } from "../../Hasher.ts"
import { ContentMismatch } from "../../RegistryError.ts"

/** The content has another size than expected. `actual` is the actual size, or how it differs. */
export const ofSize = (description: string, expectedBytes: number, actual: string): ContentMismatch =>
  new ContentMismatch({ description, expected: `${expectedBytes} bytes`, actual })

/**
 * Compares the hash of the whole content with its digest. The hash cannot be used afterwards. Returns the difference,
 * if there is one.
 */
export const ofDigest = (description: string, expected: Digest, hash: Hash): ContentMismatch | undefined => {
  const actual = hash.hex()
  return actual === hex(expected)
    ? undefined
    : new ContentMismatch({ description, expected, actual: `${algorithm(expected)}:${actual}` })
}
