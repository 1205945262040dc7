/**
 * Retention: deletes tags and manifests of a repository by rules, and never deletes what remaining artifacts need.
 *
 * `open` a repository, read its `inventory`, make a `plan` from it by rules, and `apply` the plan.
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
 * Makes a target of a repository of the registry that the program's layers connect to. Asks the registry whether it has ACR's management API.
 *
 * **When to use**
 *
 * Use in a program whose layers are for one registry. `open` takes a reference to a repository of any registry.
 *
 * **Details**
 *
 * With that API, the registry lists all manifests, and has times, locks, quarantine states and a trash. Without it, only
 * manifests that tags lead to are known; others are neither counted nor deleted. There are no times either: nothing is deleted
 * unless the rules set `safetyAge` to `none`, and rules by age match nothing. The check before each deletion then resolves every
 * tag.
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
 * Makes a target of the repository that a reference names, with the credentials for its registry. `target` has the details.
 *
 * **When to use**
 *
 * Use in most programs. `target` is for programs whose layers are for one registry.
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
 * Reads the inventory of a repository. Fails with `CacheFailed` if the cache fails.
 *
 * **Details**
 *
 * Reads the lists of tags and manifests, and each manifest that may name others or a subject: on ACR, all except Docker images. A
 * repository that does not exist is empty.
 *
 * The inventory has a warning if the clocks of the registry and of this machine differ by more than five minutes. Ages are
 * computed by the registry's clock.
 *
 * @category running
 * @since 0.1.0
 */
export const inventory: (
  target: RetentionTarget,
  options?: Reading.ReadOptions
) => Effect.Effect<Inventory, RegistryError | RetentionError> = Reading.read

/**
 * Decides about each tag and manifest of an inventory, without requests. Fails with `OtherRepository` if the rules are not for
 * the repository, and with `UnknownList` if a rule needs a list or pull times that are not supplied.
 *
 * **Details**
 *
 * A plan deletes nothing that a remaining artifact needs: no image of an index, no referrer, signature or attestation.
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
 * Carries out a plan. Fails before anything is deleted if the plan is for another repository, made by other rules, too old, or
 * exceeds the limits of the rules.
 *
 * **Details**
 *
 * Right before each deletion, it reads the manifest, its referrers, and everything pushed since the plan. A changed object stays
 * with everything that it needs, and the report says so. Indexes are deleted before their images, and images before their
 * signatures, so that an interrupted run leaves nothing broken.
 *
 * If the registry refuses the credentials or a permission, the run stops, and the report lists the actions that were not reached.
 * At the end, it reads the repository again and reports what is missing.
 *
 * **Gotchas**
 *
 * No registry supports conditional deletion. A push between the start of the last check of an object and its deletion goes
 * unseen; that window is one round of requests plus the deletion. On ACR, soft delete makes such a loss reversible.
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
 * Formats a plan for people to read: what it deletes and why, what it keeps and why, and warnings.
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
 * Lists the patterns of rules that match nothing in any of the plans of a run. Most likely they are misspelt.
 *
 * @category getters
 * @since 0.1.0
 */
export const unmatched: (rules: Rules, plans: Iterable<Plan>) => ReadonlyArray<string> = Matching.unmatched
