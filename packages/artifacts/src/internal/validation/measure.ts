/**
 * Reads a blob once, and hashes it with and without compression.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Compression from "@effect-acr/client/Compression"
import * as Digest from "@effect-acr/client/Digest"
import * as Hasher from "@effect-acr/client/Hasher"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Reader } from "../../ContentStore.ts"
import { ofSource, OfSource } from "../sides.ts"
import { type Reading, readingOf } from "./finding.ts"

/** The measured properties of a blob. */
export interface Measured {
  readonly size: number
  readonly digest: Digest.Digest
  /** The compression, by the first bytes. */
  readonly format: Compression.Format | undefined
  /** The digests without compression, one for each requested algorithm, or why they are unknown. */
  readonly plain: Result.Result<ReadonlySet<Digest.Digest>, string>
}

const magicBytes = 4

/** Hashes and counts content while it is read. */
const makeTee = (startHash: Hasher.Start, algorithm: Digest.Algorithm) => {
  const hash = startHash(algorithm)
  const first = new Uint8Array(magicBytes)
  let size = 0
  let isEnded = false
  const through = <E, R>(content: Stream.Stream<Uint8Array, E, R>): Stream.Stream<Uint8Array, E, R> =>
    content.pipe(
      Stream.mapArray((pieces) => {
        for (const piece of pieces) {
          if (size < magicBytes) first.set(piece.subarray(0, magicBytes - size), size)
          hash.update(piece)
          size += piece.length
        }
        return pieces
      }),
      Stream.onEnd(Effect.sync(() => void (isEnded = true)))
    )
  return {
    through,
    isEnded: () => isEnded,
    measured: () => ({
      size,
      digest: Digest.Digest.make(`${algorithm}:${hash.hex()}`),
      format: Compression.formatOf(first.subarray(0, size))
    })
  }
}

/** The digests of content without compression. */
const plainDigests = <E, R>(
  content: Stream.Stream<Uint8Array, E, R>,
  algorithms: ReadonlyArray<Digest.Algorithm>,
  startHash: Hasher.Start
) =>
  Effect.suspend(() => {
    const hashes = algorithms.map((algorithm) => ({ algorithm, hash: startHash(algorithm) }))
    return Stream.runForEach(Compression.decompress(content), (piece) =>
      Effect.sync(() => {
        for (const { hash } of hashes) hash.update(piece)
      })
    ).pipe(
      Effect.map(() => new Set(hashes.map(({ algorithm, hash }) => Digest.Digest.make(`${algorithm}:${hash.hex()}`))))
    )
  })

const contentOf = <E>(reader: Reader<E>, blob: Descriptor, heldBytes?: number) => {
  const source = reader.blob(blob)
  return { stream: (source.unverified ?? source).read(0, heldBytes), repeatable: source.repeatable }
}

/** Turns an error of the store about content into a reading. */
const caught = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<Result.Result<A, Reading>, E, R> =>
  effect.pipe(
    Effect.map((value) => Result.succeed(value)),
    Effect.catch((error) => {
      const reading = readingOf(error)
      return reading === undefined ? Effect.fail(error) : Effect.succeed(Result.fail(reading))
    })
  )

/** Hashes a blob without decompressing it. */
const hashed = <E>(reader: Reader<E>, blob: Descriptor, startHash: Hasher.Start) =>
  Effect.suspend(() => {
    const tee = makeTee(startHash, Digest.algorithm(blob.digest))
    return Effect.map(Stream.runDrain(tee.through(contentOf(reader, blob, 0).stream)), tee.measured)
  })

/** Measures a blob. Without algorithms, it is not decompressed. */
export const measure = <E>(
  reader: Reader<E>,
  blob: Descriptor,
  algorithms: ReadonlyArray<Digest.Algorithm>
): Effect.Effect<Result.Result<Measured, Reading>, E, Compression.Compression> =>
  Effect.gen(function* () {
    const startHash = yield* Hasher.Hasher
    const again = hashed(reader, blob, startHash)
    const nothing = Result.succeed(new Set<Digest.Digest>())
    if (algorithms.length === 0) return { ...(yield* again), plain: nothing }
    const tee = makeTee(startHash, Digest.algorithm(blob.digest))
    const { repeatable, stream } = contentOf(reader, blob)
    const plain = yield* plainDigests(tee.through(Stream.mapError(stream, ofSource)), algorithms, startHash).pipe(
      Effect.map((digests) => Result.succeed(digests)),
      Effect.catch((error) =>
        error instanceof OfSource ? Effect.fail(error.cause) : Effect.succeed(Result.fail(error.message))
      )
    )
    // A decompressor may stop before the end of the content. Only a second read gives the digest.
    if (tee.isEnded() || !repeatable) return { ...tee.measured(), plain }
    return { ...(yield* again), plain }
  }).pipe(caught)

/** The whole of a small blob, measured. */
export const collect = <E>(
  reader: Reader<E>,
  blob: Descriptor
): Effect.Effect<Result.Result<Measured & { readonly bytes: Uint8Array }, Reading>, E> =>
  Effect.gen(function* () {
    const tee = makeTee(yield* Hasher.Hasher, Digest.algorithm(blob.digest))
    const pieces = yield* Stream.runCollect(tee.through(contentOf(reader, blob).stream))
    const plain = Result.succeed(new Set<Digest.Digest>())
    return { ...tee.measured(), plain, bytes: Bytes.concat(pieces) }
  }).pipe(caught)
