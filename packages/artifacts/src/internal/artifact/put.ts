/**
 * Puts a packed artifact into a store.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ContentStore, MissingContent, PutManifestResult } from "../../ContentStore.ts"
import { ArtifactError, NotAnImage, NotFound } from "../../ArtifactError.ts"
import type { FolderError } from "../../FolderError.ts"
import type { PlatformNotFound } from "../copy/choice.ts"
import { imagesOf, platformOf } from "../platformImage.ts"
import { lacksIt } from "../storeName.ts"
import type { GraphError } from "../walk.ts"
import type { Packed } from "./pack.ts"
import type * as Platform from "@effect-acr/client/Platform"

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
    return yield* store.putManifest(manifest, { tags })
  })

/** The reference without the tag that stands before a digest. */
const withoutTag = (reference: string): string => {
  const digest = reference.slice(reference.indexOf("@") + 1)
  return Digest.isDigest(digest) ? digest : reference
}

/** The manifest that a reference names, or the image of an index for a platform. */
export const subjectOf = <E>(
  store: ContentStore<E>,
  reference: string,
  platform: Platform.Input | undefined
): Effect.Effect<Descriptor, E | ArtifactError | GraphError | PlatformNotFound> =>
  Effect.gen(function* () {
    const found = yield* store.resolve(withoutTag(reference))
    if (Option.isNone(found)) {
      const description = lacksIt(store.origin)
      return yield* new ArtifactError({ image: reference, reason: new NotFound({ description }) })
    }
    const [subject] =
      platform === undefined ? [found.value] : yield* imagesOf(store, found.value, yield* platformOf(platform))
    if (subject === undefined) {
      const description = "this is an index without an image"
      return yield* new ArtifactError({ image: reference, reason: new NotAnImage({ description }) })
    }
    // Other fields are about its place in an index.
    const { digest, mediaType, size } = subject
    return { mediaType, digest, size }
  })

/** Whether a manifest is listed among the referrers of another already. */
export const isAttached = <E>(store: ContentStore<E>, subject: Descriptor, digest: Digest.Digest) =>
  Effect.map(
    Stream.runHead(Stream.filter(store.referrers(subject.digest), (listed) => listed.digest === digest)),
    Option.isSome
  )
