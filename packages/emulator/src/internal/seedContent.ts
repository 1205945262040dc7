/**
 * Content of seeds: the same seed has the same bytes at any time and on any machine.
 */
import { createCipheriv, createHash } from "node:crypto"
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Descriptor from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as MediaType from "@effect-acr/client/MediaType"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Tar from "effect/encoding/Tar"
import type { SeedBytes, SeedLayer } from "../SeedImage.ts"
import * as Contents from "./contents.ts"

/** Content with its name. Large content is generated while it is read, so it is never in memory as a whole. */
export interface Blob {
  readonly descriptor: Descriptor.Descriptor
  readonly source: BlobSource.BlobSource<Tar.TarError>
}

const encoder = new TextEncoder()

const bytesOf = (content: SeedBytes): Uint8Array => (typeof content === "string" ? encoder.encode(content) : content)

export const ofBytes = (mediaType: MediaType.MediaType, content: SeedBytes): Blob => {
  const bytes = bytesOf(content)
  const digest = Digest.Digest.make(Contents.digestOf(bytes))
  return {
    descriptor: Descriptor.Descriptor.make({ mediaType, digest, size: bytes.length }),
    source: BlobSource.fromBytes(bytes)
  }
}

/** Reads a stream to its end for its digest and its size. */
const ofStream = (
  mediaType: MediaType.MediaType,
  stream: Stream.Stream<Uint8Array, Tar.TarError>
): Effect.Effect<Blob, Tar.TarError> =>
  Effect.gen(function* () {
    const hash = createHash("sha256")
    let size = 0
    yield* Stream.runForEach(stream, (piece) =>
      Effect.sync(() => {
        hash.update(piece)
        size += piece.length
      })
    )
    const digest = Digest.Digest.make(`sha256:${hash.digest("hex")}`)
    return {
      descriptor: Descriptor.Descriptor.make({ mediaType, digest, size }),
      source: BlobSource.fromRepeatableStream(stream)
    }
  })

const pieceBytes = 1024 * 1024

/** A key stream of AES. It is fast, cannot be compressed, and depends only on the key. */
function* fillerPieces(key: string, size: number): Generator<Uint8Array> {
  const cipher = createCipheriv("aes-256-ctr", createHash("sha256").update(key).digest(), new Uint8Array(16))
  const zeros = new Uint8Array(Math.min(pieceBytes, size))
  for (let left = size; left > 0; left -= pieceBytes) yield cipher.update(zeros.subarray(0, left))
}

const filler = (key: string, size: number): Stream.Stream<Uint8Array> =>
  Stream.suspend(() => Stream.fromIterable(fillerPieces(key, size), { chunkSize: 1 }))

const tar = (entries: ReadonlyArray<Tar.Entry>): Stream.Stream<Uint8Array, Tar.TarError> =>
  Stream.pipeThroughChannel(Stream.fromIterable(entries), Tar.encode<never, unknown, Tar.Entry>())

const blockBytes = 512

/** The bytes of an archive of one file besides the file: a header, and two blocks at the end. */
const frameBytes = 3 * blockBytes

/** A tar archive of a given size, with one file of filler. Bytes after the end of an archive are ignored. */
const fillerArchive = (key: string, size: number): Stream.Stream<Uint8Array, Tar.TarError> => {
  const rest = size % blockBytes
  const fileBytes = size - rest - frameBytes
  // Too small for an archive.
  if (fileBytes <= 0) return filler(key, size)
  return Stream.concat(
    tar([Tar.fileStream("filler", fileBytes, filler(key, fileBytes))]),
    rest === 0 ? Stream.empty : Stream.succeed(new Uint8Array(rest))
  )
}

/** How layers are made. */
export interface LayerOptions {
  /** The media type of a layer that states none. */
  readonly mediaType: MediaType.MediaType
  /** Whether filler is an archive, so that container tools can unpack it. */
  readonly isArchive: boolean
  /** The key that determines the filler. */
  readonly key: string
}

const title = "org.opencontainers.image.title"

export const ofLayer = (
  layer: SeedBytes | SeedLayer,
  { isArchive, key, mediaType }: LayerOptions
): Effect.Effect<Blob, Tar.TarError> =>
  Effect.gen(function* () {
    if (typeof layer === "string" || layer instanceof Uint8Array) return ofBytes(mediaType, layer)
    const type = layer.mediaType === undefined ? mediaType : MediaType.MediaType.make(layer.mediaType)
    const { descriptor, source } = yield* contentOf(layer, type, isArchive && layer.mediaType === undefined, key)
    const annotations = layer.title === undefined ? {} : { annotations: { [title]: layer.title } }
    return { descriptor: { ...descriptor, ...annotations }, source }
  })

const contentOf = (
  { content = "", files, sizeInBytes }: SeedLayer,
  mediaType: MediaType.MediaType,
  isArchive: boolean,
  key: string
): Effect.Effect<Blob, Tar.TarError> => {
  if (files !== undefined) {
    // The order of an object's keys is not reliable.
    const paths = Object.entries(files).toSorted(([left], [right]) => (left < right ? -1 : 1))
    return ofStream(mediaType, tar(paths.map(([path, content]) => Tar.file(path, bytesOf(content)))))
  }
  if (sizeInBytes === undefined) return Effect.succeed(ofBytes(mediaType, content))
  return ofStream(mediaType, isArchive ? fillerArchive(key, sizeInBytes) : filler(key, sizeInBytes))
}
