/**
 * What helps if a plan deletes more than its limits allow.
 */
import * as Retention from "@effect-acr/artifacts/Retention"
import type * as RetentionPlan from "@effect-acr/artifacts/RetentionPlan"
import { printable } from "@effect-acr/client/Printable"
import * as Option from "effect/Option"
import * as Result from "effect/Result"

type Plan = RetentionPlan.Plan

/** Where a plan and its rules come from. */
export type Origin =
  | { readonly _tag: "Flags" }
  | { readonly _tag: "Rules"; readonly file: string }
  | { readonly _tag: "Plan"; readonly file: string }

/** The fraction that is deleted, rounded up to hundredths. */
const fractionOf = (things: ReadonlyArray<{ readonly verdict: "delete" | "keep" }>): number =>
  Math.ceil((100 * things.filter(({ verdict }) => verdict === "delete").length) / Math.max(things.length, 1)) / 100

/** Whether a plan with another fraction exceeds no limit. */
const isAllowedBy = (plan: Plan) => (maxFraction: number) =>
  Result.match(
    Retention.plan({ ...plan, isLocked: false }, { ...plan.rules, limits: { ...plan.rules.limits, maxFraction } }),
    { onFailure: () => false, onSuccess: ({ exceeds }) => exceeds.length === 0 }
  )

/** The fraction that a plan needs; none if it exceeds another limit. Not all tags count, so that it may need more. */
const fractionFor = (plan: Plan): Option.Option<number> =>
  Option.fromUndefinedOr([Math.max(fractionOf(plan.tags), fractionOf(plan.manifests)), 1].find(isAllowedBy(plan)))

/** What helps where a plan exceeds its limits: to see what it deletes, and then the limit to raise. */
export const help = (origin: Origin, plan: Plan): string => {
  switch (origin._tag) {
    case "Flags": {
      const raise = Option.match(fractionFor(plan), {
        onNone: () => "only --rules FILE, in place of --tags and --untagged, sets minRemaining",
        onSome: (fraction) => `--max-fraction ${fraction} allows it`
      })
      return `--dry-run, in place of --yes, shows what would be deleted. If that is meant: ${raise}`
    }
    case "Rules":
      return `--dry-run, in place of --yes, shows what would be deleted. If that is meant, raise the limits in ${printable(origin.file)}`
    case "Plan": {
      const file = printable(origin.file)
      return `eacr purge --apply ${file} --dry-run shows what would be deleted. If that is meant, make a new plan with higher limits`
    }
  }
}
