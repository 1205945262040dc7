/**
 * Entries of indexes whose types do not say whether they are manifests.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Reader } from "../ContentStore.ts"

const blob = { _tag: "Blob" } as const

/**
 * Reads an entry as a manifest. If the store has no such manifest, it may be a blob. The store may also fail then: distribution
 * answers 500 where a blob is requested as a manifest.
 */
export const manifestOrBlob = <E, A, E2>(
  reader: Reader<E>,
  descriptor: Descriptor,
  read: Effect.Effect<Option.Option<A>, E2>
): Effect.Effect<Option.Option<A> | typeof blob, E | E2> => {
  type Entry = Option.Option<A> | typeof blob
  const blobOr = (other: Effect.Effect<Entry, E2>): Effect.Effect<Entry, E | E2> =>
    Effect.flatMap(reader.has(descriptor), (isThere) => (isThere ? Effect.succeed(blob) : other))
  return Effect.matchEffect(read, {
    onFailure: (error) => blobOr(Effect.fail(error)),
    onSuccess: (found) => (Option.isNone(found) ? blobOr(Effect.succeed(found)) : Effect.succeed(found))
  })
}
