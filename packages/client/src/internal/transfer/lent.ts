/**
 * Chunks that a consumer may still use. Those that it no longer uses are released, so that their memory is used again.
 */
export interface Lent {
  /** The consumer gets chunks. */
  readonly lend: (chunks: ReadonlyArray<Uint8Array>) => void
  /** The consumer pulls again, and no longer uses the chunks before those of `heldBytes`. */
  readonly takeBack: () => void
}

const forGood: Lent = { lend: () => {}, takeBack: () => {} }

/**
 * Lends chunks to a consumer. `heldBytes` is how many bytes it may still use when it pulls again, as in `BlobSource`.
 */
export const make = (heldBytes: number | undefined, release: ((chunk: Uint8Array) => void) | undefined): Lent => {
  if (heldBytes === undefined || release === undefined) return forGood
  let lent: Array<Uint8Array> = []
  /** The chunks that the consumer may still use. */
  const used = (): ReadonlyArray<Uint8Array> => {
    if (heldBytes === 0) return []
    let first = lent.length - 1
    for (let bytes = 0; first > 0 && bytes < heldBytes; first--) bytes += lent[first - 1]?.length ?? 0
    return lent.slice(Math.max(first, 0))
  }
  return {
    lend: (chunks) => {
      for (const chunk of chunks) lent.push(chunk)
    },
    takeBack: () => {
      const kept = used()
      for (const chunk of lent.slice(0, lent.length - kept.length)) release(chunk)
      lent = [...kept]
    }
  }
}
