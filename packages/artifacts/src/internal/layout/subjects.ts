/**
 * Finds the referrers in a layout. A layout has no list of referrers: other programs list them in the index, in nested indexes,
 * or under the tag of their subject. Manifests do not change, so that each is read once.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import type * as Digest from "@effect-acr/client/Digest"
import type * as Manifest from "@effect-acr/client/Manifest"
import * as Referrer from "@effect-acr/client/Referrer"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import { referencesOf } from "../references.ts"
import type * as Index from "./index.ts"

/** The relations of a manifest that the layout lists. */
interface Known {
  readonly referrer: Option.Option<Referrer.Referrer>
  /** The manifests that it names. */
  readonly children: ReadonlyArray<Descriptor>
}

/** The manifests that an index leads to. */
interface Survey<E> {
  readonly reached: Set<Digest.Digest>
  /** The referrers by their subjects, and by their digests. */
  readonly referrers: Map<Digest.Digest, Map<Digest.Digest, Descriptor>>
  /** The errors of damaged manifests, whose subjects are unknown. */
  readonly damages: Map<Digest.Digest, E>
}

/** A survey, and how far it is. An index may have many entries, and be surveyed for each manifest of a copy. */
interface Progress<E> {
  readonly index: Index.Index
  readonly removals: number
  readonly survey: Survey<E>
  /** The number of entries that were surveyed. */
  seen: number
  /** Those whose manifests are missing or damaged, and may be put later. */
  unread: ReadonlyArray<Descriptor>
}

/** Manifests that are read at the same time. */
const readsAtOnce = 8

/** `isDamage` tells whether an error of a manifest is about its content. */
export const make = <E>(
  read: (manifest: Descriptor) => Effect.Effect<Option.Option<Manifest.Raw>, E>,
  isDamage: (error: E) => boolean
) => {
  const known = new Map<Digest.Digest, Known>()
  const oneAtATime = Semaphore.makeUnsafe(1).withPermit

  const learn = (manifest: Descriptor, { damages }: Survey<E>): Effect.Effect<Known | undefined, E> =>
    Effect.suspend(() => {
      const before = known.get(manifest.digest)
      if (before !== undefined) return Effect.succeed(before)
      damages.delete(manifest.digest)
      const intact = Effect.catchIf(read(manifest), isDamage, (error) => {
        damages.set(manifest.digest, error)
        return Effect.succeedNone
      })
      return Effect.map(intact, (raw) => {
        // A missing manifest may be added later.
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

  /** The survey of an index so far. New entries are added to it; if an entry is removed, it starts over. */
  let found: Progress<E> | undefined

  const progressOf = (index: Index.Index): Progress<E> => {
    const removals = index.removals()
    if (found?.index !== index || found.removals !== removals) {
      const survey = { reached: new Set<Digest.Digest>(), referrers: new Map(), damages: new Map() }
      found = { index, removals, survey, seen: 0, unread: [] }
    }
    return found
  }

  /** The manifests that the entries of an index lead to, and the referrers among these by their subjects. */
  const survey = (index: Index.Index): Effect.Effect<Survey<E>, E> =>
    oneAtATime(
      Effect.gen(function* () {
        const progress = progressOf(index)
        const own = progress.survey
        const { reached, referrers } = own
        const added = index.added(progress.seen)
        const entries = [...progress.unread, ...added]
        let level: ReadonlyArray<Descriptor> = entries
        while (level.length > 0) {
          const fresh = level.filter(({ digest }) => !reached.has(digest))
          const learnt = yield* Effect.forEach(fresh, (one) => learn(one, own), { concurrency: readsAtOnce })
          for (const [at, { digest }] of fresh.entries()) if (learnt[at] !== undefined) reached.add(digest)
          for (const one of learnt) {
            if (one === undefined || Option.isNone(one.referrer)) continue
            const { descriptor, subject } = one.referrer.value
            const others = referrers.get(subject) ?? new Map<Digest.Digest, Descriptor>()
            if (!others.has(descriptor.digest)) others.set(descriptor.digest, descriptor)
            referrers.set(subject, others)
          }
          level = learnt.flatMap((one) => one?.children ?? [])
        }
        progress.seen += added.length
        progress.unread = entries.filter(({ digest }) => !reached.has(digest))
        return own
      })
    )

  /** The survey of an index. Fails if a manifest is damaged, since that may be a referrer. */
  const wholeSurvey = (index: Index.Index): Effect.Effect<Survey<E>, E> =>
    Effect.flatMap(survey(index), (found) => {
      const [first] = found.damages.values()
      return first === undefined ? Effect.succeed(found) : Effect.fail(first)
    })

  /** The referrers of a subject, of all types or of one. */
  const referrersOf = (
    index: Index.Index,
    subject: Digest.Digest,
    artifactType: string | undefined
  ): Effect.Effect<ReadonlyArray<Descriptor>, E> =>
    Effect.map(wholeSurvey(index), ({ referrers }) =>
      Array.from(referrers.get(subject)?.values() ?? []).filter(
        (one) => artifactType === undefined || one.artifactType === artifactType
      )
    )

  return { survey, wholeSurvey, referrersOf }
}
