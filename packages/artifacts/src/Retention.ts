/**
 * Retention: deletes tags and manifests of a repository by rules, and nothing that what stays needs.
 *
 * `open` a repository, read its `inventory`, let `plan` decide about it, and let `apply` carry the plan out.
 *
 * @since 0.1.0
 */
import * as ContainerRegistry from "@effect-acr/client/ContainerRegistry"
import type * as Reference from "@effect-acr/client/Reference"
import * as Registries from "@effect-acr/client/Registries"
import * as RegistryContent from "@effect-acr/client/RegistryContent"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as Transport from "@effect-acr/client/Transport"
import * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Acr from "./internal/retention/acr.ts"
import * as Applying from "./internal/retention/apply.ts"
import * as Formatting from "./internal/retention/format.ts"
import * as Reading from "./internal/retention/inventory.ts"
import type { Supplied } from "./internal/retention/judge.ts"
import * as Planning from "./internal/retention/plan.ts"
import type { Services } from "./internal/retention/services.ts"
import * as Tagged from "./internal/retention/tagged.ts"
import * as Matching from "./internal/retention/unmatched.ts"
import type { RetentionError } from "./RetentionError.ts"
import type { Inventory } from "./RetentionInventory.ts"
import type { Plan } from "./RetentionPlan.ts"
import type { Report } from "./RetentionReport.ts"
import type { Rules } from "./RetentionRules.ts"
import type { RetentionTarget } from "./RetentionTarget.ts"

export type { ApplyOptions } from "./internal/retention/apply.ts"
export type { ReadOptions } from "./internal/retention/inventory.ts"
export type { Supplied } from "./internal/retention/judge.ts"

const make = (services: Services, repository: string): Effect.Effect<RetentionTarget, RegistryError> =>
  Effect.map(Acr.isAcr(services.registry, repository), (isAcr) =>
    isAcr ? Acr.make(services, repository) : Tagged.make(services, repository)
  )

/**
 * Makes a target of a repository of the registry that the layers of the program are for. It asks the registry whether it has
 * ACR's management API.
 *
 * **Details**
 *
 * With that API, all manifests are listed, and there are times, locks, states of quarantine and a trash. Without it, only what
 * tags lead to is known: what a tag does not lead to is neither counted nor deleted. There are no times either, so that
 * nothing is deleted unless the rules set `safetyAge` to `none`, and rules by age match nothing. Looking again then resolves
 * every tag before each deletion.
 *
 * @category constructors
 * @since 0.1.0
 */
export const target = (
  repository: string
): Effect.Effect<
  RetentionTarget,
  RegistryError,
  ContainerRegistry.ContainerRegistry | RegistryContent.RegistryContent | Transport.Transport
> =>
  Effect.gen(function* () {
    const registry = yield* ContainerRegistry.ContainerRegistry
    const content = yield* RegistryContent.RegistryContent
    const transport = yield* Transport.Transport
    return yield* make({ content, registry, transport }, repository)
  })

/**
 * Makes a target of the repository that a reference names, with the login that the credentials have for its registry.
 * `target` has the details.
 *
 * **Example** (Deleting by rules)
 *
 * ```ts
 * import { Retention, type RetentionRules } from "@effect-acr/artifacts"
 * import { Console, Effect } from "effect"
 *
 * export const cleanUp = (reference: string, rules: RetentionRules.Rules) =>
 *   Effect.gen(function* () {
 *     const target = yield* Retention.open(reference)
 *     const inventory = yield* Retention.inventory(target)
 *     const plan = yield* Effect.fromResult(Retention.plan(inventory, rules))
 *     yield* Console.log(Retention.format(plan))
 *     return yield* Retention.apply(target, plan, rules)
 *   })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = (
  reference: string | Reference.Reference
): Effect.Effect<RetentionTarget, RegistryError, Registries.Registries> =>
  Effect.flatMap(Registries.open(reference), (opened) => make(opened, opened.repository))

/**
 * Reads the inventory of a repository. Fails with `CacheFailed` if the cache does.
 *
 * **Details**
 *
 * The lists of tags and manifests are read, and each manifest that may name others or a subject: on ACR all but Docker images.
 * A repository that does not exist is empty.
 *
 * A warning says if the registry's clock and this machine's differ by more than five minutes. Ages are counted by the
 * registry's.
 *
 * @category running
 * @since 0.1.0
 */
export const inventory: (
  target: RetentionTarget,
  options?: Reading.ReadOptions
) => Effect.Effect<Inventory, RegistryError | RetentionError> = Reading.read

/**
 * Decides about each tag and manifest of an inventory. Nothing is requested. Fails with `OtherRepository` if the rules are not
 * for the repository, and with `UnknownList` if a rule asks for something that is not supplied.
 *
 * **Details**
 *
 * A plan deletes nothing that something which stays needs: no image of an index, no referrer, signature or attestation.
 *
 * @category running
 * @since 0.1.0
 */
export const plan = (
  inventory: Inventory,
  rules: Rules,
  supplied: Supplied = {}
): Result.Result<Plan, RetentionError> => Planning.make(inventory, rules, supplied)

/**
 * Carries out a plan. Before anything is deleted, it fails if the plan is for another repository, by other rules, too old, or
 * beyond the limits of the rules.
 *
 * **Details**
 *
 * Right before each deletion it looks again: at the manifest, at its referrers, and at what came since the plan. What has
 * changed stays, with all that it needs, and the report says so. Indexes go before their images, and images before their
 * signatures, so that a run that ends anywhere leaves nothing broken.
 *
 * The run ends early if the registry refuses the login or the permission; the report says what it did not reach. Afterwards it
 * reads the repository again and reports what is missing.
 *
 * **Gotchas**
 *
 * No registry deletes on a condition. A push between the start of the last look at an object and its deletion goes unseen;
 * that is one round of requests and one more. On ACR, soft delete makes such a loss reversible.
 *
 * @category running
 * @since 0.1.0
 */
export const apply = (
  target: RetentionTarget,
  plan: Plan,
  rules: Rules,
  options: Applying.ApplyOptions = {}
): Effect.Effect<Report, RegistryError | RetentionError> => Applying.apply(target, plan, rules, options)

/**
 * Writes a plan for people: what goes and why, what stays and why, and what is odd.
 *
 * **Gotchas**
 *
 * The format is for people and may change. Programs read the plan.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format: (plan: Plan) => string = Formatting.format

/**
 * The patterns of rules that match nothing in any of the plans of a run: most likely they are misspelt.
 *
 * @category getters
 * @since 0.1.0
 */
export const unmatched: (rules: Rules, plans: Iterable<Plan>) => ReadonlyArray<string> = Matching.unmatched
