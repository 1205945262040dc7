/**
 * Splits a zstd stream where its frames end (RFC 8878, section 3.1). `node:zlib` decompresses only the first of several
 * frames in one chunk, and drops the others without an error. It decompresses all of them if each has its own chunk.
 */

/** The next step of the parser: read bytes, skip bytes, or end the frame. */
type Step =
  | { readonly _tag: "Read"; readonly bytes: number }
  | { readonly _tag: "Skip"; readonly bytes: number }
  | { readonly _tag: "End" }

const read = (bytes: number): Step => ({ _tag: "Read", bytes })
const skip = (bytes: number): Step => ({ _tag: "Skip", bytes })
const end: Step = { _tag: "End" }

const frameMagic = 0xfd2fb528
const skippableMagic = 0x184d2a50

const numberOf = (bytes: Uint8Array): number => bytes.reduceRight((sum, byte) => sum * 256 + byte, 0)

const dictionaryIdBytes = [0, 1, 2, 4]
const contentSizeBytes = [0, 2, 4, 8]

/** "Frame_Header": its length after the first byte, and whether a checksum ends the frame. */
const headerOf = (descriptor: number) => {
  const isSingleSegment = (descriptor & 0x20) !== 0
  const contentSize = contentSizeBytes[descriptor >> 6] ?? 0
  const windowBytes = isSingleSegment ? 0 : 1
  const sizeBytes = contentSize === 0 && isSingleSegment ? 1 : contentSize
  return {
    bytes: windowBytes + (dictionaryIdBytes[descriptor & 3] ?? 0) + sizeBytes,
    checksumBytes: (descriptor & 4) === 0 ? 0 : 4
  }
}

const blockTypeRle = 1

function* frames(): Generator<Step, void, Uint8Array> {
  for (;;) {
    const magic = numberOf(yield read(4))
    if (magic >= skippableMagic && magic < skippableMagic + 16) {
      yield skip(numberOf(yield read(4)))
    } else if (magic === frameMagic) {
      const { bytes, checksumBytes } = headerOf(numberOf(yield read(1)))
      yield skip(bytes)
      for (let isLast = false; !isLast;) {
        const block = numberOf(yield read(3))
        isLast = (block & 1) === 1
        // A block of one repeated byte holds it once.
        yield skip(((block >> 1) & 3) === blockTypeRle ? 1 : block >> 3)
      }
      yield skip(checksumBytes)
    } else {
      // The decompressor reports the error.
      yield skip(Number.POSITIVE_INFINITY)
    }
    yield end
  }
}

export interface Splitter {
  /** Splits a chunk where frames end. */
  readonly split: (piece: Uint8Array) => ReadonlyArray<Uint8Array>
  /** Whether the last frame has ended. */
  readonly isWhole: () => boolean
}

export const makeSplitter = (): Splitter => {
  const parser = frames()
  let step: Step = end
  let left = 0
  let looked: Array<number> = []

  const next = (bytes: Uint8Array): void => {
    const result = parser.next(bytes)
    step = result.done === true ? skip(Number.POSITIVE_INFINITY) : result.value
    left = step._tag === "End" ? 0 : step.bytes
    looked = []
  }

  const split = (piece: Uint8Array): ReadonlyArray<Uint8Array> => {
    const cut: Array<Uint8Array> = []
    let from = 0
    let at = 0
    while (at < piece.length || left === 0) {
      const taken = Math.min(left, piece.length - at)
      if (step._tag === "Read") looked.push(...piece.subarray(at, at + taken))
      at += taken
      left -= taken
      if (left > 0) break
      if (step._tag === "End" && at > from) {
        cut.push(piece.subarray(from, at))
        from = at
      }
      // The next step is unknown until there are more bytes.
      if (step._tag === "End" && at === piece.length) break
      next(Uint8Array.from(looked))
    }
    if (at > from) cut.push(piece.subarray(from, at))
    return cut
  }
  return { split, isWhole: () => step._tag === "End" }
}
