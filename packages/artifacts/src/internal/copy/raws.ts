/**
 * The manifests that a copy has read and will put. They are cached up to a limit, and read again beyond it.
 */
import type * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Reader } from "../../ContentStore.ts"

/** Thousands of ordinary manifests. */
const mostBytes = 32 * 1024 * 1024

export const make = <E>(source: Reader<E>) => {
  const made = new Map<Digest.Digest, Manifest.Raw>()
  const kept = new Map<Digest.Digest, Manifest.Raw>()
  let bytes = 0

  const keep = (raw: Manifest.Raw): void => {
    const { digest } = raw.descriptor
    if (kept.has(digest) || bytes + raw.bytes.length > mostBytes) return
    bytes += raw.bytes.length
    kept.set(digest, raw)
  }

  const reader: Reader<E> = {
    ...source,
    manifest: (manifest) => {
      const raw = made.get(manifest.digest) ?? kept.get(manifest.digest)
      if (raw !== undefined) return Effect.succeedSome(raw)
      return Effect.tap(source.manifest(manifest), (found) => Effect.sync(() => Option.map(found, keep)))
    }
  }

  return {
    /** The source, whose manifests are read once. */
    reader,
    /** Adds a manifest that the source does not have. */
    add: (raw: Manifest.Raw): void => void made.set(raw.descriptor.digest, raw)
  }
}
