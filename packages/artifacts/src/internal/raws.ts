/**
 * The bytes of manifests that a copy has read and will put. They are kept up to a limit, and read again beyond it.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Reader } from "../ContentStore.ts"

/** Thousands of ordinary manifests. */
const mostBytes = 32 * 1024 * 1024

export const make = <E>(source: Reader<E>) => {
  const kept = new Map<Digest.Digest, Manifest.Raw>()
  let bytes = 0
  return {
    keep: (raw: Manifest.Raw): void => {
      if (bytes + raw.bytes.length > mostBytes || kept.has(raw.descriptor.digest)) return
      bytes += raw.bytes.length
      kept.set(raw.descriptor.digest, raw)
    },
    /** The bytes of a manifest; none if the source no longer has it. */
    get: (manifest: Descriptor): Effect.Effect<Option.Option<Manifest.Raw>, E> => {
      const raw = kept.get(manifest.digest)
      return raw === undefined ? source.manifest(manifest) : Effect.succeedSome(raw)
    }
  }
}
