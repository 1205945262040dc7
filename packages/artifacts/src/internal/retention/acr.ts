/**
 * A repository of Azure Container Registry, by its management API.
 */
import type * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import * as ChangeableAttributes from "@effect-acr/client/ChangeableAttributes"
import * as Digest from "@effect-acr/client/Digest"
import type { ManifestProperties } from "@effect-acr/client/ManifestProperties"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type { TagProperties } from "@effect-acr/client/TagProperties"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { ManifestState, RetentionTarget, TagState } from "../../RetentionTarget.ts"
import { ifFound, orEmpty } from "../found.ts"
import { registryTime, type Services } from "./services.ts"

/** How many requests a check of one object sends at once. */
const looksAtOnce = 16

/** The page size of a check. Few manifests are pushed while a plan is carried out. */
const newestPage = 50

const unavailable: ReadonlySet<string> = new Set(["NotFound", "Unsupported", "Forbidden", "Unauthenticated"])

const tagState = (tag: TagProperties): TagState => ({
  name: tag.name,
  digest: tag.digest,
  updatedOn: tag.lastUpdatedOn,
  isLocked: !ChangeableAttributes.isDeletable(tag)
})

/** The original record is not kept: it takes more memory than the rest. */
const manifestState = (manifest: ManifestProperties): ManifestState => ({
  digest: manifest.digest,
  ...(manifest.mediaType === undefined ? {} : { mediaType: manifest.mediaType }),
  ...(manifest.configMediaType === undefined ? {} : { configMediaType: manifest.configMediaType }),
  ...(manifest.sizeInBytes === undefined ? {} : { sizeBytes: manifest.sizeInBytes }),
  createdOn: manifest.createdOn,
  // Most manifests never change: one object is kept for both times. `Equal` would cache each comparison.
  updatedOn: DateTime.Equivalence(manifest.createdOn, manifest.lastUpdatedOn)
    ? manifest.createdOn
    : manifest.lastUpdatedOn,
  isLocked: !ChangeableAttributes.isDeletable(manifest),
  ...(manifest.quarantineState === undefined ? {} : { quarantineState: manifest.quarantineState }),
  tags: manifest.tags
})

/** Whether a registry has the management API. A missing repository does not mean that the API is missing. */
export const isAcr = (registry: ContainerRegistry.Service, repository: string): Effect.Effect<boolean, RegistryError> =>
  registry.repositoryProperties(repository).pipe(
    Effect.as(true),
    Effect.catchReason("RegistryError", "NotFound", () => Effect.succeed(true)),
    Effect.catchReason("RegistryError", "Unsupported", () => Effect.succeed(false))
  )

export const make = ({ content, registry, transport }: Services, repository: string): RetentionTarget => ({
  origin: { place: registry.loginServer, repository },
  now: registryTime(transport),
  contents: Effect.map(
    ifFound(registry.repositoryProperties(repository)),
    Option.map((properties) => ({
      tagCount: properties.tagCount,
      manifestCount: properties.manifestCount,
      isLocked: !ChangeableAttributes.isDeletable(properties)
    }))
  ),
  tags: Stream.map(orEmpty(registry.tags(repository)), tagState),
  listing: { _tag: "Everything", manifests: Stream.map(orEmpty(registry.manifests(repository)), manifestState) },
  manifest: (digest) => ifFound(content.rawManifest(repository, digest)),
  tag: (name) => Effect.map(ifFound(registry.tagProperties(repository, name)), Option.map(tagState)),
  look: (digests, since) => {
    const newest = orEmpty(registry.manifests(repository, { orderBy: "newest", pageSize: newestPage })).pipe(
      Stream.takeWhile(({ lastUpdatedOn }) => DateTime.isGreaterThanOrEqualTo(lastUpdatedOn, since)),
      Stream.map(manifestState),
      Stream.runCollect
    )
    const newestTags = orEmpty(registry.tags(repository, { orderBy: "newest", pageSize: newestPage })).pipe(
      Stream.takeWhile(({ lastUpdatedOn }) => DateTime.isGreaterThanOrEqualTo(lastUpdatedOn, since)),
      Stream.map(tagState),
      Stream.runCollect
    )
    const manifests = Effect.forEach(digests, (digest) => ifFound(registry.manifestProperties(repository, digest)), {
      concurrency: looksAtOnce
    })
    return Effect.map(Effect.all([newest, newestTags, manifests], { concurrency: 3 }), ([newer, newerTags, found]) => ({
      newer,
      newerTags,
      manifests: new Map(
        found.flatMap((one) => Option.toArray(one)).map((one) => [one.digest, manifestState(one)] as const)
      )
    }))
  },
  deleteTag: (name) => Effect.asVoid(registry.deleteTag(repository, name)),
  deleteManifest: (digest) => Effect.asVoid(registry.deleteManifest(repository, digest)),
  unlock: (tagOrDigest) =>
    Effect.gen(function* () {
      const isDigest = Digest.isDigest(tagOrDigest)
      const current = isDigest
        ? yield* registry.manifestProperties(repository, tagOrDigest)
        : yield* registry.tagProperties(repository, tagOrDigest)
      const update = (attributes: ChangeableAttributes.Update) =>
        isDigest
          ? Effect.asVoid(registry.updateManifest(repository, tagOrDigest, attributes))
          : Effect.asVoid(registry.updateTag(repository, tagOrDigest, attributes))
      const relock = update({ canDelete: current.canDelete, canWrite: current.canWrite })
      // The response may be lost although the object was unlocked.
      yield* Effect.onError(update({ canDelete: true, canWrite: true }), () => Effect.ignore(relock))
      return { relock }
    }),
  // The trash may be disabled, and reading it needs a permission that deleting does not need.
  deletedTags: Stream.catchIf(
    registry.deletedTags(repository),
    ({ reason }) => unavailable.has(reason._tag),
    () => Stream.empty
  )
})
