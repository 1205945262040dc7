/**
 * Tracks what was pushed since a plan. Each check lists only what was pushed since the check before it: otherwise, in a long run
 * with many pushes, each check would list all of them again.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { constFalse } from "effect/Function"
import type { Look, TagState } from "../../RetentionTarget.ts"

/** A manifest that was pushed. */
export type Arrival = Look["newer"][number]

type Came = Pick<Look, "newer" | "newerTags">

/** What checks have seen so far. */
export interface Arrivals {
  /** Everything pushed before this time has been seen. */
  since: DateTime.Utc
  readonly manifests: Map<string, Arrival>
  readonly tags: Map<string, TagState>
}

/** The tolerance for different clocks of a registry's machines. */
const overlap = Duration.minutes(1)

const before = (time: DateTime.Utc): DateTime.Utc => DateTime.subtractDuration(time, overlap)

export const make = (plannedAt: DateTime.Utc): Arrivals => ({
  since: before(plannedAt),
  manifests: new Map(),
  tags: new Map()
})

interface Timed {
  readonly updatedOn?: DateTime.Utc
}

/** Adds listed objects to those seen before. Returns the listed ones, and others that were seen and still count. */
const addTo = <A extends Timed>(
  seen: Map<string, A>,
  listed: ReadonlyArray<A>,
  keyOf: (one: A) => string,
  isPast: (one: A) => boolean
): ReadonlyArray<A> => {
  const keys = new Set(listed.map(keyOf))
  const earlier = Array.from(seen).flatMap(([key, one]) => (keys.has(key) || isPast(one) ? [] : [one]))
  for (const one of listed) {
    // Without times each check lists everything, and what it does not list no longer exists.
    if (one.updatedOn !== undefined) seen.set(keyOf(one), one)
  }
  return earlier.length === 0 ? listed : [...listed, ...earlier]
}

/**
 * Adds the result of a check that began at a time of the registry's clock. Returns it with what earlier checks saw, except
 * manifests that no longer count.
 */
export const add = (
  arrivals: Arrivals,
  { newer, newerTags }: Came,
  begunAt: DateTime.Utc,
  isPast: (manifest: Arrival) => boolean
): Came => {
  const all: Came = {
    newer: addTo(arrivals.manifests, newer, ({ digest }) => digest, isPast),
    newerTags: addTo(arrivals.tags, newerTags, ({ name }) => name, constFalse)
  }
  for (const { updatedOn } of [...newer, ...newerTags]) {
    if (updatedOn === undefined) continue
    // A time in the future, from a wrong clock, would hide what is pushed until then.
    arrivals.since = DateTime.max(arrivals.since, before(DateTime.min(updatedOn, begunAt)))
  }
  return all
}
