/**
 * The operations of the service on blobs, as uploads and downloads.
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
import { NotFound, RegistryError, TooLarge } from "../../RegistryError.ts"
import type { RepositoryName } from "../../RepositoryName.ts"
import type * as Transport from "../../Transport.ts"
import * as Absent from "../api/absent.ts"
import * as Arguments from "../api/arguments.ts"
import * as Distribution from "../api/distribution.ts"
import { isOfStorage, orByGet } from "../api/shortcut.ts"
import { attributesOf, completeSpan, serverAt } from "../http/telemetry.ts"
import * as Buffers from "../transfer/buffers.ts"
import * as Conversation from "../transfer/conversation.ts"
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

/** A blob, from the arguments that name it. */
interface Wanted {
  readonly name: RepositoryName
  readonly digest: Digest.Digest
  readonly size: number | undefined
}

/** How a blob is read. */
interface ReadOptions {
  /**
   * How many bytes the reader may still use when it pulls again, as in `BlobSource`; any if undefined.
   */
  readonly heldBytes?: number | undefined
  /** Whether the content is compared with the digest. Defaults to `true`. */
  readonly isVerified?: boolean
}

/** A source that must have the size of a blob. Fails if it states another one. */
const heldTo = Effect.fnUntraced(function* <E, R>(
  operation: string,
  size: number,
  source: BlobSource<E, R>
): Effect.fn.Return<BlobSource<E, R>, RegistryError | E, R> {
  const stated = yield* source.sizeBytes
  if (stated === undefined || stated === size) return { ...source, sizeBytes: Effect.succeed(size) }
  const reason = Mismatch.ofSize("the source has another size than the blob", size, `${stated} bytes`)
  return yield* new RegistryError({ operation, reason })
})

