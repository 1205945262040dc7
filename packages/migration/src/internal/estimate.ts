/**
 * Estimates the requests of a migration, and the least time that they take within limits. Pure.
 */
import * as Duration from "effect/Duration"
import type { Requests } from "../MigrationPlan.ts"
import { rateLimits, type Rules } from "../MigrationRules.ts"

/** Requests for an image of six layers: the manifest, the configuration, and the three layers that are new. */
const atSource = { read: 5, write: 0, referrers: 1 }

/** HEAD for the tag, the manifest and each blob; 3 mounts, 2 for each upload (3 layers, 1 configuration), the manifest. */
const atTarget = { read: 9, write: 12, referrers: 0 }

const kinds = ["read", "write", "referrers"] as const

/** The requests by registry, for a number of artifacts by route. */
export const requestsOf = (rules: Rules, artifacts: ReadonlyMap<number, number>): ReadonlyArray<Requests> => {
  const all = new Map<string, { read: number; write: number; referrers: number }>()
  const add = (loginServer: string, count: number, costs: typeof atSource) => {
    const sum = all.get(loginServer) ?? { read: 0, write: 0, referrers: 0 }
    for (const kind of kinds) sum[kind] += count * costs[kind]
    all.set(loginServer, sum)
  }
  for (const [index, { from, to }] of rules.routes.entries()) {
    const count = artifacts.get(index) ?? 0
    const listsReferrers = rules.referrers !== false
    if ("registry" in from) add(from.registry, count, { ...atSource, referrers: listsReferrers ? 1 : 0 })
    if ("registry" in to) add(to.registry, count, atTarget)
  }
  return Array.from(all, ([loginServer, sum]) => ({ loginServer, ...sum }))
}

/** The time that the slowest kind of requests takes. A list of referrers counts as a read too. */
export const leastDuration = (rules: Rules, requests: ReadonlyArray<Requests>): Duration.Duration | undefined => {
  const minutes = requests.flatMap(({ loginServer, ...counts }) => {
    const limits = rateLimits(rules, loginServer)
    const all = { ...counts, read: counts.read + counts.referrers }
    return kinds.flatMap((kind) => {
      const limit = limits[kind]
      return limit === undefined ? [] : [all[kind] / limit]
    })
  })
  return minutes.length === 0 ? undefined : Duration.minutes(Math.max(...minutes))
}
