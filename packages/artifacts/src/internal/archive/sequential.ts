/**
 * An archive from a stream: from a pipe, or decompressed while it is read.
 *
 * It is read only as far as needed. A large file that is requested when it arrives is passed on directly. Files that arrive
 * before they are requested are kept: small ones in memory, others in a temporary file.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as ByteSize from "effect/ByteSize"
import * as Bytes from "effect/Bytes"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Tar from "effect/encoding/Tar"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as FileSystem from "effect/FileSystem"
import { constFalse } from "effect/Function"
import * as Option from "effect/Option"
import { PlatformError } from "effect/PlatformError"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { AlreadyRead, type ArchiveError } from "../../ArchiveError.ts"
import {
  contentAt,
  type Content,
  type Entries,
  failure,
  invalid,
  makeCounter,
  type Named,
  note,
  ofFile,
  ofTar,
  resolve
} from "./entries.ts"
import { clean } from "../entryNames.ts"

/** Manifests and configurations are kept in memory. */
const smallBytes = 4 * 1024 * 1024

/** The limit of all files in memory together. */
const mostMemoryBytes = 64 * 1024 * 1024

/** More than any image. */
const defaultMaxBytes = ByteSize.gibibytes(64)

/** Where the content of a file is. */
type Where<E> =
  /** It comes next in the stream. */
  | { readonly _tag: "Next"; readonly body: Stream.Stream<Uint8Array, E | Tar.TarError> }
  | { readonly _tag: "Memory"; readonly bytes: Uint8Array }
  | { readonly _tag: "Spool"; readonly content: Content<never> }
  /** It was passed on. */
  | { readonly _tag: "Gone" }

interface Held<E> {
  readonly size: number
  where: Where<E>
}

/** A temporary file, created on first use. */
const makeSpool = (files: FileSystem.FileSystem, scope: Scope.Scope, archive: string, maxBytes: number) => {
  let opened: { readonly path: string; readonly file: FileSystem.File } | undefined
  let end = 0
  const open = Effect.gen(function* () {
    if (opened !== undefined) return opened
    const path = yield* files.makeTempFileScoped({ prefix: "effect-acr-archive-" })
    opened = { path, file: yield* files.open(path, { flag: "w" }) }
    return opened
  }).pipe(Effect.provideService(Scope.Scope, scope))

  /** Appends content of a known size, and returns its place in the file. */
  const append = <E>(
    content: Stream.Stream<Uint8Array, E>,
    size: number
  ): Effect.Effect<Content<never>, E | ArchiveError | PlatformError> =>
    Effect.gen(function* () {
      if (end + size > maxBytes) {
        return yield* invalid(archive, `more than ${maxBytes} bytes of the archive would have to be kept (maxBytes)`)
      }
      const { file, path } = yield* open
      const offset = end
      yield* Stream.runForEach(content, (piece) =>
        Effect.map(file.writeAll(piece), () => {
          end += piece.length
        })
      )
      return contentAt(files, archive, path, { offset, size: end - offset })
    })

  return { append }
}

