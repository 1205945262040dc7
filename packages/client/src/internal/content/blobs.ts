/**
 * Blobs: what the operations of the service come to in uploads and downloads.
 */
import * as Bytes from "effect/Bytes"
import * as ByteSize from "effect/ByteSize"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as PlatformError from "effect/PlatformError"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { BlobSource } from "../../BlobSource.ts"
import type { Descriptor } from "../../Descriptor.ts"
import * as Digest from "../../Digest.ts"
import type { Start } from "../../Hasher.ts"
import { octetStream } from "../../MediaType.ts"
import { isRegistryError, NotFound, RegistryError, TooLarge } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import type * as Transport from "../../Transport.ts"
import * as Absent from "../api/absent.ts"
import * as Arguments from "../api/arguments.ts"
import * as Distribution from "../api/distribution.ts"
import { isOfStorage, orByGet } from "../api/shortcut.ts"
import { named } from "../http/named.ts"
import { attributesOf, completeSpan, serverAt, showFailure } from "../http/telemetry.ts"
import { within } from "../transfer/conversation.ts"
import * as Download from "../transfer/download.ts"
import * as File from "../transfer/file.ts"
import * as Mismatch from "../transfer/mismatch.ts"
import type {
  Blob,
  BlobOutcome,
  DownloadBlobOptions,
  DownloadFileOptions,
  PutBlobOptions,
  UploadBlobOptions
} from "../transfer/options.ts"
import * as Upload from "../transfer/upload.ts"

const defaultChunkSize = ByteSize.mebibytes(8)
const defaultMaxSize = ByteSize.mebibytes(16)

/** A blob as its arguments name it. */
interface Wanted {
  readonly name: RepositoryName
  readonly digest: Digest.Digest
  readonly size: number | undefined
}

/** Names the operation in the upload's own errors. Those of the source are its own. */
const ofUpload =
  (operation: string) =>
  <E>(error: E): E | RegistryError =>
    isRegistryError(error) && error.operation === "RegistryContent.uploadBlob" ? named(operation)(error) : error

