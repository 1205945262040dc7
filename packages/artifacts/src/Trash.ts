/**
 * Restores soft-deleted artifacts of a repository with everything that belongs to them.
 *
 * `ContainerRegistry` lists what is in the trash, and restores one manifest or one tag.
 *
 * @since 0.1.0
 */
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import { Digest } from "@effect-acr/client/Digest"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { RestoredStep, restoreStep, type Step } from "./internal/trash/step.ts"
import { restoring } from "./internal/trash/stopping.ts"
import { restoreTree } from "./internal/trash/tree.ts"

export { Outcome, RestoredStep, Step } from "./internal/trash/step.ts"

/**
 * The result of a restore.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Restored = Schema.Struct({
  /** The manifest that the tag or the digest names. */
  root: Digest,
  /** The root and each manifest that belongs to it, in the order in which they were found. */
  steps: Schema.Array(RestoredStep),
  /**
   * Which referrers were restored: only those that a tag such as `sha256-<hash>.sig` attaches. The registry lists neither types
   * nor subjects of deleted manifests, so that other referrers can only be restored from the report of a retention run.
   */
  referrers: Schema.Literal("attached by tags")
})

export type Restored = typeof Restored.Type

/**
 * Restores manifests and their tags in the order of a list.
 *
 * **When to use**
 *
 * Use to undo a retention run: the list is `restore` of its `RetentionReport.Report`. For a single tag or digest use `restore`.
 *
 * **Details**
 *
 * Objects that exist already are reported as `present`, so that an interrupted run can be repeated. A tag that names another
 * manifest by now is not moved. The first free tag is restored together with its manifest, and each further tag by a separate
 * request. If a response is lost, the manifest or the tag is read to find out whether it was restored.
 *
 * A failed step does not end the run. Refused credentials or permissions do: the effect fails with `Forbidden`, `Unauthenticated`
 * or `CredentialUnavailable`, and `completed` of the error says how much was restored before. Fails with `Unsupported` if the
 * registry is not an Azure Container Registry. Restoring needs the permissions `registries/deleted/read` and
 * `registries/deleted/restore/action`, and the permission to read metadata.
 *
 * **Example** (Restoring what a retention deleted)
 *
 * ```ts
 * import { type RetentionReport, Trash } from "@effect-acr/artifacts"
 *
 * export const undo = (report: RetentionReport.Report) => Trash.restoreSteps(report.repository, report.restore)
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const restoreSteps = (
  repository: string,
  steps: ReadonlyArray<Step>
): Effect.Effect<ReadonlyArray<RestoredStep>, RegistryError, ContainerRegistry.ContainerRegistry> =>
  Effect.gen(function* () {
    const registry = yield* ContainerRegistry.ContainerRegistry
    return yield* restoring(registry, repository, (place) =>
      // One after the other: a subject must exist before its referrers.
      Effect.forEach(steps, (step) => restoreStep(place, step))
    )
  })

/**
 * Restores an artifact by tag or digest with everything that belongs to it: the manifests that it names, at any depth, its tags,
 * and the signatures and lists of referrers that tags attach to any of these. Fails with `NotFound` if it is neither in the trash
 * nor in the repository.
 *
 * **When to use**
 *
 * Use to undo the deletion of a single image. `restoreSteps` undoes a retention run, including referrers without a tag.
 *
 * **Details**
 *
 * A tag stands for the manifest of its newest deletion, or for the one that it names if the trash does not have the tag. The
 * manifest gets back the tags that were last deleted from it, unless they name another manifest by now. Tags of the manifests
 * that it names stay in the trash.
 *
 * Each manifest is restored before it is read, since the registry returns its content only then. Tags are restored last, and the
 * requested tag after all others: a tag names its image only once everything else has been tried, and an interrupted run can be
 * repeated. Fails like `restoreSteps`. Also needs the permission to pull.
 *
 * **Gotchas**
 *
 * Referrers that no tag attaches are not found: the registry returns neither type nor subject of deleted manifests.
 * `restoreSteps` restores them from the report of the retention run that deleted them.
 *
 * If a tag was deleted several times, it stands for another manifest once it is restored: that of the deletion before. To be able
 * to repeat a complete run, restore by digest.
 *
 * **Example** (Restoring a tag)
 *
 * ```ts
 * import { Trash } from "@effect-acr/artifacts"
 * import { Console, Effect } from "effect"
 *
 * export const undelete = Effect.gen(function* () {
 *   const { root, steps } = yield* Trash.restore("shop/api", "v1.4.0")
 *   yield* Console.log(`${root}: ${steps.length} manifests`)
 * })
 * ```
 *
 * @category running
 * @since 0.1.0
 */
export const restore = (
  repository: string,
  tagOrDigest: string
): Effect.Effect<Restored, RegistryError, ContainerRegistry.ContainerRegistry | RegistryContent.RegistryContent> =>
  Effect.gen(function* () {
    const registry = yield* ContainerRegistry.ContainerRegistry
    const content = yield* RegistryContent.RegistryContent
    const restored = yield* restoring(registry, repository, (place) => restoreTree(place, content, tagOrDigest))
    return { ...restored, referrers: "attached by tags" as const }
  })
