/**
 * Restores an artifact with what belongs to it, as far as the trash shows that.
 */
import type * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
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
import { isFatal, isThere, lostTags, restoreManifest, type RestoredStep, restoreTags } from "./step.ts"
import { stopping } from "./stopping.ts"
import { type DeletedTags, readTags } from "./tags.ts"

/** Manifests that are restored at the same time. */
const atOnce = 8

/** The manifest that a tag or a digest names in the trash, or else in the repository: some of what it names may be gone. */
const findRoot = (
  registry: ContainerRegistry.Service,
  repository: string,
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

/** A manifest to restore. What an image names is no manifest, so that it is not read. */
interface Wanted {
  readonly digest: Digest.Digest
  readonly isRead: boolean
}

const wantedBy = (child: Descriptor): Wanted => ({ digest: child.digest, isRead: !isImage(child) })

/** What became of a manifest, and what it names. */
interface Found {
  readonly manifest: Omit<RestoredStep, "tags">
  readonly wanted: Wanted
  readonly children: ReadonlyArray<Wanted>
}

/** The manifests that a manifest names, or why they are not known. */
const childrenOf = (
  content: RegistryContent.Service,
  repository: string,
  digest: Digest.Digest
): Effect.Effect<Result.Result<ReadonlyArray<Wanted>, string>, RegistryError> =>
  content.rawManifest(repository, digest).pipe(
    Effect.map((raw) =>
      Result.mapBoth(referencesOf(raw), {
        // It quotes the manifest.
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
  registry: ContainerRegistry.Service,
  content: RegistryContent.Service,
  repository: string,
  wanted: Wanted
): Effect.Effect<Found, RegistryError> =>
  Effect.gen(function* () {
    const { digest, isRead } = wanted
    const manifest = { digest, ...(yield* restoreManifest(registry, repository, digest)) }
    if (!isRead || !isThere(manifest)) return { manifest, wanted, children: [] }
    return Result.match(yield* childrenOf(content, repository, digest), {
      onFailure: (unread): Found => ({ manifest: { ...manifest, unread }, wanted, children: [] }),
      onSuccess: (children): Found => ({ manifest, wanted, children })
    })
  })

/** Each digest once, without those that were seen before. */
const unseen = (all: ReadonlyArray<Wanted>, seen: ReadonlyMap<Digest.Digest, unknown>): ReadonlyArray<Wanted> => [
  ...new Map(all.flatMap((wanted) => (seen.has(wanted.digest) ? [] : [[wanted.digest, wanted] as const]))).values()
]

/** Manifests that the registry refused: their subject may have been restored meanwhile. */
const refused = (found: ReadonlyMap<Digest.Digest, Found>): ReadonlyArray<Wanted> =>
  Array.from(found.values()).flatMap(({ manifest, wanted }) => (manifest.outcome === "failed" ? [wanted] : []))

const countRestored = (found: ReadonlyMap<Digest.Digest, Found>): number =>
  Array.from(found.values()).filter(({ manifest }) => manifest.outcome === "restored").length

export const restoreTree = (
  registry: ContainerRegistry.Service,
  content: RegistryContent.Service,
  repository: string,
  tagOrDigest: string
): Effect.Effect<{ readonly root: Digest.Digest; readonly steps: ReadonlyArray<RestoredStep> }, RegistryError> =>
  Effect.gen(function* () {
    const { attached, deleted } = yield* readTags(registry, repository)
    const root = yield* findRoot(registry, repository, tagOrDigest, deleted)
    // Several are restored at the same time, so that the order of answers is not that of the manifests.
    const order = new Set<Digest.Digest>()
    const found = new Map<Digest.Digest, Found>()
    const inOrder = () => Array.from(order).flatMap((digest) => found.get(digest) ?? [])
    const tags = new Map<Digest.Digest, RestoredStep["tags"]>()
    const steps = () => inOrder().map(({ manifest }) => ({ ...manifest, tags: tags.get(manifest.digest) ?? [] }))

    /** The tags by which a manifest was found. */
    const names = new Map<Digest.Digest, Set<string>>()
    const nameIt = (digest: Digest.Digest, name: string) =>
      names.set(digest, (names.get(digest) ?? new Set<string>()).add(name))

    /** Level by level: what a manifest names, and what is attached to it, comes once it is there. */
    const restoreLevels = Effect.fnUntraced(function* (first: ReadonlyArray<Wanted>) {
      for (let level = first; level.length > 0;) {
        for (const { digest } of level) order.add(digest)
        const results = yield* Effect.forEach(
          level,
          (wanted) =>
            Effect.tap(restoreOne(registry, content, repository, wanted), (one) =>
              Effect.sync(() => found.set(wanted.digest, one))
            ),
          { concurrency: atOnce }
        )
        const next = results.flatMap(({ children, manifest, wanted }) => {
          if (!isThere(manifest)) return []
          const others = attached.get(Referrer.tag(wanted.digest)) ?? []
          for (const { digest, name } of others) nameIt(digest, name)
          return [...children, ...others.map(({ digest }) => ({ digest, isRead: true }))]
        })
        level = unseen(next, found)
      }
    })

    const restoreAll = Effect.gen(function* () {
      yield* restoreLevels([{ digest: root, isRead: true }])
      if (found.get(root)?.manifest.outcome === "missing") return yield* notDeleted(tagOrDigest)
      for (let before = 0; before < countRestored(found) && refused(found).length > 0;) {
        before = countRestored(found)
        yield* restoreLevels(refused(found))
      }
      // The tag that was asked for is the last: until then, another run finds the same root by it.
      for (const name of deleted.tagsOf(root)) if (name !== tagOrDigest) nameIt(root, name)
      if (root !== tagOrDigest) nameIt(root, tagOrDigest)
      // Tags of what was found later come first: those of the root come when nothing else is left to do.
      for (const { manifest } of inOrder().toReversed()) {
        const { digest } = manifest
        const step = { digest, tags: [...(names.get(digest) ?? [])] }
        tags.set(
          digest,
          isThere(manifest) ? yield* restoreTags(registry, repository, step) : lostTags(step.tags, manifest)
        )
      }
    })
    yield* stopping(restoreAll, steps)
    return { root, steps: steps() }
  })
