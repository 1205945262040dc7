/**
 * An archive in an uncompressed file: its headers are read once, and content is read by position.
 */
import * as Arr from "effect/Array"
import * as ByteSize from "effect/ByteSize"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import type * as FileSystem from "effect/FileSystem"
import { constTrue } from "effect/Function"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type { ArchiveError } from "../../ArchiveError.ts"
import { contentAt, type Entries, invalid, makeCounter, type Named, note, ofFile, ofTar, resolve } from "./entries.ts"

const blockBytes = 512

/** A header has one block, or a few. */
const windowBytes = 16 * blockBytes

/** The position and size of the content of a file, in bytes. */
interface Place {
  readonly position: number
  readonly size: number
}

/** The blocks of a file from a position, and the number of those that were read. */
const blocksFrom = (file: FileSystem.File, position: number) => {
  let window = new Uint8Array(0)
  let at = position
  const fill: Effect.Effect<void, PlatformError> = Effect.suspend(() => {
    const buffer = new Uint8Array(windowBytes)
    return Effect.map(file.read(buffer, { position: BigInt(at) }), (length) => {
      window = buffer.subarray(0, length)
    })
  })
  /** The next block, which is shorter at the end of the file. */
  const next = Effect.gen(function* () {
    if (window.length < blockBytes) yield* fill
    const block = window.subarray(0, blockBytes)
    window = window.subarray(block.length)
    at += block.length
    return block
  })
  return { next, position: () => at }
}

const isZero = (block: Uint8Array): boolean => block.every((byte) => byte === 0)

/** The header at a position, and the position of its content; none at the end of the archive. */
const headerAt = (file: FileSystem.File, start: number) =>
  Effect.gen(function* () {
    const blocks = blocksFrom(file, start)
    const first = yield* blocks.next
    if (first.length === 0 || isZero(first)) return Option.none()
    let pending: Uint8Array | undefined = first
    // Block by block, so that no content is read, however many blocks the header has.
    const pull = Effect.gen(function* () {
      const block: Uint8Array = pending ?? (yield* blocks.next)
      pending = undefined
      return block.length === 0 ? yield* Cause.done() : Arr.of(block)
    })
    const entries = Stream.pipeThroughChannelOrFail(Stream.fromPull(Effect.succeed(pull)), Tar.decode())
    const entry = yield* Stream.runHead(entries)
    return Option.map(entry, ({ header }) => ({ header, position: blocks.position() }))
  })

/** Reads the headers of an archive, without the content. */
export const make = (
  files: FileSystem.FileSystem,
  file: FileSystem.File,
  archive: string
): Effect.Effect<Entries<never>, ArchiveError> =>
  Effect.gen(function* () {
    const end = Number(ByteSize.toBigInt((yield* Effect.mapError(file.stat, ofFile(archive))).size))
    const names = new Map<string, Named<Place>>()
    const count = makeCounter(archive)
    let position = 0
    while (position < end) {
      const found = yield* Effect.mapError(headerAt(file, position), (error) =>
        Tar.isTarError(error) ? ofTar(archive, position)(error) : ofFile(archive)(error)
      )
      if (Option.isNone(found)) break
      const { header, position: start } = found.value
      if (start + header.size > end) {
        return yield* invalid(archive, `the archive is cut off: it ends within ${header.path}`)
      }
      note(names, header, { position: start, size: header.size })
      yield* count(names.size, header)
      position = start + Math.ceil(header.size / blockBytes) * blockBytes
    }
    const find = (name: string) => resolve(archive, name, (next) => Effect.succeed(names.get(next)))
    return {
      size: (name) =>
        Effect.map(
          find(name),
          Option.map(({ size }) => size)
        ),
      open: (name) =>
        Effect.map(
          find(name),
          Option.map(({ position, size }) => contentAt(files, archive, archive, { offset: position, size }))
        ),
      isRepeatable: constTrue,
      keepAll: Effect.void
    }
  })
