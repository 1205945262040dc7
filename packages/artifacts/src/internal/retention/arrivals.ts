/**
 * What came since a plan. Each look lists only what came since the one before it: in a long run with many pushes, all of them
 * would be listed again by each look.
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import { constFalse } from "effect/Function"
import type { Look, TagState } from "../../RetentionTarget.ts"

/** A manifest that came. */
export type Arrival = Look["newer"][number]

type Came = Pick<Look, "newer" | "newerTags">

/** What looks have seen so far. */
export interface Arrivals {
  /** What came before this time has been seen. */
  since: DateTime.Utc
  readonly manifests: Map<string, Arrival>
  readonly tags: Map<string, TagState>
}

/** Clocks of a registry's machines differ. */
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

/** Adds what is listed to what was seen. Returns that, and what was seen besides and still counts. */
const addTo = <A extends Timed>(
  seen: Map<string, A>,
  listed: ReadonlyArray<A>,
  keyOf: (one: A) => string,
  isPast: (one: A) => boolean
): ReadonlyArray<A> => {
  const keys = new Set(listed.map(keyOf))
  const earlier = Array.from(seen).flatMap(([key, one]) => (keys.has(key) || isPast(one) ? [] : [one]))
  for (const one of listed) {
    // Without times each look lists everything, and what it does not list is not there any more.
    if (one.updatedOn !== undefined) seen.set(keyOf(one), one)
  }
  return earlier.length === 0 ? listed : [...listed, ...earlier]
}

/**
 * Adds what a look lists that began at a time of the registry's clock. Returns that, and what earlier looks saw besides, but for
 * manifests that are past.
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
    // A time in the future, by a clock that is wrong, would hide what comes until then.
    arrivals.since = DateTime.max(arrivals.since, before(DateTime.min(updatedOn, begunAt)))
  }
  return all
}
