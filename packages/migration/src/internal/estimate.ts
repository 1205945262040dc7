/**
 * How many requests a migration takes, and how long they take within limits. Pure.
 */
import * as Duration from "effect/Duration"
import type { Requests } from "../MigrationPlan.ts"
import { rateLimits, type Rules } from "../MigrationRules.ts"

/** Requests for an image of six layers: its manifest and, of the half that is new, layers and configuration. */
const atSource = { read: 5, write: 0, referrers: 1 }

/** Looks for the tag, the manifest and each blob; 3 mounts, 2 for each upload of 3 layers and a configuration, the manifest. */
const atTarget = { read: 9, write: 12, referrers: 0 }

const kinds = ["read", "write", "referrers"] as const

/** The requests by registry, of how many artifacts each route has. */
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

/** The time of the slowest kind of requests. A list of referrers is a read as well. */
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
