/**
 * A set of integers in constant memory (a Bloom filter), which takes some that it lacks for its own.
 */

/** 8 MiB. With three million keys it is wrong about one of a thousand others, with ten million about 4 of a hundred. */
const bits = 26

const probes = 4

/** Keys have 48 bits, of which each half makes a number of `bits`. */
const half = 2 ** 24

export interface KeySet {
  readonly add: (key: number) => void
  /** False only for what was not added. */
  readonly mayHave: (key: number) => boolean
}

export const make = (): KeySet => {
  const words = new Uint32Array(2 ** (bits - 5))
  const spread = (number: number): number => Math.imul(number, 0x9e3779b1) >>> (32 - bits)
  /** Whether a visitor says yes to each place of a key. */
  const every = (key: number, visit: (word: number, mask: number) => boolean): boolean => {
    const start = spread(key % half)
    const step = spread(Math.floor(key / half)) | 1
    for (let probe = 0; probe < probes; probe++) {
      const place = (start + probe * step) % 2 ** bits
      if (!visit(place >>> 5, 1 << (place & 31))) return false
    }
    return true
  }
  return {
    add: (key) => {
      every(key, (word, mask) => {
        words[word] = (words[word] ?? 0) | mask
        return true
      })
    },
    mayHave: (key) => every(key, (word, mask) => ((words[word] ?? 0) & mask) !== 0)
  }
}
