/**
 * Digests as bytes: half of their text, in each of a million rows.
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

/** The digest of a row. A row that holds something else is a defect: only `toBytes` writes it. */
export const fromBytes = (bytes: Uint8Array): Digest.Digest =>
  Digest.Digest.make(`${algorithms[bytes[0] ?? 0]}:${Buffer.from(bytes.subarray(1)).toString("hex")}`)

/** Bytes of a hash that tell blobs apart within one migration. */
const keyBytes = 16

/** The beginning of a hash, as a key. */
export const toKey = (digest: Digest.Digest): Uint8Array =>
  new Uint8Array(Buffer.from(Digest.hex(digest).slice(0, 2 * keyBytes), "hex"))
