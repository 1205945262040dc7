/**
 * Content to transfer: the same in every process, and made before any clock runs.
 */
import { createHash } from "node:crypto"

/** A mebibyte that looks like compressed data. */
export const mebibyte: Uint8Array = (() => {
  const bytes = new Uint8Array(1024 * 1024)
  let state = 1
  for (let index = 0; index < bytes.length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    bytes[index] = state >>> 16
  }
  return bytes
})()

/** Content of a size, as pieces that share their memory. */
export function* piecesOf(size: number, from = 0): Generator<Uint8Array> {
  for (let offset = from; offset < size;) {
    const begin = offset % mebibyte.length
    const piece = mebibyte.subarray(begin, Math.min(mebibyte.length, begin + size - offset))
    yield piece
    offset += piece.length
  }
}

/** Content of a size in memory. */
export const contentOf = (size: number): Buffer => {
  const bytes = Buffer.allocUnsafe(size)
  let offset = 0
  for (const piece of piecesOf(size)) {
    bytes.set(piece, offset)
    offset += piece.length
  }
  return bytes
}

/** The digest of the content of a size. */
export const digestOf = (size: number): string => {
  const hash = createHash("sha256")
  for (const piece of piecesOf(size)) hash.update(piece)
  return `sha256:${hash.digest("hex")}`
}
