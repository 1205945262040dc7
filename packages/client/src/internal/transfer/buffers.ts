/**
 * Memory for small contents, which is used again.
 *
 * Allocating it for each of many blobs of a mebibyte took a tenth of the processor time of their uploads, and left up to
 * 60 MiB of garbage.
 */

/** The size of a buffer in bytes. */
export const bufferBytes = 2 * 1024 * 1024

/** Less is allocated faster than a buffer is shared. */
const leastBytes = 64 * 1024

/** The maximum number of free buffers. */
const mostFree = 8

export interface Buffers {
  /** Returns memory for a number of bytes, with any content. */
  readonly take: (bytes: number) => Uint8Array
  /** Gives memory back, which is not used any more. */
  readonly giveBack: (memory: Uint8Array) => void
}

export const make = (): Buffers => {
  const free: Array<Uint8Array> = []
  return {
    take: (bytes) =>
      bytes < leastBytes || bytes > bufferBytes
        ? new Uint8Array(bytes)
        : (free.pop() ?? new Uint8Array(bufferBytes)).subarray(0, bytes),
    giveBack: ({ buffer }) => {
      if (buffer.byteLength === bufferBytes && free.length < mostFree) free.push(new Uint8Array(buffer))
    }
  }
}
