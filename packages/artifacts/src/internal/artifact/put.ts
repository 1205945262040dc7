/**
 * Puts a packed artifact into a store.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ContentStore, MissingContent, PutManifestResult } from "../../ContentStore.ts"
import type { FolderError } from "../../FolderError.ts"
import { putRepaired } from "../repair.ts"
import type { Packed } from "./pack.ts"

/** Blobs that are sent at the same time. */
const blobsAtOnce = 6

export const put = <E>(
  store: ContentStore<E>,
  { blobs, manifest }: Packed,
  tags: ReadonlyArray<string>
): Effect.Effect<PutManifestResult, E | FolderError | MissingContent> =>
  Effect.gen(function* () {
    yield* Effect.forEach(blobs, ({ descriptor, source }) => store.putBlob(descriptor, source), {
      concurrency: blobsAtOnce,
      discard: true
    })
    const parts = blobs.map(({ descriptor, source }) => ({
      digest: descriptor.digest,
      putAgain: store.putBlob(descriptor, source)
    }))
    return yield* putRepaired(() => store.putManifest(manifest, { tags }), parts)
  })

/** Whether a manifest is already listed among the referrers of another one. */
export const isAttached = <E>(store: ContentStore<E>, subject: Descriptor, digest: Digest.Digest) =>
  Effect.map(
    Stream.runHead(Stream.filter(store.referrers(subject.digest), (listed) => listed.digest === digest)),
    Option.isSome
  )
