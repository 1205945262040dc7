/**
 * Restores an artifact with what belongs to it, as far as the trash shows that.
 */
import type * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as Digest from "@effect-acr/client/Digest"
import * as Referrer from "@effect-acr/client/Referrer"
import type * as RegistryContent from "@effect-acr/client/RegistryContent"
import { NotFound, RegistryError } from "@effect-acr/client/RegistryError"
import type { SoftDeletedTag } from "@effect-acr/client/SoftDeleted"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as AttachedTags from "../attachedTags.ts"
import { referencesOf } from "../references.ts"
import { restoreManifest, type RestoredStep, restoreTags, type Step } from "./step.ts"

/** The newest deletion of each tag. */
type DeletedTags = ReadonlyMap<string, Pick<SoftDeletedTag, "digest" | "deletedOn">>

const readDeletedTags = (
  registry: ContainerRegistry.Service,
  repository: string
): Effect.Effect<DeletedTags, RegistryError> =>
  Stream.runFold(
    registry.deletedTags(repository),
    () => new Map<string, Pick<SoftDeletedTag, "digest" | "deletedOn">>(),
    (newest, { deletedOn, digest, name }) => {
      const known = newest.get(name)
      if (known === undefined || DateTime.isGreaterThanOrEqualTo(deletedOn, known.deletedOn)) {
        newest.set(name, { digest, deletedOn })
      }
      return newest
    }
  )

/** The manifest that a tag or a digest names in the trash, or else in the repository: some of what it names may be gone. */
const findRoot = (
  registry: ContainerRegistry.Service,
  repository: string,
  tagOrDigest: string,
  deleted: DeletedTags
): Effect.Effect<Digest.Digest, RegistryError> => {
  if (Digest.isDigest(tagOrDigest)) return Effect.succeed(tagOrDigest)
  const found = deleted.get(tagOrDigest)
  return found === undefined
    ? Effect.map(registry.tagProperties(repository, tagOrDigest), ({ digest }) => digest)
    : Effect.succeed(found.digest)
}

/** The tags of a manifest in the trash. */
const tagsOf = (deleted: DeletedTags, wanted: Digest.Digest): ReadonlyArray<string> =>
  Array.from(deleted).flatMap(([name, { digest }]) => (digest === wanted ? [name] : []))

/** What tags attach to a manifest, by its referrers tag: signatures of cosign, and lists of referrers. */
const attachedTags = (deleted: DeletedTags): ReadonlyMap<string, ReadonlyArray<Step>> => {
  const all = new Map<string, Array<Step>>()
  for (const [name, { digest }] of deleted) {
    const attached = AttachedTags.parse(name)
    if (Option.isNone(attached)) continue
    const { list } = attached.value
    const others = all.get(list) ?? []
    others.push({ digest, tags: [name] })
    all.set(list, others)
  }
  return all
}

/** The manifests that a manifest names. */
const childrenOf = (
  content: RegistryContent.Service,
  repository: string,
  digest: Digest.Digest
): Effect.Effect<ReadonlyArray<Digest.Digest>, RegistryError> =>
  Effect.map(content.rawManifest(repository, digest), (raw) =>
    Result.match(referencesOf(raw), {
      onFailure: () => [],
      onSuccess: ({ manifests }) => manifests.map((child) => child.digest)
    })
  )

const notDeleted = (tagOrDigest: string): RegistryError =>
  new RegistryError({
    operation: "Trash.restore",
    reason: new NotFound({
      resource: Digest.isDigest(tagOrDigest) ? "manifest" : "tag",
      description: `${tagOrDigest} is neither in the trash nor in the repository`
    })
  })

export const restoreTree = (
  registry: ContainerRegistry.Service,
  content: RegistryContent.Service,
  repository: string,
  tagOrDigest: string
): Effect.Effect<{ readonly root: Digest.Digest; readonly steps: ReadonlyArray<RestoredStep> }, RegistryError> =>
  Effect.gen(function* () {
    const deleted = yield* readDeletedTags(registry, repository)
    const attached = attachedTags(deleted)
    const root = yield* findRoot(registry, repository, tagOrDigest, deleted)
    // The root comes first, as it says what it names. Its tags come last, so that they never name half of it.
    const waiting: Array<Step> = [{ digest: root, tags: tagsOf(deleted, root) }]
    const seen = new Set<Digest.Digest>()
    const found: Array<{ readonly step: Step; readonly manifest: Omit<RestoredStep, "digest" | "tags"> }> = []
    for (const step of waiting) {
      const { digest } = step
      if (seen.has(digest)) continue
      seen.add(digest)
      const manifest = yield* restoreManifest(registry, repository, digest)
      found.push({ step, manifest })
      if (manifest.outcome === "missing" && digest === root) return yield* notDeleted(tagOrDigest)
      if (manifest.outcome !== "restored" && manifest.outcome !== "present") continue
      const children = yield* childrenOf(content, repository, digest)
      waiting.push(
        ...children.map((child) => ({ digest: child, tags: [] })),
        ...(attached.get(Referrer.tag(digest)) ?? [])
      )
    }
    // Tags of what was found later come first: the root's are the last.
    const steps = yield* Effect.forEach(found.toReversed(), ({ manifest, step }) =>
      Effect.map(restoreTags(registry, repository, step), (tags) => ({ digest: step.digest, ...manifest, tags }))
    )
    return { root, steps: steps.toReversed() }
  })
