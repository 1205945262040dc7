/**
 * A Bloom filter: a set of integers in constant memory, with false positives.
 */

/** 8 MiB. The rate of false positives is 0.1 % with three million keys, and 4 % with ten million. */
const bits = 26

const probes = 4

const lastPlace = 2 ** bits - 1

/** Keys have 48 bits. Each half is hashed to a number of `bits`. */
const half = 2 ** 24

export interface KeySet {
  readonly add: (key: number) => void
  /** False only for keys that were not added. */
  readonly mayHave: (key: number) => boolean
}

export const make = (): KeySet => {
  const words = new Uint32Array(2 ** (bits - 5))
  const spread = (number: number): number => Math.imul(number, 0x9e3779b1) >>> (32 - bits)
  const firstOf = (key: number): number => spread(key % half)
  const stepOf = (key: number): number => spread(Math.floor(key / half)) | 1
  // Plain loops: this runs for each blob of a million images.
  return {
    add: (key) => {
      const step = stepOf(key)
      let place = firstOf(key)
      for (let probe = 0; probe < probes; probe++, place = (place + step) & lastPlace) {
        words[place >>> 5] = (words[place >>> 5] ?? 0) | (1 << (place & 31))
      }
    },
    mayHave: (key) => {
      const step = stepOf(key)
      let place = firstOf(key)
      for (let probe = 0; probe < probes; probe++, place = (place + step) & lastPlace) {
        if (((words[place >>> 5] ?? 0) & (1 << (place & 31))) === 0) return false
      }
      return true
    }
  }
}