export const make = (
  transport: Transport.Service,
  options: {
    readonly startHash: Start
    readonly idleTimeout: Duration.Duration
  }
) => {
  const { idleTimeout, startHash } = options
  const buffers = Buffers.make()
  const dialect: Upload.Dialect = { refusals: 0 }
  const repositoryName = Arguments.repositoryAt(transport.endpoint)
  const within = Conversation.make(transport)
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
    rest: Pick<Download.Download, "from" | "to" | "hash" | "heldBytes" | "onProgress">
  ): Stream.Stream<Uint8Array, RegistryError> =>
    Download.run(within(operation), { repository: name, digest, size, ...rest, idleTimeout })

  const readWhole = (
    operation: string,
    repository: string,
    blob: Blob,
    { heldBytes, isVerified = true, onProgress }: DownloadBlobOptions & ReadOptions = {}
  ): Stream.Stream<Uint8Array, RegistryError> =>
    Stream.unwrap(
      Effect.map(wantedBy(operation, repository, blob), (wanted) =>
        read(operation, wanted, {
          from: 0,
          to: undefined,
          hash: isVerified ? startHash(Digest.algorithm(wanted.digest)) : undefined,
          heldBytes,
          onProgress
        })
      )
    )

  const readRange = (
    operation: string,
    repository: string,
    blob: Blob,
    { heldBytes, length, offset }: { readonly offset: number; readonly length: number } & Pick<ReadOptions, "heldBytes">
  ): Stream.Stream<Uint8Array, RegistryError> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const wanted = yield* wantedBy(operation, repository, blob)
        const from = yield* Arguments.natural(operation, offset, "offset")
        const to = from + (yield* Arguments.positive(operation, length, "length"))
        return read(operation, wanted, { from, to, hash: undefined, heldBytes, onProgress: undefined })
      })
    )

  const blob = (repository: string, blob: Blob, options?: DownloadBlobOptions) =>
    readWhole("RegistryContent.blob", repository, blob, options)

  const blobRange = (repository: string, blob: Blob, range: { readonly offset: number; readonly length: number }) =>
    readRange("RegistryContent.blobRange", repository, blob, range)

  const blobSource = (repository: string, wanted: Pick<Descriptor, "digest" | "size">): BlobSource<RegistryError> => {
    const operation = "RegistryContent.blobSource"
    const readFrom = (isVerified: boolean) => (offset: number, heldBytes?: number) => {
      // Without a range, which some registries do not support.
      if (offset === 0) return readWhole(operation, repository, wanted, { heldBytes, isVerified })
      const length = wanted.size - offset
      return length > 0 ? readRange(operation, repository, wanted, { heldBytes, offset, length }) : Stream.empty
    }
    return {
      sizeBytes: Effect.succeed(wanted.size),
      read: readFrom(true),
      repeatable: true,
      unverified: { read: readFrom(false) }
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
      // Each piece is written before the next one is pulled.
      read: (from, hash) => read(operation, wanted, { from, to: undefined, hash, heldBytes: 0, onProgress })
    })
  }, asLookUp)

  /** The size of an existing blob, if a HEAD does not state it: from a GET, or by counting. */
  const measure = Effect.fnUntraced(function* (
    operation: string,
    wanted: Pick<Wanted, "digest" | "name">
  ): Effect.fn.Return<number, RegistryError> {
    const { digest, name } = wanted
    const stated = yield* Download.statedSize(within(operation), { repository: name, digest })
    if (stated !== undefined) return stated
    const whole = {
      from: 0,
      to: undefined,
      hash: startHash(Digest.algorithm(digest)),
      heldBytes: 0,
      onProgress: undefined
    }
    return yield* Stream.runFold(
      read(operation, { ...wanted, size: undefined }, whole),
      () => 0,
      (size, piece) => size + piece.length
    )
  })

  /** The size of a blob in a repository. */
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

  /** Ensures that a repository has the content of a source, and sends it only if necessary. */
  const ensure = Effect.fnUntraced(function* <E, R>(
    operation: string,
    name: RepositoryName,
    source: BlobSource<E, R>,
    options: PutBlobOptions & Pick<UploadBlobOptions, "algorithm" | "digest"> & { readonly size?: number }
  ): Effect.fn.Return<Upload.Uploaded, RegistryError | E, R> {
    const { mountFrom, onProgress, size } = options
    const { chunkSize = defaultChunkSize }: { readonly chunkSize?: ByteSize.Input } = options
    const expected = options.digest === undefined ? undefined : yield* Arguments.digest(operation, options.digest)
    const from = mountFrom === undefined ? undefined : yield* repositoryName(operation, mountFrom, "mountFrom")
    const chunkBytes = yield* Arguments.chunkSize(operation, chunkSize)
    yield* Effect.annotateCurrentSpan(attributesOf({ repository: name, digest: expected }))

    const conversation = within(operation)
    const found = expected === undefined ? Option.none() : yield* Upload.find(conversation, name, expected)
    if (Option.isSome(found)) {
      const wanted = found.value.size === undefined ? undefined : (size ?? (yield* source.sizeBytes))
      // An answer with another size is not about this blob.
      if (wanted === undefined || wanted === found.value.size) return found.value
    }
    const sized = size === undefined ? source : yield* heldTo(operation, size, source)
    return yield* Upload.run(
      { transport: conversation, startHash, buffers, dialect },
      {
        repository: name,
        // The upload hashes the content, so the download need not.
        source: expected === undefined ? sized : { ...sized, ...sized.unverified },
        expected,
        algorithm: options.algorithm ?? "sha256",
        mount: expected === undefined || from === undefined ? undefined : { digest: expected, from },
        chunkBytes,
        idleTimeout,
        onProgress
      }
    )
  })

  const upload = Effect.fnUntraced(function* <E, R>(
    repository: string,
    source: BlobSource<E, R>,
    options: UploadBlobOptions
  ): Effect.fn.Return<Descriptor, RegistryError | E, R> {
    const operation = "RegistryContent.uploadBlob"
    const name = yield* repositoryName(operation, repository)
    const mediaType = yield* Arguments.mediaType(operation, options.mediaType ?? octetStream)
    const { digest, outcome, size: known } = yield* ensure(operation, name, source, options)
    const ask = outcome === "present" ? measure : sizeOf
    const size = known ?? (yield* ask(operation, { name, digest }))
    yield* Effect.annotateCurrentSpan({ "registry.digest": digest, "registry.size": size })
    return { mediaType, digest, size }
  })

  const uploadBlob = Effect.fn("RegistryContent.uploadBlob")(function* <E, R>(
    repository: string,
    source: BlobSource<E, R>,
    options: UploadBlobOptions = {}
  ): Effect.fn.Return<Descriptor, RegistryError | E, R> {
    return yield* asChange(upload(repository, source, options))
  })

  const put = Effect.fnUntraced(function* <E, R>(
    repository: string,
    { digest, size }: Pick<Descriptor, "digest" | "size">,
    source: BlobSource<E, R>,
    options: PutBlobOptions
  ): Effect.fn.Return<BlobOutcome, RegistryError | E, R> {
    const operation = "RegistryContent.putBlob"
    const name = yield* repositoryName(operation, repository)
    yield* Arguments.natural(operation, size, "blob.size")
    const { outcome } = yield* ensure(operation, name, source, { ...options, digest, size })
    yield* Effect.annotateCurrentSpan("registry.size", size)
    return outcome
  })

  const putBlob = Effect.fn("RegistryContent.putBlob")(function* <E, R>(
    repository: string,
    blob: Pick<Descriptor, "digest" | "size">,
    source: BlobSource<E, R>,
    options: PutBlobOptions = {}
  ): Effect.fn.Return<BlobOutcome, RegistryError | E, R> {
    return yield* asChange(put(repository, blob, source, options))
  })

  const mountBlob = Effect.fn("RegistryContent.mountBlob")(function* (
    repository: string,
    blob: { readonly digest: string; readonly from: string }
  ): Effect.fn.Return<void, RegistryError> {
    const operation = "RegistryContent.mountBlob"
    const { digest, name } = yield* wantedBy(operation, repository, blob.digest, "digest")
    const from = yield* repositoryName(operation, blob.from, "from")
    yield* Effect.annotateCurrentSpan(attributesOf({ repository: name, digest }))
    if (yield* Upload.mount(within(operation), name, { digest, from })) return
    const description =
      "the registry did not mount the blob: it does not exist, may not be read, or the registry does not mount"
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
