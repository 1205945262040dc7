/**
 * The manifests and blobs of an archive by their digests.
 */
import type * as BlobSource from "@effect-acr/client/BlobSource"
import type * as Digest from "@effect-acr/client/Digest"
import type * as Hasher from "@effect-acr/client/Hasher"
import type * as Manifest from "@effect-acr/client/Manifest"
import type * as MediaType from "@effect-acr/client/MediaType"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { type ArchiveError, ContentDiffers, ContentMissing } from "../../ArchiveError.ts"
import type { Pointer } from "../../ContentStore.ts"
import * as Contents from "../contents.ts"
import { type Entries, failure, invalid } from "./entries.ts"

/** Content of an archive that is not in files named by digest. */
export interface Places {
  /** Generated manifests, which the archive does not have. */
  readonly manifests: ReadonlyMap<Digest.Digest, Manifest.Raw>
  /** The files of blobs. */
  readonly blobs: ReadonlyMap<Digest.Digest, string>
}

/** For archives with all content in files named by digest. */
export const noPlaces: Places = { manifests: new Map(), blobs: new Map() }

/** The whole content of a small file; none if it does not exist. */
export const readSmall = <E>(
  entries: Entries<E>,
  name: string,
  most: number,
  archive: string
): Effect.Effect<Option.Option<Uint8Array>, E | ArchiveError> =>
  Effect.gen(function* () {
    const found = yield* entries.open(name)
    if (Option.isNone(found)) return Option.none()
    const { read, size } = found.value
    if (size > most) return yield* invalid(archive, `${name} has ${size} bytes, more than ${most}`)
    return Option.some(Bytes.concat(yield* Stream.runCollect(read(0))))
  }).pipe(Effect.scoped)

export const make = <E>(entries: Entries<E>, archive: string, places: Places, startHash: Hasher.Start) => {
  const fail = failure(archive)

  const fileOf = (digest: Digest.Digest): string => places.blobs.get(digest) ?? Contents.blobName(digest)

  const differs =
    ({ digest }: Pick<Pointer, "digest">) =>
    ({ reason }: RegistryError) =>
      fail(new ContentDiffers({ digest, description: `${digest}: ${reason.description}` }))

  const missing = ({ digest }: Pick<Pointer, "digest">) =>
    fail(new ContentMissing({ digest, description: `${digest} is not in the archive` }))

  const readFrom = (
    pointer: Pick<Pointer, "digest">,
    offset: number,
    heldBytes?: number
  ): Stream.Stream<Uint8Array, E | ArchiveError> =>
    Stream.unwrap(
      Effect.map(
        entries.open(fileOf(pointer.digest)),
        Option.match({ onNone: () => Stream.fail(missing(pointer)), onSome: ({ read }) => read(offset, heldBytes) })
      )
    )

  /** `repeatable` is what is known before the archive is read: a stream may not have reached the blob. */
  const blob = (pointer: Pointer): BlobSource.BlobSource<E | ArchiveError> =>
    Contents.blobSource(
      pointer,
      (offset, heldBytes) => readFrom(pointer, offset, heldBytes),
      entries.isRepeatable(fileOf(pointer.digest)),
      startHash,
      differs(pointer)
    )

  const manifest = (
    digest: Digest.Digest,
    mediaType: Option.Option<MediaType.MediaType>
  ): Effect.Effect<Option.Option<Manifest.Raw>, E | ArchiveError> =>
    Effect.gen(function* () {
      const made = places.manifests.get(digest)
      if (made !== undefined) return Option.some(made)
      const size = yield* entries.size(fileOf(digest))
      if (Option.isNone(size) || size.value > Contents.mostManifestBytes) return Option.none()
      const pointer = { digest, size: size.value }
      const read = Contents.verified(pointer, readFrom(pointer, 0), startHash, differs(pointer))
      const bytes = Bytes.concat(yield* Stream.runCollect(read))
      return Option.map(Contents.manifestType(mediaType, bytes), (type): Manifest.Raw => ({
        bytes,
        descriptor: { mediaType: type, digest, size: bytes.length }
      }))
    })

  const has = (digest: Digest.Digest): Effect.Effect<boolean, E | ArchiveError> =>
    Effect.map(entries.size(fileOf(digest)), Option.isSome)

  return { blob, manifest, has }
}
