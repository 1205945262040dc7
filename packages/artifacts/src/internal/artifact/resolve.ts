/**
 * Finds the manifest that a reference names in a store.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import type * as Platform from "@effect-acr/client/Platform"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { ArtifactError, NotAnImage, NotFound } from "../../ArtifactError.ts"
import type { Reader } from "../../ContentStore.ts"
import type { PlatformNotFound } from "../copy/choice.ts"
import { imagesOf, platformOf } from "../platformImage.ts"
import { lacksIt } from "../storeName.ts"
import type { GraphError } from "../walk.ts"

/** The reference without the tag before a digest. */
const withoutTag = (reference: string): string => {
  const digest = reference.slice(reference.indexOf("@") + 1)
  return Digest.isDigest(digest) ? digest : reference
}

/** The manifest that a reference names, or the image for a platform in an index. */
export const resolve = <E>(
  reader: Reader<E>,
  reference: string,
  platform: Platform.Input | undefined
): Effect.Effect<Descriptor, E | ArtifactError | GraphError | PlatformNotFound> =>
  Effect.gen(function* () {
    const found = yield* reader.resolve(withoutTag(reference))
    if (Option.isNone(found)) {
      const description = lacksIt(reader.origin)
      return yield* new ArtifactError({ image: reference, reason: new NotFound({ description }) })
    }
    const [image] =
      platform === undefined ? [found.value] : yield* imagesOf(reader, found.value, yield* platformOf(platform))
    if (image === undefined) {
      const description = "this is an index without an image"
      return yield* new ArtifactError({ image: reference, reason: new NotAnImage({ description }) })
    }
    // Other fields describe its place in an index.
    const { digest, mediaType, size } = image
    return { mediaType, digest, size }
  })
