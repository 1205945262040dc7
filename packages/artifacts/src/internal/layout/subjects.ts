/**
 * Which manifests of a layout refer to which. A layout has no list of that by itself: other programs leave referrers in the
 * index, in indexes that this lists, or in the tag of their subject. Manifests do not change, so that each is read once.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { LayoutError } from "../../LayoutError.ts"
import { referencesOf } from "../references.ts"

/** What is known of a manifest that the layout lists. */
interface Known {
  readonly referrer: Option.Option<Referrer.Referrer>
  /** The manifests that it names. */
  readonly children: ReadonlyArray<Descriptor>
}

/** Manifests that are read at the same time. */
const readsAtOnce = 8

type Read = (manifest: Descriptor) => Effect.Effect<Option.Option<Manifest.Raw>, LayoutError>

export const make = (read: Read) => {
  const known = new Map<Digest.Digest, Known>()

  const learn = (manifest: Descriptor): Effect.Effect<Known | undefined, LayoutError> =>
    Effect.suspend(() => {
      const before = known.get(manifest.digest)
      if (before !== undefined) return Effect.succeed(before)
      return Effect.map(read(manifest), (raw) => {
        // What is missing may come.
        if (Option.isNone(raw)) return undefined
        const children = Result.match(referencesOf(raw.value), {
          onFailure: () => [],
          onSuccess: ({ manifests }) => manifests
        })
        const learnt: Known = { referrer: Referrer.fromManifest(raw.value), children }
        known.set(manifest.digest, learnt)
        return learnt
      })
    })

  /** The referrers among some manifests and those that these name, by their subjects. */
  const bySubject = (
    listed: ReadonlyArray<Descriptor>
  ): Effect.Effect<ReadonlyMap<Digest.Digest, ReadonlyArray<Descriptor>>, LayoutError> =>
    Effect.gen(function* () {
      const found = new Map<Digest.Digest, ReadonlyArray<Descriptor>>()
      const seen = new Set<Digest.Digest>()
      let level = listed
      while (level.length > 0) {
        const fresh = level.filter(({ digest }) => !seen.has(digest))
        for (const { digest } of fresh) seen.add(digest)
        const learnt = yield* Effect.forEach(fresh, learn, { concurrency: readsAtOnce })
        for (const one of learnt) {
          if (one === undefined || Option.isNone(one.referrer)) continue
          const { descriptor, subject } = one.referrer.value
          const others = found.get(subject) ?? []
          if (!others.some(({ digest }) => digest === descriptor.digest)) found.set(subject, [...others, descriptor])
        }
        level = learnt.flatMap((one) => one?.children ?? [])
      }
      return found
    })

  return { bySubject }
}
