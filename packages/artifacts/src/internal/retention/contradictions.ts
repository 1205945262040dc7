/**
 * Finds contradictions in a plan: it deletes what a kept object needs. A plan of `Retention.plan` has none, but an edited one
 * may.
 */
import type { Plan } from "../../RetentionPlan.ts"
import * as Graph from "./graph.ts"

const duplicates = (names: ReadonlyArray<string>): ReadonlyArray<string> => {
  const seen = new Set<string>()
  return names.flatMap((name) => (seen.size === seen.add(name).size ? [`the plan has ${name} twice`] : []))
}

/** The contradictions of a plan, for people to read. */
export const contradictions = (plan: Plan): ReadonlyArray<string> => {
  const { nodes } = Graph.make(plan)
  const going = new Set(plan.manifests.filter(({ verdict }) => verdict === "delete").map(({ digest }) => digest))
  const goingTags = new Set(plan.tags.filter(({ verdict }) => verdict === "delete").map(({ name }) => name))
  const edited = [
    ...duplicates(plan.tags.map(({ name }) => name)),
    ...duplicates(plan.manifests.map(({ digest }) => digest)),
    // Tags that are missing in a plan would be deleted with their manifests.
    ...plan.manifests
      .filter(({ digest }) => going.has(digest))
      .flatMap(({ digest, tags }) =>
        tags
          .filter((name) => !goingTags.has(name))
          .map((name) => `the plan deletes ${digest}, and not the tag ${name}, which names it`)
      )
  ]
  const broken = Array.from(nodes.values()).flatMap(({ attached, children, manifest, referrers, subject, tags }) => {
    const { digest } = manifest
    if (going.has(digest)) {
      const kept = tags.filter(({ name }) => !goingTags.has(name))
      return kept.map(({ name }) => `the plan keeps the tag ${name} and deletes ${digest}, which it names`)
    }
    const needed = [...children, ...referrers, ...(subject === undefined ? [] : [subject])]
    return [
      ...needed
        .filter(({ manifest }) => going.has(manifest.digest))
        .map(({ manifest }) => `the plan keeps ${digest} and deletes ${manifest.digest}, which belongs to it`),
      ...attached
        .filter(({ name }) => goingTags.has(name))
        .map(({ name }) => `the plan keeps ${digest} and deletes the tag ${name}, which belongs to it`)
    ]
  })
  return [...edited, ...broken]
}
