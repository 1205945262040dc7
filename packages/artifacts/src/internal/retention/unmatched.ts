/**
 * Patterns that match nothing in a whole run.
 */
import * as Result from "effect/Result"
import type { Plan } from "../../RetentionPlan.ts"
import type { Rules } from "../../RetentionRules.ts"
import * as Patterns from "./patterns.ts"

const written = (pattern: Patterns.Source): string => JSON.stringify(pattern)

/** The patterns for repositories that match no repository. */
const unmatchedRepositories = (
  sources: ReadonlyArray<Patterns.Source>,
  repositories: ReadonlyArray<string>
): ReadonlyArray<string> =>
  Result.getOrElse(Patterns.compileAll(sources), () => ({ each: [] }))
    .each.filter(({ matches }) => !repositories.some(matches))
    .map(({ source }) => written(source))

export const unmatched = (rules: Rules, plans: Iterable<Plan>): ReadonlyArray<string> => {
  const all = Array.from(plans)
  const repositories = all.map(({ repository }) => repository)
  const inRules = rules.rules.flatMap(({ name, repositories: sources = [] }) =>
    unmatchedRepositories(sources, repositories).map((pattern) => `rule ${name}: ${pattern} matches no repository`)
  )
  const keys = all.map(
    (plan) => new Set(plan.unmatched.map(({ pattern, rule }) => `rule ${rule}: ${written(pattern)} matches no tag`))
  )
  const [first, ...others] = keys
  return [
    ...unmatchedRepositories(rules.repositories, repositories).map((pattern) => `${pattern} matches no repository`),
    ...inRules,
    ...Array.from(first ?? []).filter((key) => others.every((set) => set.has(key)))
  ]
}
