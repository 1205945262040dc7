/**
 * Verifies content from any source against its digest: a file, a mirror, an archive.
 *
 * Downloads of `RegistryContent` are verified without this module.
 *
 * @since 0.1.0
 */
import type * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import * as Stream from "effect/Stream"
import * as Digest from "./Digest.ts"
import { Hasher } from "./Hasher.ts"
import * as Arguments from "./internal/api/arguments.ts"
import * as Mismatch from "./internal/transfer/mismatch.ts"
import { type Reason, RegistryError } from "./RegistryError.ts"

/**
 * The digest and the size that content must have. A `Descriptor` is one.
 *
 * @category options
 * @since 0.1.0
 */
export interface Expected {
  /** The digest of the whole content: `sha256:c6312984…`. */
  readonly digest: string
  /** The size of the whole content, in bytes. Defaults to any size: the digest alone decides. */
  readonly size?: number
}

const operation = "Content.verify"

const failed = (reason: Reason) => Effect.fail(new RegistryError({ operation, reason }))

const wrongSize = (expectedBytes: number, actual: string) =>
  failed(Mismatch.ofSize("the content does not have the expected size", expectedBytes, actual))

/**
 * Verifies a stream of bytes against a descriptor. The bytes pass through as they arrive. The stream succeeds only if
 * they match the digest and the size.
 *
 * **When to use**
 *
 * Use for content that does not come from `RegistryContent`: a file on disk, an archive, a mirror. The streams of
 * `RegistryContent.blob` are verified already.
 *
 * **Details**
 *
 * Fails with `ContentMismatch`: as soon as there are more bytes than `size`, before the excess is passed on, and at the
 * end if the size or the digest differs. Fails with `InvalidRequest` if `digest` is not a digest or `size` is not a
 * number of bytes. Errors of the stream itself pass through.
 *
 * Memory is constant. Each run of the stream computes its own hash, with the `Hasher` of the context in which it runs.
 *
 * **Gotchas**
 *
 * The digest is known to be right only when the stream ends. A consumer that stops early, as with `Stream.take`, or uses
 * bytes before the end, holds bytes that are not verified.
 *
 * **Example** (Checking a file on disk against the descriptor of a layer)
 *
 * ```ts
 * import { Content, type Descriptor } from "@effect-acr/client"
 * import { Effect, FileSystem, Stream } from "effect"
 *
 * export const check = (path: string, layer: Descriptor.Descriptor) =>
 *   Effect.flatMap(FileSystem.FileSystem, (files) =>
 *     files.stream(path).pipe(Content.verify(layer), Stream.runDrain)
 *   )
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const verify: {
  (
    expected: Expected
  ): <E, R>(content: Stream.Stream<Uint8Array, E, R>) => Stream.Stream<Uint8Array, E | RegistryError, R>
  <E, R>(content: Stream.Stream<Uint8Array, E, R>, expected: Expected): Stream.Stream<Uint8Array, E | RegistryError, R>
} = dual(
  2,
  <E, R>(
    content: Stream.Stream<Uint8Array, E, R>,
    expected: Expected
  ): Stream.Stream<Uint8Array, E | RegistryError, R> =>
    Stream.unwrap(
      Effect.gen(function* () {
        const digest = yield* Arguments.digest(operation, expected.digest)
        const size =
          expected.size === undefined ? undefined : yield* Arguments.natural(operation, expected.size, "size")
        const startHash = yield* Hasher
        const hash = startHash(Digest.algorithm(digest))
        let bytes = 0

        const take = (pieces: Array.NonEmptyReadonlyArray<Uint8Array>) => {
          for (const piece of pieces) {
            bytes += piece.length
            if (size !== undefined && bytes > size) return wrongSize(size, "more")
            hash.update(piece)
          }
          return Effect.succeed(pieces)
        }

        const end = Effect.suspend(() => {
          if (size !== undefined && bytes !== size) return wrongSize(size, `${bytes} bytes`)
          const mismatch = Mismatch.ofDigest("the content does not match its digest", digest, hash)
          return mismatch === undefined ? Effect.void : failed(mismatch)
        })

        return content.pipe(Stream.mapArrayEffect(take), Stream.onEnd(end))
      })
    )
)
