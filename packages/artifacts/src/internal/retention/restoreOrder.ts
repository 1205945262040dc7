/**
 * The order in which deleted objects can be restored.
 */
import type * as Digest from "@effect-acr/client/Digest"
import type { Plan } from "../../RetentionPlan.ts"
import type { Outcome } from "../../RetentionReport.ts"
import type { Step } from "../../Trash.ts"

/**
 * The deleted objects: what a manifest names before it, and subjects before their referrers. Includes `gone` for a resumed run,
 * which finds gone what was deleted right before the interruption.
 */
export const restoreSteps = (plan: Plan, outcomes: ReadonlyArray<Outcome>, isResumed: boolean): ReadonlyArray<Step> => {
  const tags = new Map<Digest.Digest, Array<string>>()
  for (const { digest, outcome, tag, tags: own } of outcomes) {
    if (outcome !== "done" && !(isResumed && outcome === "gone")) continue
    const all = tags.get(digest) ?? []
    // A manifest may have more tags than a call may have arguments.
    tags.set(digest, all.concat(own, tag === undefined ? [] : [tag]))
  }
  const manifests = new Map(plan.manifests.map((manifest) => [manifest.digest, manifest]))
  const steps: Array<Step> = []
  const entered = new Set<Digest.Digest>()
  const waiting = Array.from(tags.keys(), (digest) => ({ digest, isDone: false })).toReversed()
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { digest, isDone } = next
    const names = tags.get(digest)
    if (names === undefined) continue
    if (isDone) {
      steps.push({ digest, tags: names })
    } else if (!entered.has(digest)) {
      entered.add(digest)
      waiting.push({ digest, isDone: true })
      const { children = [], otherEntries = [], subject } = manifests.get(digest) ?? {}
      const before = [...children, ...otherEntries, ...(subject === undefined ? [] : [subject])]
      for (const other of before.toReversed()) waiting.push({ digest: other, isDone: false })
    }
  }
  return steps
}
