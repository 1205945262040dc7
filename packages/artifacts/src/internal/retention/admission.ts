/**
 * Decides whether a plan may be carried out, before anything is deleted.
 */
import type { RegistryError } from "@effect-acr/client/RegistryError"
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import { RetentionError } from "../../RetentionError.ts"
import type { Plan } from "../../RetentionPlan.ts"
import type { Rules } from "../../RetentionRules.ts"
import type { RetentionTarget } from "../../RetentionTarget.ts"
import * as Actions from "./actions.ts"
import { contradictions } from "./contradictions.ts"
import { exceeded } from "./limits.ts"

const refuse = (problem: RetentionError["problem"], description: string) =>
  Effect.fail(new RetentionError({ problem, description }))

/** A plan that may be carried out. */
interface Admitted {
  /** The registry's time. */
  readonly now: DateTime.Utc
  readonly levels: ReadonlyArray<ReadonlyArray<Actions.Step>>
}

/** Refuses a plan that is not for this run. */
export const admit = (
  target: RetentionTarget,
  plan: Plan,
  rules: Rules,
  { allowLocked, maxAge }: { readonly allowLocked: boolean; readonly maxAge: Duration.Duration }
): Effect.Effect<Admitted, RegistryError | RetentionError> =>
  Effect.gen(function* () {
    const { place, repository } = target.origin
    if (plan.registry !== place || plan.repository !== repository) {
      return yield* refuse(
        "OtherRepository",
        `the plan is for ${plan.registry}/${plan.repository}, and this is ${place}/${repository}`
      )
    }
    if (!Equal.equals(plan.rules, rules))
      return yield* refuse("OtherRules", "the plan was made by other rules: make a new one")
    const here = yield* DateTime.now
    const now = Option.getOrElse(yield* target.now, () => here)
    const age = Duration.abs(DateTime.distance(plan.at, now))
    if (Duration.isGreaterThan(age, maxAge)) {
      return yield* refuse(
        "TooOld",
        `the plan is ${Duration.format(age)} old, and maxAge is ${Duration.format(maxAge)}: make a new one`
      )
    }
    // A plan is data, which may have been edited.
    const exceeds = exceeded(plan.tags, plan.manifests, rules)
    if (exceeds.length > 0) {
      return yield* refuse("LimitExceeded", `the plan exceeds the limits of its rules: ${exceeds.join("; ")}`)
    }
    const [contradiction] = contradictions(plan)
    if (contradiction !== undefined) return yield* refuse("InconsistentPlan", contradiction)
    const levels = Actions.levels(plan)
    const locked = new Set(levels.flatMap((steps) => steps.flatMap((step) => step.locked)))
    const [first] = locked
    if (!allowLocked && first !== undefined) {
      const others = locked.size > 1 ? ` and ${locked.size - 1} more` : ""
      const what = `the plan deletes what is locked: ${first}${others}`
      return yield* refuse("LocksNotAllowed", `${what}; the run has to say allowLocked for that`)
    }
    return { now, levels }
  })
