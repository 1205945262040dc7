/**
 * Digests as bytes: half the size of their text, in each of a million rows.
 */
import * as Digest from "@effect-acr/client/Digest"

const algorithms: ReadonlyArray<Digest.Algorithm> = ["sha256", "sha512"]

/** A byte for the algorithm, and the hash. */
export const toBytes = (digest: Digest.Digest): Uint8Array => {
  const hash = Buffer.from(Digest.hex(digest), "hex")
  const bytes = new Uint8Array(1 + hash.length)
  bytes[0] = algorithms.indexOf(Digest.algorithm(digest))
  bytes.set(hash, 1)
  return bytes
}

/** The digest of a row, unchecked: only `toBytes` writes it, and checking a million of them would take seconds. */
export const fromBytes = (bytes: Uint8Array): Digest.Digest =>
  Digest.Digest.make(
    `${algorithms[bytes[0] ?? 0]}:${Buffer.from(bytes.buffer, bytes.byteOffset + 1, bytes.length - 1).toString("hex")}`,
    { disableChecks: true }
  )

/** 48 bits in hexadecimal digits: among three million blobs, a collision occurs in one of sixty runs. */
const keyDigits = 12

/** The beginning of a hash as an integer, for a lookup that may be wrong: the repository may lack the blob after all. */
export const toKey = (digest: Digest.Digest): number => Number.parseInt(Digest.hex(digest).slice(0, keyDigits), 16)
