/**
 * The trash of a repository: what was soft deleted, with what belongs to it, back to where it was.
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
 * What was restored.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Restored = Schema.Struct({
  /** The manifest that the tag or the digest named. */
  root: Digest,
  /** Each manifest, in the order in which it was found: the root, and what belongs to it. */
  steps: Schema.Array(RestoredStep),
  /**
   * Which referrers were restored: those that a tag such as `sha256-<hash>.sig` attaches. The registry lists neither the types
   * nor the subjects of what is deleted, so that others can only be restored from the report of a retention.
   */
  referrers: Schema.Literal("attached by tags")
})

/**
 * What was restored.
 *
 * @category models
 * @since 0.1.0
 */
export type Restored = typeof Restored.Type

/**
 * Restores manifests and their tags in the order of a list: `restore` of a `RetentionReport.Report`.
 *
 * **Details**
 *
 * What is there already counts as such, so that an interrupted run can be repeated. A tag that names another manifest by now
 * stays there. The first tag that is free is restored with its manifest, and each further tag by a request of its own. What a
 * lost response did is found out by reading the manifest or the tag.
 *
 * A step that fails does not end the run. A refused login or permission does: it fails with `Forbidden`, `Unauthenticated` or
 * `CredentialUnavailable`, and `completed` of the error says how much was restored before. It fails with `Unsupported` if the
 * registry is not one of ACR. Restoring needs the permissions `registries/deleted/read` and
 * `registries/deleted/restore/action`, and the one to read metadata.
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
      // One after the other: a subject has to be there before its referrers.
      Effect.forEach(steps, (step) => restoreStep(place, step))
    )
  })

/**
 * Restores an artifact by tag or digest with what belongs to it: what it names, at any depth, its tags, and the signatures and
 * lists of referrers that tags attach to any of that. Fails with `NotFound` if it is neither in the trash nor in the
 * repository.
 *
 * **Details**
 *
 * A tag means the manifest of its newest deletion, or the one that it names if the trash does not have it. The manifest gets
 * back the tags that were last deleted from it, unless they name another one by now. Tags of what it names stay in the trash.
 *
 * Each manifest is restored before it is read, as the registry shows what is in it only then. Tags come last, and the tag that
 * was asked for after all others, so that a tag names its image only once the rest has been tried, and an interrupted run can
 * be repeated. Errors are
 * those of `restoreSteps`. It needs the permission to pull besides.
 *
 * **Gotchas**
 *
 * Referrers that no tag attaches are not found: the registry says of what is deleted neither what it is nor what it refers to.
 * `restoreSteps` restores them from the report of the retention that deleted them.
 *
 * A tag that was deleted several times means another manifest once it is restored: the one of the deletion before. Restore by
 * digest to be able to repeat a run that was complete.
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