/** Reads an archive forwards, only as far as needed. */
export const make = <E, R>(
  files: FileSystem.FileSystem,
  tar: Stream.Stream<Uint8Array, E, R>,
  archive: string,
  maxBytes: ByteSize.Input = defaultMaxBytes
): Effect.Effect<Entries<E>, never, R | Scope.Scope> =>
  Effect.gen(function* () {
    type Failure = E | ArchiveError

    const services = yield* Effect.context<R>()
    const scope = yield* Effect.scope
    const spool = makeSpool(files, scope, archive, Number(ByteSize.toBigInt(ByteSize.fromInputUnsafe(maxBytes))))
    const decoded = Stream.pipeThroughChannel(Stream.provideContext(tar, services), Tar.decode<E, unknown>())
    const pull = yield* Stream.toPull(decoded)
    const oneAtATime = Semaphore.makeUnsafe(1)
    const names = new Map<string, Named<Held<E>>>()
    const count = makeCounter(archive)
    let last: Held<E> | undefined
    let memoryBytes = 0
    /** How the stream ended. */
    let ended: Exit.Exit<void, Failure> | undefined

    const toFailure = (error: E | Tar.TarError): Failure => (Tar.isTarError(error) ? ofTar(archive)(error) : error)

    /** Keeps content that was not passed on, before the stream continues. */
    const keep = (held: Held<E>): Effect.Effect<void, Failure> =>
      Effect.gen(function* () {
        if (held.where._tag !== "Next") return
        const body = Stream.mapError(held.where.body, toFailure)
        if (held.size <= smallBytes && memoryBytes + held.size <= mostMemoryBytes) {
          memoryBytes += held.size
          held.where = { _tag: "Memory", bytes: Bytes.concat(yield* Stream.runCollect(body)) }
          return
        }
        const content = yield* spool
          .append(body, held.size)
          .pipe(Effect.mapError((error) => (error instanceof PlatformError ? ofFile(archive)(error) : error)))
        held.where = { _tag: "Spool", content }
      })

    /** Reads the next header. */
    const advance: Effect.Effect<void, Failure> = Effect.gen(function* () {
      if (last !== undefined) yield* keep(last)
      last = undefined
      const next = yield* pull.pipe(
        Effect.asSome,
        Effect.catchIf(Cause.isDone, () => Effect.succeedNone),
        Effect.mapError(toFailure)
      )
      if (Option.isNone(next)) {
        ended = Exit.void
        return
      }
      const [{ body, header }] = next.value
      const held: Held<E> = { size: header.size, where: { _tag: "Next", body } }
      note(names, header, held)
      yield* count(names.size, header)
      // Small files may be requested more than once.
      if (held.size <= smallBytes) yield* keep(held)
      else last = held
    }).pipe(
      Effect.tapError((error) =>
        Effect.sync(() => {
          ended = Exit.fail(error)
        })
      )
    )

    /** The shared read of the next header. If one reader is interrupted meanwhile, the others continue with it, and with what it keeps. */
    let advancing: Fiber.Fiber<void, Failure> | undefined

    /** Reads until the requested file is found, or until the end. */
    const advanceUntil = (isFound: () => boolean): Effect.Effect<void, Failure> =>
      Effect.gen(function* () {
        if (advancing !== undefined) yield* Fiber.await(advancing)
        while (!isFound()) {
          if (ended !== undefined) return yield* ended
          advancing = yield* Effect.forkIn(advance, scope, { startImmediately: true })
          yield* Fiber.join(advancing)
        }
      })

    const find = (name: string): Effect.Effect<Option.Option<Held<E>>, Failure> =>
      resolve(archive, name, (next) =>
        Effect.map(
          advanceUntil(() => names.has(next)),
          () => names.get(next)
        )
      )

    /** A file that was found before and is kept. */
    const kept = (name: string): Option.Option<Held<E>> => {
      const named = names.get(clean(name))
      return named?._tag === "File" && named.file.where._tag !== "Next" ? Option.some(named.file) : Option.none()
    }

    const readBody = (
      { where }: Held<E>,
      name: string,
      offset: number,
      heldBytes: number | undefined
    ): Stream.Stream<Uint8Array, Failure> => {
      switch (where._tag) {
        case "Next":
          return Stream.mapError(BlobSource.fromStream(where.body).read(offset), toFailure)
        case "Memory":
          return Stream.make(where.bytes.subarray(offset))
        case "Spool":
          return where.content.read(offset, heldBytes)
        case "Gone": {
          const how = "an archive in a file that is not compressed can be read more than once"
          const description = `${name} was read once already, and is not kept: ${how}`
          return Stream.fail(failure(archive)(new AlreadyRead({ description })))
        }
      }
    }

    const contentOf = (file: Held<E>, name: string): Content<E> => ({
      size: file.size,
      read: (offset, heldBytes) =>
        Stream.suspend(() => {
          const body = readBody(file, name, offset, heldBytes)
          if (file.where._tag === "Next") file.where = { _tag: "Gone" }
          return body
        })
    })

    return {
      size: (name) =>
        Effect.suspend(() => {
          const own = kept(name)
          const found = Option.isSome(own) ? Effect.succeed(own) : oneAtATime.withPermit(find(name))
          return Effect.map(
            found,
            Option.map(({ size }) => size)
          )
        }),
      open: (name) =>
        Effect.gen(function* () {
          const own = kept(name)
          // Between header and content, no other file may be looked up.
          if (Option.isNone(own)) yield* oneAtATime.takeScoped(1)
          const found = Option.isSome(own) ? own : yield* find(name)
          return Option.map(found, (file) => contentOf(file, name))
        }),
      isRepeatable: (name) => Option.exists(kept(name), ({ where }) => where._tag !== "Gone"),
      keepAll: oneAtATime.withPermit(advanceUntil(constFalse))
    }
  })
