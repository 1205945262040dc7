/**
 * Memory that sockets read into.
 *
 * Node allocates memory for each read of a socket. For a download of gigabytes, to allocate and collect it takes as long as to read.
 * So sockets read into slabs here. A slab is read into again once all pieces of it are released. Pieces that are never released are
 * garbage like any other, and so is their slab.
 */
import type { OnReadOpts, Socket } from "node:net"

/** What one read of plain TCP finds at most while the program is busy. It fits into the cache of a processor. */
const slabBytes = 128 * 1024

/** A record of TLS, which is the least that is worth a read, has 16 KiB. */
const leastRoomBytes = 32 * 1024

/** Slabs that are kept for later: a few megabytes. */
const mostFree = 32

/** A slab, as long as it is not free. */
interface Slab {
  readonly bytes: Uint8Array
  /** Where the reads end that are not released yet. */
  readonly ends: Set<number>
  /** Whether a socket reads into it. */
  isOpen: boolean
}

export interface ReadMemory {
  /** The options of a connection that reads into slabs. */
  readonly connection: { readonly onread?: OnReadOpts }
  /**
   * Says that a piece of an answer is no longer looked at. Each piece is released once at most, and after those that came before it
   * over the same connection.
   */
  readonly release: (piece: Uint8Array) => void
}

/** Node and Deno call `callback` on the socket that has read. Bun does not tell which one has. */
const tellsSocket = process.versions["bun"] === undefined

export const make = (): ReadMemory => {
  const free: Array<Uint8Array> = []
  const slabs = new WeakMap<ArrayBufferLike, Slab>()
  /** The rest of the slab that a socket has read into right now. */
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

  return {
    connection: tellsSocket ? { onread } : {},
    release: (piece) => {
      const slab = slabs.get(piece.buffer)
      // A piece may be part of a read. Those before it were released before, so that the last one counts.
      if (slab?.ends.delete(piece.byteOffset + piece.length) === true) close(slab)
    }
  }
}
