/**
 * The blobs of a layout: files that are named by the digests of their content.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Content from "@effect-acr/client/Content"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as MediaType from "@effect-acr/client/MediaType"
import type { BlobOutcome } from "@effect-acr/client/RegistryContent"
import * as ByteSize from "effect/ByteSize"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type { Pointer } from "../../ContentStore.ts"
import { ContentDiffers, ContentMissing, FileFailed, LayoutError, type Reason } from "../../LayoutError.ts"
import * as Contents from "../contents.ts"
import { ofSource, OfSource } from "../sides.ts"
import * as Disk from "./disk.ts"

/** Whether an error says that content does not match its digest. */
export const isDamage = ({ reason }: LayoutError): boolean => reason._tag === "ContentDiffers"

export const make = (
  files: FileSystem.FileSystem,
  path: Path.Path,
  folder: string,
  disk: ReturnType<typeof Disk.make>,
  startHash: Hasher.Start
) => {
  const failure = (reason: Reason) => new LayoutError({ folder, reason })

  const ofFile = (cause: PlatformError) => failure(new FileFailed({ description: cause.message, cause }))

  const pathOf = (digest: Digest.Digest): string =>
    path.join(folder, "blobs", Digest.algorithm(digest), Digest.hex(digest))

  /** The size of a file in bytes; none if it does not exist. A pipe or a device, which would never end, does not count. */
  const sizeAt = (file: string): Effect.Effect<Option.Option<number>, LayoutError> =>
    files.stat(file).pipe(
      Effect.map(({ size, type }) =>
        type === "File" ? Option.some(Number(ByteSize.toBigInt(size))) : Option.none<number>()
      ),
      Effect.catchIf(Disk.isAbsent, () => Effect.succeedNone),
      Effect.mapError(ofFile)
    )

  const sizeOf = (digest: Digest.Digest) => sizeAt(pathOf(digest))

  const differs = ({ digest }: Pick<Pointer, "digest">, what: string) =>
    failure(new ContentDiffers({ digest, description: `${digest}${what}` }))

  const missing = (digest: Digest.Digest) =>
    failure(new ContentMissing({ digest, description: `${digest} is missing: there is no file ${pathOf(digest)}` }))

  const readFrom = (
    { digest }: Pick<Pointer, "digest">,
    offset: number,
    heldBytes?: number
  ): Stream.Stream<Uint8Array, LayoutError> =>
    Stream.unwrap(
      Effect.map(sizeOf(digest), (size) =>
        Option.isNone(size)
          ? Stream.fail(missing(digest))
          : BlobSource.fromFile(pathOf(digest), { offset: 0, size: size.value })
              .read(offset, heldBytes)
              .pipe(
                Stream.provideService(FileSystem.FileSystem, files),
                Stream.mapError((error) => (Disk.isAbsent(error) ? missing(digest) : ofFile(error)))
              )
      )
    )

  const blob = (wanted: Pointer): BlobSource.BlobSource<LayoutError> =>
    Contents.blobSource(
      wanted,
      (offset, heldBytes) => readFrom(wanted, offset, heldBytes),
      true,
      startHash,
      ({ reason }) => differs(wanted, `: ${reason.description}`)
    )

  /** Reads a manifest; none if the file does not exist or is not a manifest. */
  const manifest = (
    digest: Digest.Digest,
    mediaType: Option.Option<MediaType.MediaType>
  ): Effect.Effect<Option.Option<Manifest.Raw>, LayoutError> =>
    Effect.gen(function* () {
      const size = yield* sizeOf(digest)
      if (Option.isNone(size) || size.value > Contents.mostManifestBytes) return Option.none()
      const pointer = { digest, size: size.value, mediaType: MediaType.octetStream }
      const bytes = Bytes.concat(yield* Stream.runCollect(blob(pointer).read(0)))
      return Option.map(Contents.manifestType(mediaType, bytes), (type): Manifest.Raw => ({
        bytes,
        descriptor: { mediaType: type, digest, size: bytes.length }
      }))
    })

  const write = <E, R>(
    wanted: Pick<Descriptor, "digest" | "size">,
    source: Pick<BlobSource.BlobSource<E, R>, "read">
  ): Effect.Effect<void, LayoutError | E, R> =>
    Effect.suspend(() => {
      // Each chunk is written before the next one is read.
      const content = Content.verify(Stream.mapError(source.read(0, 0), ofSource), wanted)
      return disk.write(pathOf(wanted.digest), { content, size: wanted.size })
    }).pipe(
      Effect.provideService(Hasher.Hasher, startHash),
      Effect.mapError((error) => {
        if (error instanceof OfSource) return error.cause
        if (error instanceof PlatformError) return ofFile(error)
        return differs(wanted, ` is not written: ${error.reason.description}`)
      }),
      Effect.asVoid
    )

  /** Writes a blob if it does not exist. */
  const put = <E, R>(
    wanted: Pick<Descriptor, "digest" | "size">,
    source: Pick<BlobSource.BlobSource<E, R>, "read">
  ): Effect.Effect<BlobOutcome, LayoutError | E, R> =>
    Effect.gen(function* () {
      const size = yield* sizeOf(wanted.digest)
      // A file of another size is damaged, and replaced.
      if (Option.contains(size, wanted.size)) return "present"
      yield* write(wanted, source)
      return "sent"
    })

  /** Writes a manifest if it does not exist. Reads an existing one, which is small, to detect and replace a damaged one. */
  const putManifest = ({ bytes, descriptor }: Manifest.Raw): Effect.Effect<void, LayoutError> =>
    Effect.gen(function* () {
      const { digest, mediaType, size } = descriptor
      const source = BlobSource.fromBytes(bytes)
      if (size > Contents.mostManifestBytes) return yield* Effect.asVoid(put(descriptor, source))
      const found = yield* Effect.catchIf(manifest(digest, Option.some(mediaType)), isDamage, () => Effect.succeedNone)
      if (!Option.exists(found, (intact) => intact.bytes.length === size)) yield* write(descriptor, source)
    })

  const remove = (digest: Digest.Digest): Effect.Effect<void, LayoutError> =>
    Effect.mapError(files.remove(pathOf(digest), { force: true }), ofFile)

  return { sizeAt, sizeOf, blob, manifest, put, putManifest, remove, failure, ofFile }
}
