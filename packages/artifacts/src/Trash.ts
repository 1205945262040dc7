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
 * stays there. Only a login or a permission that is refused ends the run early: it fails with `Forbidden`, `Unauthenticated` or
 * `CredentialUnavailable`. Reading the trash needs `registries/deleted/read`, and restoring
 * `registries/deleted/restore/action`.
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
    // A subject has to be there before its referrers.
    return yield* Effect.forEach(steps, (step) => restoreStep(registry, repository, step))
  })

/**
 * Restores an artifact by tag or digest with what belongs to it: what it names, at any depth, its tags, and the signatures and
 * lists of referrers that tags attach to any of that. Fails with `NotFound` if it is neither in the trash nor in the
 * repository.
 *
 * **Details**
 *
 * A tag means its newest deletion. The tags come last, so that no tag names half an image. Running it again does what is left.
 *
 * **Gotchas**
 *
 * Referrers that no tag attaches are not found: the registry says of what is deleted neither what it is nor what it refers to.
 * `restoreSteps` restores them from the report of the retention that deleted them.
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
    const restored = yield* restoreTree(registry, content, repository, tagOrDigest)
    return { ...restored, referrers: "attached by tags" as const }
  })
