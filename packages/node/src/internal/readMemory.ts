/**
 * Memory that sockets read into.
 *
 * By default Node allocates memory for each read of a socket. undici then receives 800 MiB over loopback in 0.73 s, and
 * in 0.42 s into allocated memory. Here, sockets read into slabs. A slab is reused once all of its chunks are released.
 * A slab whose chunks are never released is collected as garbage like any other memory.
 *
 * Only connections without TLS use slabs. A read of TLS returns a record of at most 16 KiB, and naming a slab for each
 * costs more than Node's allocation: downloads over TLS took a quarter longer. The memory of such a record is freed once
 * it is released. Left to the garbage collector, it took 55 MiB more, and a download of 1 GiB a tenth longer.
 */
import { constVoid } from "effect/Function"
import type { OnReadOpts, Socket } from "node:net"

/** Fits into the cache of a processor. Larger slabs gain little. */
const slabBytes = 128 * 1024

/** A slab with less room is closed. */
const leastRoomBytes = 32 * 1024

/** The maximum number of free slabs: a few megabytes. */
const mostFree = 32

/** A slab in use. */
interface Slab {
  readonly bytes: Uint8Array
  /** The ends of the reads that are not released yet. */
  readonly ends: Set<number>
  /** Whether a socket reads into it. */
  isOpen: boolean
}

export interface ReadMemory {
  /** The options of a connection with a protocol (`http:`, `https:`). */
  readonly connection: (protocol: string) => { readonly onread?: OnReadOpts }
  /**
   * Releases a chunk of a response that its reader no longer uses, as in `PulledResponse` of the client.
   */
  readonly releaseOf: (protocol: string) => (piece: Uint8Array) => void
}

/** Node and Deno call `callback` on the socket that has read. Bun does not say which socket it was. */
const tellsSocket = process.versions["bun"] === undefined

const usesSlabs = (protocol: string): boolean => tellsSocket && protocol === "http:"

/** Less is not worth freeing. It also spares the empty chunk with which undici resumes each of its parsers. */
const leastFreedBytes = 1024

/**
 * Frees the memory of reads, after the parser has returned that called the reader: it may still look at the chunk.
 *
 * Only memory that a chunk has for itself is freed. A part of a read leaves its memory to the other parts.
 */
const makeFreeing = (): ((piece: Uint8Array) => void) => {
  // Whether Bun uses the memory of a read after it is not known.
  if (!tellsSocket) return constVoid
  let released: Array<ArrayBuffer> = []
  const free = () => {
    for (const buffer of released) buffer.transfer(0)
    released = []
  }
  return ({ buffer, length }) => {
    if (length < leastFreedBytes || length !== buffer.byteLength || !(buffer instanceof ArrayBuffer)) return
    if (released.push(buffer) === 1) queueMicrotask(free)
  }
}

export const make = (): ReadMemory => {
  const freeing = makeFreeing()
  const free: Array<Uint8Array> = []
  const slabs = new WeakMap<ArrayBufferLike, Slab>()
  /** The rest of the slab into which a socket has just read. */
  let rest: Uint8Array | undefined

  const close = (slab: Slab): void => {
    if (slab.isOpen || slab.ends.size > 0) return
    slabs.delete(slab.bytes.buffer)
    if (free.length < mostFree) free.push(slab.bytes)
  }

  const open = (): Uint8Array => {
    const bytes = free.pop() ?? Buffer.allocUnsafeSlow(slabBytes)
    slabs.set(bytes.buffer, { bytes, ends: new Set(), isOpen: true })
    return bytes
  }

  const onread: OnReadOpts = {
    // Called for a new socket, and for the same one after each read.
    buffer: () => {
      const room = rest ?? open()
      rest = undefined
      return room
    },
    callback(this: Socket, length: number, buffer: Uint8Array): boolean {
      const slab = slabs.get(buffer.buffer)
      slab?.ends.add(buffer.byteOffset + length)
      const hasRoom = this.push(buffer.subarray(0, length))
      if (buffer.length - length >= leastRoomBytes) {
        rest = buffer.subarray(length)
      } else if (slab !== undefined) {
        slab.isOpen = false
        close(slab)
      }
      return hasRoom
    }
  }

  const release = (piece: Uint8Array): void => {
    const slab = slabs.get(piece.buffer)
    // A chunk may be a part of a read. The earlier parts were released before, so the last one decides.
    if (slab?.ends.delete(piece.byteOffset + piece.length) === true) close(slab)
  }

  return {
    connection: (protocol) => (usesSlabs(protocol) ? { onread } : {}),
    releaseOf: (protocol) => (usesSlabs(protocol) ? release : freeing)
  }
}
