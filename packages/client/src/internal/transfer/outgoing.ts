/**
 * The content of an upload: read from the offset that the upload has reached, hashed once, measured, and kept as long
 * as it may be needed again.
 */
import * as Cause from "effect/Cause"
import * as Channel from "effect/Channel"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { BlobSource } from "../../BlobSource.ts"
import { type Algorithm, Digest } from "../../Digest.ts"
import type { Start } from "../../Hasher.ts"
import { RegistryError } from "../../RegistryError.ts"
import { HeldBytes } from "../../ScopedHttpClient.ts"
import * as Arguments from "../api/arguments.ts"
import type { Buffers } from "./buffers.ts"
import * as Mismatch from "./mismatch.ts"
import type { OnProgress } from "./options.ts"

/** A chunk of the content. */
export interface Chunk {
  readonly bytes: Uint8Array
  /** Whether it is the last chunk. */
  readonly last: boolean
}

/** The source failed, with the cause that `Outgoing` stores. It is the caller's error, not a fault of the registry. */
export const sourceFailed = "the source failed"

export interface Outgoing<out E, out R> {
  /** The total size in bytes, once it is known. */
  readonly sizeBytes: () => number | undefined
  /** The largest offset up to which the content has been read. */
  readonly sentBytes: () => number
  /** Whether the content can be read from an offset. */
  readonly canReadFrom: (offset: number) => boolean
  /**
   * The content from an offset to its end. It can run repeatedly, and anywhere, as in the HTTP client. Only for sources
   * that can be read again.
   */
  readonly stream: (offset: number) => Stream.Stream<Uint8Array, typeof sourceFailed>
  /** Reads at most a number of bytes at an offset. Only this chunk is kept, so that it can be sent again. */
  readonly chunk: (offset: number, maxBytes: number) => Effect.Effect<Chunk, typeof sourceFailed, R>
  /** The HTTP client takes a part of the chunk, and states its `HeldBytes`. */
  readonly taken: (heldBytes: number | undefined) => void
  /** Frees the last chunk, which the registry has, unless the HTTP client may still use it. */
  readonly free: () => void
  /** The cause with which the source failed. */
  readonly failure: () => Cause.Cause<E | RegistryError> | undefined
  /** The digest of the whole content, once all of it has been read. */
  readonly digest: () => Digest
}

interface Window extends Chunk {
  readonly offset: number
}

interface Reader<E, R> {
  readonly pull: Pull.Pull<ReadonlyArray<Uint8Array>, E, void, R>
  readonly scope: Scope.Closeable
  /** Pieces that were pulled but not used yet. */
  pieces: Array<Uint8Array>
  position: number
  ended: boolean
}

const mismatch = (operation: string, expected: number, actual: string) =>
  new RegistryError({
    operation,
    reason: Mismatch.ofSize("the source does not have the stated size", expected, actual)
  })

/**
 * Makes the content of one upload. Everything it opens closes with the scope.
 */
