/**
 * Entries of indexes, which may be blobs.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Reader } from "../ContentStore.ts"
import { isBlob, isManifest } from "./references.ts"

/** An entry that is a blob. */
export const blob = { _tag: "Blob" } as const

/**
 * Reads an entry as a manifest, unless it is a blob. If the type does not say what it is, the store does. It may fail where a blob is
 * requested as a manifest: distribution answers 500.
 */
export const readEntry = <E, A, E2>(
  reader: Reader<E>,
  descriptor: Descriptor,
  read: Effect.Effect<Option.Option<A>, E2>
): Effect.Effect<Option.Option<A> | typeof blob, E | E2> => {
  if (isBlob(descriptor)) return Effect.succeed(blob)
  if (isManifest(descriptor)) return read
  type Entry = Option.Option<A> | typeof blob
  const blobOr = (other: Effect.Effect<Entry, E2>): Effect.Effect<Entry, E | E2> =>
    Effect.flatMap(reader.has(descriptor), (isThere) => (isThere ? Effect.succeed(blob) : other))
  return Effect.matchEffect(read, {
    onFailure: (error) => blobOr(Effect.fail(error)),
    onSuccess: (found) => (Option.isNone(found) ? blobOr(Effect.succeed(found)) : Effect.succeed(found))
  })
}
