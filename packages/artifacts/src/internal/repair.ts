/**
 * Repairs of a refused manifest: a store may lack content that it reported as present, such as a registry behind a proxy that caches
 * its responses.
 */
import type * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import { MissingContent } from "../ContentStore.ts"

/** Parts that are put again at the same time. */
const partsAtOnce = 8

/** Content that a manifest names. */
interface Part<out E> {
  readonly digest: Digest.Digest
  readonly putAgain: Effect.Effect<unknown, E>
}

/**
 * Puts a manifest. If the store refuses it because it lacks content, puts that content once more, and then the manifest again: as
 * long as a refusal is about content that was not put again before. Some registries report one missing blob at a time.
 *
 * A store may also report content that the manifest does not name: the manifest itself, or content further below. All that it names
 * is then put again.
 */
export const putRepaired = <A, E, E2>(
  put: () => Effect.Effect<A, E | MissingContent>,
  parts: ReadonlyArray<Part<E2>>
): Effect.Effect<A, E | E2 | MissingContent> =>
  Effect.suspend(() => {
    const named = new Set(parts.map(({ digest }) => digest))
    let left = parts
    const attempt: Effect.Effect<A, E | E2 | MissingContent> = Effect.catch(Effect.suspend(put), (error) => {
      if (!(error instanceof MissingContent)) return Effect.fail(error)
      const reported = error.digests.filter((digest) => named.has(digest))
      const lacked = reported.length === 0 ? named : new Set(reported)
      const repairs = left.filter(({ digest }) => lacked.has(digest))
      if (repairs.length === 0) return Effect.fail(error)
      left = left.filter(({ digest }) => !lacked.has(digest))
      const repair = Effect.forEach(repairs, ({ putAgain }) => putAgain, { concurrency: partsAtOnce, discard: true })
      return Effect.andThen(repair, attempt)
    })
    return attempt
  })