export const make = Effect.fnUntraced(function* <E, R>(options: {
  /** The operation in errors about the source's size or digest. */
  readonly operation: string
  readonly source: BlobSource<E, R>
  readonly algorithm: Algorithm
  readonly startHash: Start
  readonly buffers: Buffers
  readonly onProgress: OnProgress | undefined
}): Effect.fn.Return<Outgoing<E, R>, RegistryError | E, R | Scope.Scope> {
  const { buffers, onProgress, operation, source } = options
  const context: Context.Context<R> = yield* Effect.context<R>()
  const scope = yield* Effect.scope
  const stated = yield* source.sizeBytes
  if (stated !== undefined) yield* Arguments.natural(operation, stated, "source.sizeBytes")
  const hash = options.startHash(options.algorithm)

  let total = stated
  let hashed = 0
  let window: Window | undefined
  /** Whether the HTTP client uses the chunk only until it responds. */
  let isReleased = false
  let reader: Reader<E, R> | undefined
  let failure: Cause.Cause<E | RegistryError> | undefined
  let digest: Digest | undefined

  const fail = (cause: Cause.Cause<E | RegistryError>): Effect.Effect<never, typeof sourceFailed> =>
    Effect.suspend(() => {
      failure = cause
      return Effect.fail(sourceFailed)
    })

  /** Hashes bytes that were not hashed before, and checks the source against its size. */
  const take = (offset: number, pieces: ReadonlyArray<Uint8Array>): number => {
    let position = offset
    for (const piece of pieces) {
      const fresh = position + piece.length - hashed
      if (fresh > 0) {
        hash.update(fresh < piece.length ? piece.subarray(piece.length - fresh) : piece)
        hashed += fresh
      }
      position += piece.length
    }
    return position
  }

  const report = (doneBytes: number): Effect.Effect<void> =>
    onProgress === undefined
      ? Effect.void
      : onProgress(total === undefined ? { doneBytes } : { doneBytes, totalBytes: total })

  const checkEnd = (position: number): Effect.Effect<void, typeof sourceFailed> => {
    if (stated !== undefined && position !== stated) {
      return fail(Cause.fail(mismatch(operation, stated, position > stated ? "more" : `${position} bytes`)))
    }
    total = position
    return Effect.void
  }

  /** Reads from the HTTP client that runs the stream how many bytes it still uses. */
  const stream = (offset: number): Stream.Stream<Uint8Array, typeof sourceFailed> =>
    Stream.unwrap(
      Effect.map(HeldBytes, (heldBytes) => {
        let position = offset
        // The errors of the source are separate from those of the connection.
        const content = source.read(offset, heldBytes).pipe(
          Stream.catchCause((cause) => Stream.fromEffect(fail(cause))),
          Stream.provideContext(context)
        )
        const checked = Stream.mapArrayEffect(content, (pieces) => {
          position = take(position, pieces)
          if (stated !== undefined && position > stated) return Effect.as(checkEnd(position), pieces)
          return Effect.as(report(position), pieces)
        })
        return Stream.concat(checked, Stream.drain(Stream.fromEffect(Effect.suspend(() => checkEnd(position)))))
      })
    )

  const openReader = Effect.fnUntraced(function* (offset: number) {
    if (reader !== undefined) yield* Scope.close(reader.scope, Exit.void)
    const own = yield* Scope.fork(scope)
    // The pieces are copied before the next one is pulled.
    const pull = yield* Channel.toPullScoped(Stream.toChannel(source.read(offset, 0)), own)
    return { pull, scope: own, pieces: [], position: offset, ended: false } satisfies Reader<E, R>
  })

  /** Reads a number of bytes from the reader, or fewer if it ends. */
  const next = Effect.fnUntraced(function* (from: Reader<E, R>, bytes: number) {
    const buffer = buffers.take(bytes)
    let filled = 0
    while (filled < bytes) {
      const piece = from.pieces.shift()
      if (piece !== undefined) {
        const part = piece.subarray(0, bytes - filled)
        buffer.set(part, filled)
        filled += part.length
        if (part.length < piece.length) from.pieces.unshift(piece.subarray(part.length))
      } else if (from.ended) {
        break
      } else {
        yield* pullMore(from)
      }
    }
    return buffer.subarray(0, filled)
  })

  /** The next chunk from the reader. */
  const fill = Effect.fnUntraced(function* (from: Reader<E, R>, maxBytes: number) {
    const left = stated === undefined ? maxBytes : Math.min(maxBytes, Math.max(0, stated - from.position))
    const bytes = yield* next(from, left)
    // Only the next piece shows whether this chunk is the last.
    while (!from.ended && from.pieces.length === 0) yield* pullMore(from)
    from.position = take(from.position, [bytes])
    const last = from.ended && from.pieces.length === 0
    if (last) yield* checkEnd(from.position)
    else if (stated !== undefined && from.position === stated) yield* checkEnd(stated + 1)
    return { bytes, last }
  })

  const pullMore = (from: Reader<E, R>): Effect.Effect<void, typeof sourceFailed, R> =>
    from.pull.pipe(
      Effect.map((pieces) => {
        from.pieces.push(...pieces.filter(({ length }) => length > 0))
      }),
      Pull.catchDone(() =>
        Effect.sync(() => {
          from.ended = true
        })
      ),
      Effect.catchCause(fail)
    )

  const covers = ({ bytes, offset: start }: Window, offset: number): boolean =>
    offset >= start && offset < start + bytes.length

  const chunk = (offset: number, maxBytes: number): Effect.Effect<Chunk, typeof sourceFailed, R> =>
    Effect.gen(function* () {
      if (window === undefined || !covers(window, offset)) {
        if (reader === undefined || reader.position !== offset) reader = yield* openReader(offset)
        window = { ...(yield* fill(reader, maxBytes)), offset }
      }
      const begin = offset - window.offset
      const bytes = window.bytes.subarray(begin, begin + maxBytes)
      yield* report(offset + bytes.length)
      return { bytes, last: window.last && begin + bytes.length === window.bytes.length }
    })

  return {
    sizeBytes: () => total,
    sentBytes: () => hashed,
    canReadFrom: (offset) =>
      source.repeatable ||
      (window === undefined && reader === undefined && offset === 0) ||
      (window !== undefined && covers(window, offset)) ||
      reader?.position === offset,
    stream,
    chunk,
    taken: (heldBytes) => {
      isReleased = heldBytes !== undefined
    },
    free: () => {
      if (window !== undefined && isReleased) buffers.giveBack(window.bytes)
      window = undefined
    },
    failure: () => failure,
    digest: () => (digest ??= Digest.make(`${options.algorithm}:${hash.hex()}`))
  }
})
