/**
 * Where a copy reads a blob: at the source, or in the descriptor if that embeds the content.
 */
import * as BlobSource from "@effect-acr/client/BlobSource"
import * as Content from "@effect-acr/client/Content"
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import type { Reader } from "../../ContentStore.ts"

/** OCI image specification, manifest.md, "Guidance for an Empty Descriptor": the two bytes `{}`. */
const emptyDigest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"

const embedded = ({ data, digest }: Descriptor): Option.Option<Uint8Array> => {
  if (digest === emptyDigest) return Option.some(new TextEncoder().encode("{}"))
  return data === undefined ? Option.none() : Result.getSuccess(Base64.decode(data))
}

/** The content of a blob. Content embedded in the descriptor is used if it matches the digest. */
export const sourceOf = <E>(source: Reader<E>, blob: Descriptor): Effect.Effect<BlobSource.BlobSource<E>> =>
  Option.match(embedded(blob), {
    onNone: () => Effect.succeed(source.blob(blob)),
    onSome: (bytes) =>
      Effect.match(Stream.runDrain(Content.verify(blob)(Stream.make(bytes))), {
        onFailure: () => source.blob(blob),
        onSuccess: () => BlobSource.fromBytes(bytes)
      })
  })
