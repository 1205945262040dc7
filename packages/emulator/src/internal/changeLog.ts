/**
 * The changes of a registry in a file: one line of JSON for the changes of one request.
 *
 * A line is written in one call, before the changes are applied. The write waits for the operating system and not for
 * the disk: a line survives a kill of the process, but not a loss of power. The request of a line without an end was
 * never answered, so the line is dropped.
 */
import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeSync
} from "node:fs"
import * as Schema from "effect/Schema"
import { Change } from "./changes.ts"

/** The first line of the file. */
const Header = Schema.Struct({ version: Schema.Literal(1) })

const header = JSON.stringify(Header.make({ version: 1 }))

const decodeHeader = Schema.decodeUnknownSync(Schema.fromJsonString(Header))
const decodeLine = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Change)))

const lineOf = (changes: ReadonlyArray<Change>): Buffer => Buffer.from(`${JSON.stringify(changes)}\n`)

/** The number of changes per line of a file that is written as a whole. */
const perLine = 100

/** Calls a function with each line that has an end, and returns the length of these lines in bytes. */
const forEachLine = async (file: string, onLine: (line: string, number: number) => void): Promise<number> => {
  let rest = Buffer.alloc(0)
  let number = 0
  let length = 0
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
    if (!Buffer.isBuffer(chunk)) continue
    const bytes = Buffer.concat([rest, chunk])
    let from = 0
    for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, from)) {
      number += 1
      onLine(bytes.toString("utf8", from, end), number)
      from = end + 1
    }
    length += from
    rest = bytes.subarray(from)
  }
  return length
}

/** Calls a function with the changes in a file, and returns how many there are. Removes a line without its end. */
export const replay = async (file: string, apply: (change: Change) => void): Promise<number> => {
  let changes = 0
  const length = await forEachLine(file, (line, number) => {
    try {
      if (number === 1) return decodeHeader(line)
      const decoded = decodeLine(line)
      changes += decoded.length
      return decoded.forEach(apply)
    } catch (cause) {
      throw new Error(`line ${number} of ${file} cannot be read: ${cause instanceof Error ? cause.message : ""}`, {
        cause
      })
    }
  })
  if (length === 0) throw new Error(`${file} is empty`)
  if (statSync(file).size > length) truncateSync(file, length)
  return changes
}

/** Writes all bytes at a position, or fails. Returns the position behind them. */
const writeAll = (descriptor: number, bytes: Uint8Array, position: number): number => {
  let done = 0
  while (done < bytes.length) done += writeSync(descriptor, bytes, done, bytes.length - done, position + done)
  return position + done
}

interface Opened {
  readonly descriptor: number
  /** In bytes. */
  readonly length: number
  readonly count: number
}

/** Writes a file with some changes as a whole and opens it, or fails and does not change it. */
const writeWhole = (file: string, changes: Iterable<Change>): Opened => {
  const temporary = `${file}.new`
  const descriptor = openSync(temporary, "w")
  try {
    let length = writeAll(descriptor, Buffer.from(`${header}\n`), 0)
    let count = 0
    let line: Array<Change> = []
    const flush = () => {
      if (line.length > 0) length = writeAll(descriptor, lineOf(line), length)
      count += line.length
      line = []
    }
    for (const change of changes) {
      line.push(change)
      if (line.length === perLine) flush()
    }
    flush()
    renameSync(temporary, file)
    return { descriptor, length, count }
  } catch (cause) {
    closeSync(descriptor)
    rmSync(temporary, { force: true })
    throw cause
  }
}

const openAgain = (file: string, count: number): Opened => {
  const descriptor = openSync(file, "r+")
  return { descriptor, length: fstatSync(descriptor).size, count }
}

/** Opens a file to append changes to. If it is missing, it is created with the changes of `state`. */
export const open = (file: string, state: () => Iterable<Change>, replayed: number) => {
  let { count, descriptor, length } = existsSync(file) ? openAgain(file, replayed) : writeWhole(file, state())
  let isOpen = true

  /** Whether the file still has its name. Lines that are appended to another file are lost. */
  const isThere = (): boolean => fstatSync(descriptor).nlink > 0

  return {
    /** The number of its changes. */
    count: (): number => count,

    /**
     * Appends changes, all or none. On a full disk, a line may be written without its end: the next line overwrites it,
     * and a reader drops it.
     */
    append: (changes: ReadonlyArray<Change>): void => {
      if (!isOpen) throw new Error(`${file} is closed`)
      if (!isThere()) throw new Error(`${file} was removed or replaced`)
      length = writeAll(descriptor, lineOf(changes), length)
      count += changes.length
    },

    /** Replaces the file by one with the fewest changes for the same state, unless another emulator did. */
    compact: (): boolean => {
      if (!isOpen || !isThere()) return false
      const written = writeWhole(file, state())
      closeSync(descriptor)
      ;({ count, descriptor, length } = written)
      return true
    },

    close: (): void => {
      if (isOpen) closeSync(descriptor)
      isOpen = false
    }
  }
}
