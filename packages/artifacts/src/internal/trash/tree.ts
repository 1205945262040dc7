/**
 * Restores an artifact with everything that belongs to it, as far as the trash shows that.
 */
import type { Descriptor } from "@effect-acr/client/Descriptor"
import * as Digest from "@effect-acr/client/Digest"
import * as Referrer from "@effect-acr/client/Referrer"
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import { NotFound, RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import { printable } from "../printable.ts"
import { isImage, referencesOf } from "../references.ts"
import { isFatal, isThere, lostTags, type Place, restoreManifest, type RestoredStep, restoreTags } from "./step.ts"
import { type DeletedTags, readTags } from "./tags.ts"

/** Manifests that are restored at the same time. */
const atOnce = 8

/** The manifest that a tag or a digest names in the trash, otherwise in the repository, where some of what it names may be missing. */
const findRoot = (
  { registry, repository }: Place,
  tagOrDigest: string,
  deleted: DeletedTags
): Effect.Effect<Digest.Digest, RegistryError> => {
  if (Digest.isDigest(tagOrDigest)) return Effect.succeed(tagOrDigest)
  return Option.match(deleted.digestOf(tagOrDigest), {
    onSome: Effect.succeed,
    onNone: () =>
      registry.tagProperties(repository, tagOrDigest).pipe(
        Effect.map(({ digest }) => digest),
        Effect.catchReason("RegistryError", "NotFound", () => notDeleted(tagOrDigest))
      )
  })
}

const notDeleted = (tagOrDigest: string) =>
  Effect.fail(
    new RegistryError({
      operation: "Trash.restore",
      reason: new NotFound({
        resource: Digest.isDigest(tagOrDigest) ? "manifest" : "tag",
        description: `${tagOrDigest} is neither in the trash nor in the repository`
      })
    })
  )

/** A manifest to restore. An image is not read, since it names no manifests. */
interface Wanted {
  readonly digest: Digest.Digest
  readonly isRead: boolean
}

const wantedBy = (child: Descriptor): Wanted => ({ digest: child.digest, isRead: !isImage(child) })

/** The result for a manifest, and what it names. */
interface Found {
  readonly manifest: Omit<RestoredStep, "tags">
  readonly wanted: Wanted
  readonly children: ReadonlyArray<Wanted>
}

/** The manifests that a manifest names, or why they are unknown. */
const childrenOf = (
  content: RegistryContent.Service,
  repository: string,
  digest: Digest.Digest
): Effect.Effect<Result.Result<ReadonlyArray<Wanted>, string>, RegistryError> =>
  content.rawManifest(repository, digest).pipe(
    Effect.map((raw) =>
      Result.mapBoth(referencesOf(raw), {
        // The message would quote the manifest.
        onFailure: printable,
        onSuccess: ({ manifests }) => manifests.map(wantedBy)
      })
    ),
    Effect.catchIf(
      (error) => !isFatal(error),
      ({ message }) => Effect.succeed(Result.fail(message))
    )
  )

const restoreOne = (
  place: Place,
  content: RegistryContent.Service,
  wanted: Wanted
): Effect.Effect<Found, RegistryError> =>
  Effect.gen(function* () {
    const { digest, isRead } = wanted
    const manifest = { digest, ...(yield* restoreManifest(place, digest)) }
    if (!isRead || !isThere(manifest)) return { manifest, wanted, children: [] }
    return Result.match(yield* childrenOf(content, place.repository, digest), {
      onFailure: (unread): Found => ({ manifest: { ...manifest, unread }, wanted, children: [] }),
      onSuccess: (children): Found => ({ manifest, wanted, children })
    })
  })

/**
 * Restores manifests concurrently. After a fatal error it sends no more requests, and waits for those under way, which may still
 * succeed.
 */
const restoreLevel = (
  place: Place,
  content: RegistryContent.Service,
  level: ReadonlyArray<Wanted>
): Effect.Effect<ReadonlyArray<Found>, RegistryError> =>
  Effect.gen(function* () {
    const errors: Array<RegistryError> = []
    const one = (wanted: Wanted) =>
      errors.length > 0
        ? Effect.succeedNone
        : Effect.catch(Effect.asSome(restoreOne(place, content, wanted)), (error) => {
            errors.push(error)
            return Effect.succeedNone
          })
    const found = yield* Effect.forEach(level, (wanted) => Effect.suspend(() => one(wanted)), { concurrency: atOnce })
    const [error] = errors
    return error === undefined ? found.flatMap(Option.toArray) : yield* error
  })

/** Each digest once, without those that were seen before. */
const unseen = (all: ReadonlyArray<Wanted>, seen: ReadonlyMap<Digest.Digest, unknown>): ReadonlyArray<Wanted> => [
  ...new Map(all.flatMap((wanted) => (seen.has(wanted.digest) ? [] : [[wanted.digest, wanted] as const]))).values()
]

/** Manifests that the registry refused, to retry: their subject may have been restored meanwhile. */
const refused = (found: ReadonlyMap<Digest.Digest, Found>): ReadonlyArray<Wanted> =>
  Array.from(found.values()).flatMap(({ manifest, wanted }) => (manifest.outcome === "failed" ? [wanted] : []))

const countRestored = (found: ReadonlyMap<Digest.Digest, Found>): number =>
  Array.from(found.values()).filter(({ manifest }) => manifest.outcome === "restored").length

export const restoreTree = (
  place: Place,
  content: RegistryContent.Service,
  tagOrDigest: string
): Effect.Effect<{ readonly root: Digest.Digest; readonly steps: ReadonlyArray<RestoredStep> }, RegistryError> =>
  Effect.gen(function* () {
    const { attached, deleted } = yield* readTags(place.registry, place.repository)
    const root = yield* findRoot(place, tagOrDigest, deleted)
    const found = new Map<Digest.Digest, Found>()

    /** The tags by which a manifest was found. */
    const names = new Map<Digest.Digest, Set<string>>()
    const nameIt = (digest: Digest.Digest, name: string) =>
      names.set(digest, (names.get(digest) ?? new Set<string>()).add(name))

    /** Level by level: what a manifest names and what is attached to it is restored after it. */
    const restoreLevels = Effect.fnUntraced(function* (first: ReadonlyArray<Wanted>) {
      for (let level = first; level.length > 0;) {
        const results = yield* restoreLevel(place, content, level)
        for (const one of results) found.set(one.wanted.digest, one)
        const next = results.flatMap(({ children, manifest, wanted }) => {
          if (!isThere(manifest)) return []
          const others = attached.get(Referrer.tag(wanted.digest)) ?? []
          for (const { digest, name } of others) nameIt(digest, name)
          return [...children, ...others.map(({ digest }) => ({ digest, isRead: true }))]
        })
        level = unseen(next, found)
      }
    })

    yield* restoreLevels([{ digest: root, isRead: true }])
    if (found.get(root)?.manifest.outcome === "missing") return yield* notDeleted(tagOrDigest)
    for (let before = 0; before < countRestored(found) && refused(found).length > 0;) {
      before = countRestored(found)
      yield* restoreLevels(refused(found))
    }

    // The requested tag is restored last: until then, another run finds the same root by it.
    for (const name of deleted.tagsOf(root)) if (name !== tagOrDigest) nameIt(root, name)
    if (root !== tagOrDigest) nameIt(root, tagOrDigest)
    // Tags of manifests that were found later are restored first, and those of the root when everything else is done.
    const steps = yield* Effect.forEach(Array.from(found.values()).toReversed(), ({ manifest }) => {
      const step = { digest: manifest.digest, tags: [...(names.get(manifest.digest) ?? [])] }
      const tags = isThere(manifest) ? restoreTags(place, step) : Effect.succeed(lostTags(step.tags, manifest))
      return Effect.map(tags, (tags) => ({ ...manifest, tags }))
    })
    return { root, steps: steps.toReversed() }
  })