export const make = (
  transport: Transport.Service,
  options: {
    readonly startHash: Start
    readonly idleTimeout: Duration.Duration
  }
) => {
  const { idleTimeout, startHash } = options
  const repositoryName = Arguments.repositoryAt(transport.endpoint)
  const placing = Semaphore.makeUnsafe(1)
  const server = serverAt(new URL(transport.endpoint))
  const asLookUp = completeSpan(server, true)
  const asChange = completeSpan(server, false)

  const wantedBy = Effect.fnUntraced(function* (
    operation: string,
    repository: string,
    blob: Blob,
    argument = "blob"
  ): Effect.fn.Return<Wanted, RegistryError> {
    const name = yield* repositoryName(operation, repository)
    return typeof blob === "string"
      ? { name, digest: yield* Arguments.digest(operation, blob, argument), size: undefined }
      : { name, digest: blob.digest, size: blob.size }
  })

  const read = (
    operation: string,
    { digest, name, size }: Wanted,
    rest: Pick<Download.Download, "from" | "to" | "hash" | "onProgress">
  ): Stream.Stream<Uint8Array, RegistryError> =>
    Download.run(within(transport, operation), { repository: name, digest, size, ...rest, idleTimeout }).pipe(
      Stream.mapError(named(operation)),
      Stream.tapCause((cause) => showFailure(true)(cause)),
      Stream.withSpan("RegistryContent.blob", {
        attributes: { ...server, ...attributesOf({ repository: name, digest }) }
      })
    )

  const readWhole = (
    operation: string,
    repository: string,
    blob: Blob,
    { onProgress }: DownloadBlobOptions = {}
  ): Stream.Stream<Uint8Array, RegistryError> =>
    Stream.unwrap(
      Effect.map(wantedBy(operation, repository, blob), (wanted) =>
        read(operation, wanted, {
          from: 0,
          to: undefined,
          hash: startHash(Digest.algorithm(wanted.digest)),
          onProgress
        })
      )
    )

  const readRange = (
    operation: string,
    repository: string,
    blob: Blob,
    { length, offset }: { readonly offset: number; readonly length: number }
  ): Stream.Stream<Uint8Array, RegistryError> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const wanted = yield* wantedBy(operation, repository, blob)
        const from = yield* Arguments.natural(operation, offset, "offset")
        const to = from + (yield* Arguments.positive(operation, length, "length"))
        return read(operation, wanted, { from, to, hash: undefined, onProgress: undefined })
      })
    )

  const blob = (repository: string, blob: Blob, options?: DownloadBlobOptions) =>
    readWhole("RegistryContent.blob", repository, blob, options)

  const blobRange = (repository: string, blob: Blob, range: { readonly offset: number; readonly length: number }) =>
    readRange("RegistryContent.blobRange", repository, blob, range)

  const blobSource = (repository: string, wanted: Pick<Descriptor, "digest" | "size">): BlobSource<RegistryError> => {
    const operation = "RegistryContent.blobSource"
    const rest = (offset: number) => {
      const length = wanted.size - offset
      return length > 0 ? readRange(operation, repository, wanted, { offset, length }) : Stream.empty
    }
    return {
      sizeBytes: Effect.succeed(wanted.size),
      read: (offset) => (offset === 0 ? readWhole(operation, repository, wanted) : rest(offset)),
      repeatable: true,
      unverified: { read: rest }
    }
  }

  const blobBytes = Effect.fn("RegistryContent.blobBytes")(function* (
    repository: string,
    wanted: Blob,
    { maxSize = defaultMaxSize, ...options }: DownloadBlobOptions & { readonly maxSize?: ByteSize.Input } = {}
  ): Effect.fn.Return<Uint8Array, RegistryError> {
    const operation = "RegistryContent.blobBytes"
    const limitBytes = yield* Arguments.byteSize(operation, maxSize, "maxSize")
    const tooLarge = new RegistryError({ operation, reason: new TooLarge({ description: "the blob", limitBytes }) })
    const digest = typeof wanted === "string" ? wanted : wanted.digest
    yield* Effect.annotateCurrentSpan(attributesOf({ repository, digest }))
    if (typeof wanted !== "string" && wanted.size > limitBytes) return yield* tooLarge
    const pieces: Array<Uint8Array> = []
    let size = 0
    yield* Stream.runForEachArray(readWhole(operation, repository, wanted, options), (more) => {
      for (const piece of more) {
        pieces.push(piece)
        size += piece.length
      }
      return size > limitBytes ? tooLarge : Effect.void
    })
    return Bytes.concat(pieces)
  }, asLookUp)

  const downloadBlob = Effect.fn("RegistryContent.downloadBlob")(function* (
    repository: string,
    blob: Blob,
    path: string,
    { onProgress, resumable = false }: DownloadFileOptions = {}
  ): Effect.fn.Return<void, RegistryError | PlatformError.PlatformError, FileSystem.FileSystem> {
    const operation = "RegistryContent.downloadBlob"
    const wanted = yield* wantedBy(operation, repository, blob)
    yield* Effect.annotateCurrentSpan(attributesOf({ repository, digest: wanted.digest }))
    yield* File.download({
      path,
      digest: wanted.digest,
      size: wanted.size,
      startHash,
      resumable,
      placing,
      read: (from, hash) => read(operation, wanted, { from, to: undefined, hash, onProgress })
    })
  }, asLookUp)

  /** The size of a blob that is there, where a HEAD does not tell it: from a GET, or by counting. */
  const measure = Effect.fnUntraced(function* (
    operation: string,
    wanted: Pick<Wanted, "digest" | "name">
  ): Effect.fn.Return<number, RegistryError> {
    const { digest, name } = wanted
    const stated = yield* Download.statedSize(within(transport, operation), { repository: name, digest })
    if (stated !== undefined) return stated
    const whole = {
      from: 0,
      to: undefined,
      hash: startHash(Digest.algorithm(digest)),
      onProgress: undefined
    }
    return yield* Stream.runFold(
      read(operation, { ...wanted, size: undefined }, whole),
      () => 0,
      (size, piece) => size + piece.length
    )
  })

  /** The size of a blob that a repository holds. */
  const sizeOf = (operation: string, wanted: Pick<Wanted, "digest" | "name">): Effect.Effect<number, RegistryError> =>
    orByGet(
      Effect.catchIf(
        transport.execute(Distribution.headBlob(operation, wanted.name, wanted.digest)),
        isOfStorage(transport.endpoint),
        () => Effect.undefined
      ),
      Effect.undefined
    ).pipe(Effect.filterOrElse(Predicate.isNotUndefined, () => measure(operation, wanted)))

  const headBlob = Effect.fnUntraced(function* (
    repository: string,
    blob: string
  ): Effect.fn.Return<Descriptor, RegistryError> {
    const operation = "RegistryContent.headBlob"
    const { digest, name } = yield* wantedBy(operation, repository, blob, "digest")
    return { mediaType: octetStream, digest, size: yield* sizeOf(operation, { name, digest }) }
  })

  const upload = Effect.fnUntraced(function* <E, R>(
    operation: string,
    repository: string,
    content: BlobSource<E, R>,
    options: UploadBlobOptions
  ): Effect.fn.Return<{ readonly descriptor: Descriptor; readonly outcome: BlobOutcome }, RegistryError | E, R> {
    const { mountFrom, onProgress } = options
    const { chunkSize = defaultChunkSize }: { readonly chunkSize?: ByteSize.Input } = options
    const name = yield* repositoryName(operation, repository)
    const mediaType = yield* Arguments.mediaType(operation, options.mediaType ?? octetStream)
    const expected = options.digest === undefined ? undefined : yield* Arguments.digest(operation, options.digest)
    const from = mountFrom === undefined ? undefined : yield* repositoryName(operation, mountFrom, "mountFrom")

    // Content that is hashed on its way out need not be hashed on its way in.
    const source = expected === undefined ? content : { ...content, ...content.unverified }

    yield* Effect.annotateCurrentSpan(attributesOf({ repository: name, digest: expected }))
    const conversation = within(transport, operation)
    const sending = Upload.run(
      { transport: conversation, startHash },
      {
        repository: name,
        source,
        expected,
        algorithm: options.algorithm ?? "sha256",
        mount: expected === undefined || from === undefined ? undefined : { digest: expected, from },
        chunkBytes: yield* Arguments.chunkSize(operation, chunkSize),
        idleTimeout,
        onProgress
      }
    )
    const found = expected === undefined ? Option.none() : yield* Upload.find(conversation, name, expected)
    // What has another size is another's answer, not this blob.
    const wanted = Option.isSome(found) && found.value.size !== undefined ? yield* source.sizeBytes : undefined
    const there = Option.filter(found, ({ size }) => size === undefined || wanted === undefined || size === wanted)
    const { digest, outcome, size } = Option.isSome(there) ? there.value : yield* sending
    const ask = Option.isSome(there) ? measure : sizeOf
    const descriptor = { mediaType, digest, size: size ?? (yield* ask(operation, { name, digest })) }
    yield* Effect.annotateCurrentSpan({ "registry.digest": digest, "registry.size": descriptor.size })
    return { descriptor, outcome }
  })

  const uploadBlob = Effect.fn("RegistryContent.uploadBlob")(function* <E, R>(
    repository: string,
    source: BlobSource<E, R>,
    options: UploadBlobOptions = {}
  ): Effect.fn.Return<Descriptor, RegistryError | E, R> {
    const uploaded = yield* asChange(upload("RegistryContent.uploadBlob", repository, source, options))
    return uploaded.descriptor
  })

  const putBlob = Effect.fn("RegistryContent.putBlob")(function* <E, R>(
    repository: string,
    blob: Pick<Descriptor, "digest" | "size">,
    source: BlobSource<E, R>,
    options: PutBlobOptions = {}
  ): Effect.fn.Return<BlobOutcome, RegistryError | E, R> {
    const operation = "RegistryContent.putBlob"
    const stated = yield* source.sizeBytes
    if (stated !== undefined && stated !== blob.size) {
      const reason = Mismatch.ofSize("the source has another size than the blob", blob.size, `${stated} bytes`)
      return yield* new RegistryError({ operation, reason })
    }
    const sized = { ...source, sizeBytes: Effect.succeed(blob.size) }
    const { outcome } = yield* asChange(
      Effect.mapError(upload(operation, repository, sized, { ...options, digest: blob.digest }), ofUpload(operation))
    )
    return outcome
  })

  const mountBlob = Effect.fn("RegistryContent.mountBlob")(function* (
    repository: string,
    blob: { readonly digest: string; readonly from: string }
  ): Effect.fn.Return<void, RegistryError> {
    const operation = "RegistryContent.mountBlob"
    const { digest, name } = yield* wantedBy(operation, repository, blob.digest, "digest")
    const from = yield* repositoryName(operation, blob.from, "from")
    yield* Effect.annotateCurrentSpan(attributesOf({ repository: name, digest }))
    if (yield* Upload.mount(within(transport, operation), name, { digest, from })) return
    const description =
      "the registry did not take the blob over: it is not there, may not be read, or the registry does not mount"
    return yield* new RegistryError({ operation, reason: new NotFound({ resource: "blob", description }) })
  }, asChange)

  const deleteBlob = Effect.fnUntraced(function* (
    repository: string,
    blob: string
  ): Effect.fn.Return<void, RegistryError> {
    const { digest, name } = yield* wantedBy("RegistryContent.deleteBlob", repository, blob, "digest")
    yield* transport.execute(Absent.refusingPortals(Distribution.deleteBlob(name, digest)))
  })

  return { headBlob, blob, blobRange, blobSource, blobBytes, downloadBlob, uploadBlob, putBlob, mountBlob, deleteBlob }
}
