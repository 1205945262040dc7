/**
 * Estimates the requests of a migration, and bounds the time that they take within limits. Pure.
 */
import * as Duration from "effect/Duration"
import type { Requests } from "../MigrationPlan.ts"
import { rateLimits, type Rules } from "../MigrationRules.ts"

/** The artifacts to copy of a route. */
export interface Planned {
  readonly artifacts: number
  /** The number of their tags that the target lacks. */
  readonly newTags: number
}

type Costs = Pick<Requests, "read" | "write" | "referrers">

const kinds = ["read", "write", "referrers"] as const

/** Adds up the requests to each registry. */
const sumOf = (
  { routes }: Rules,
  planned: ReadonlyMap<number, Planned>,
  atSource: (planned: Planned) => Costs,
  atTarget: (planned: Planned) => Costs
): ReadonlyArray<Requests> => {
  const all = new Map<string, Record<keyof Costs, number>>()
  const add = (loginServer: string, costs: Costs) => {
    const sum = all.get(loginServer) ?? { read: 0, write: 0, referrers: 0 }
    for (const kind of kinds) sum[kind] += costs[kind]
    all.set(loginServer, sum)
  }
  for (const [index, { from, to }] of routes.entries()) {
    const own = planned.get(index) ?? { artifacts: 0, newTags: 0 }
    if ("registry" in from) add(from.registry, atSource(own))
    if ("registry" in to) add(to.registry, atTarget(own))
  }
  return Array.from(all, ([loginServer, sum]) => ({ loginServer, ...sum }))
}

/**
 * The requests by registry for images of six layers, of which three are new in their repository. At the source: the manifest, the
 * configuration, the new layers, and both lists of referrers. At the target: HEAD for the tag, the manifest and each new blob,
 * two requests for each upload, and the manifest.
 */
export const requestsOf = (rules: Rules, planned: ReadonlyMap<number, Planned>): ReadonlyArray<Requests> => {
  const lists = rules.referrers === false ? 0 : 1
  return sumOf(
    rules,
    planned,
    ({ artifacts }) => ({ read: (5 + lists) * artifacts, write: 0, referrers: lists * artifacts }),
    ({ artifacts }) => ({ read: 6 * artifacts, write: 9 * artifacts, referrers: 0 })
  )
}

/**
 * The requests that no copy omits: the manifest at the source, and HEAD and PUT for each new tag at the target. Blobs do not count,
 * since the target may have them, and neither do lists of referrers, which some registries have under a tag.
 */
const leastRequests = (rules: Rules, planned: ReadonlyMap<number, Planned>): ReadonlyArray<Requests> =>
  sumOf(
    rules,
    planned,
    ({ artifacts }) => ({ read: artifacts, write: 0, referrers: 0 }),
    ({ newTags }) => ({ read: newTags, write: newTags, referrers: 0 })
  )

/** A lower bound of the time of a run in one process. The requests of the first minute may be sent at once. */
export const leastDuration = (rules: Rules, planned: ReadonlyMap<number, Planned>): Duration.Duration | undefined => {
  const minutes = leastRequests(rules, planned).flatMap(({ loginServer, ...counts }) => {
    const limits = rateLimits(rules, loginServer)
    return kinds.flatMap((kind) => {
      const limit = limits[kind]
      return limit === undefined ? [] : [Math.max(0, counts[kind] - limit) / limit]
    })
  })
  return minutes.length === 0 ? undefined : Duration.minutes(Math.max(...minutes))
}
