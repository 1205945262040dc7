/**
 * Retention: deletes tags and manifests of a repository by rules, and nothing that what stays needs.
 *
 * `inventory` reads what a repository holds, `plan` decides about it, and `apply` carries the plan out.
 *
 * @since 0.1.0
 */
import type { Digest } from "@effect-acr/client/Digest"
import type { RegistryError } from "@effect-acr/client/RegistryError"
import type * as DateTime from "effect/DateTime"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as KeyValueStore from "effect/persistence/KeyValueStore"
import type * as Result from "effect/Result"
import * as Applying from "./internal/retention/apply.ts"
import * as Planning from "./internal/retention/plan.ts"
import type { RetentionError } from "./RetentionError.ts"
import * as RetentionInventory from "./RetentionInventory.ts"
import type { RetentionJournal } from "./RetentionJournal.ts"
import type { Plan } from "./RetentionPlan.ts"
import type { Report } from "./RetentionReport.ts"
import type { Rules } from "./RetentionRules.ts"
import type { RetentionTarget } from "./RetentionTarget.ts"

/**
 * Reads the inventory of a repository.
 *
 * @category operations
 * @since 0.1.0
 */
export const inventory: (
  target: RetentionTarget,
  options?: RetentionInventory.ReadOptions
) => Effect.Effect<RetentionInventory.Inventory, RegistryError | RetentionError> = RetentionInventory.read

/**
 * What rules may ask for, and the registry does not tell.
 *
 * @category options
 * @since 0.1.0
 */
export interface Supplied {
  /** Lists of digests, by the name that rules give them: what clusters run. */
  readonly digests?: { readonly [list: string]: Iterable<Digest> }
  /** When manifests were pulled last. What is not in it has not been pulled since it was pushed. */
  readonly pulls?: ReadonlyMap<Digest, DateTime.Utc>
}

/**
 * Decides about each tag and manifest of an inventory. Nothing is requested. Fails with `UnknownList` if a rule asks for
 * something that is not supplied.
 *
 * **Details**
 *
 * A plan deletes nothing that something which stays needs: no image of an index, no referrer, signature or attestation.
 *
 * @category operations
 * @since 0.1.0
 */
export const plan = (
  inventory: RetentionInventory.Inventory,
  rules: Rules,
  supplied: Supplied = {}
): Result.Result<Plan, RetentionError> => Planning.make(inventory, rules, supplied)

/**
 * How to carry out a plan.
 *
 * @category options
 * @since 0.1.0
 */
export interface ApplyOptions {
  /** Where to write what was done, to resume an interrupted run. Defaults to nowhere. */
  readonly journal?: RetentionJournal
  /** How old the plan may be. Defaults to one hour. A long run that is resumed needs more. */
  readonly maxAge?: Duration.Input
  /** Whether locked tags and manifests may be unlocked and deleted, if the rules include them. Defaults to `false`. */
  readonly allowLocked?: boolean
  /** How many deletions are under way at the same time. Defaults to 8. */
  readonly concurrency?: number
  /** As for `inventory`. */
  readonly cache?: KeyValueStore.KeyValueStore
}

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
 * @category operations
 * @since 0.1.0
 */
export const apply = (
  target: RetentionTarget,
  plan: Plan,
  rules: Rules,
  options: ApplyOptions = {}
): Effect.Effect<Report, RegistryError | RetentionError> => Applying.apply(target, plan, rules, options)
