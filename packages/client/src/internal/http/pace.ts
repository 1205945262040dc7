/**
 * The pace of requests of one kind after a registry refused some of them with 429, as pure functions.
 *
 * Additive increase, multiplicative decrease: a refusal halves the rate, and each minute without one adds a twentieth
 * of the rate that was known before. Requests are sent at even intervals, because the registry's own bucket is empty
 * after a refusal.
 */

/** A pace. Times are in milliseconds, rates in requests a minute. */
export interface Pace {
  /**
   * The number of refusals that slowed the pace. Requests of an earlier epoch that are refused later do not slow it
   * again.
   */
  readonly epoch: number
  /** When requests may be sent again. */
  readonly opensAt: number
  /** The rate at that time. */
  readonly rate: number
  /** The rate at which the limit ends. */
  readonly goal: number
  /** By how much the rate grows each minute. */
  readonly growth: number
  /** When the next request may be sent. */
  readonly nextAt: number
  /** Refusals in a row, without an answer between them. */
  readonly refusals: number
}

/** A refusal by the registry. */
export interface Refusal {
  readonly now: number
  /** The epoch in which the refused request was sent. */
  readonly epoch: number
  /** How long the registry asks to wait, `undefined` if it states no time. */
  readonly wait: number | undefined
  /** A number from 0 to 1 that differs between processes, so that they do not all resume at the same moment. */
  readonly random: number
  /** The requests of the last minute. */
  readonly recent: number
  /** The user's own limit, in requests a minute. */
  readonly limit: number | undefined
}

const minute = 60_000

/** One request a second. Below that, the registry's own waits are the limit. */
const leastRate = 60

const growthPerMinute = 0.05

const jitter = 0.2

const firstWait = 250

const longestWait = minute

const rateAt = ({ growth, opensAt, rate }: Pace, now: number): number =>
  rate + (Math.max(0, now - opensAt) / minute) * growth

/** The pace after a refusal. */
export const refused = (pace: Pace | undefined, { epoch, limit, now, random, recent, wait }: Refusal): Pace => {
  const refusals = (pace?.refusals ?? 0) + 1
  const asked = wait ?? Math.min(longestWait, firstWait * 2 ** (refusals - 1))
  const opensAt = now + asked * (1 + jitter * random)
  if (pace !== undefined && pace.epoch !== epoch) {
    return opensAt > pace.opensAt ? { ...pace, opensAt, nextAt: Math.max(pace.nextAt, opensAt) } : pace
  }
  const current = Math.min(recent, pace === undefined ? recent : rateAt(pace, now), limit ?? Infinity)
  const known = limit ?? Math.max(current, pace === undefined ? 0 : pace.growth / growthPerMinute, leastRate)
  return {
    epoch: epoch + 1,
    opensAt,
    rate: Math.max(current / 2, Math.min(leastRate, known / 2)),
    // A limit that was only observed may have been lifted, unlike one that the user set.
    goal: limit ?? 2 * known,
    growth: known * growthPerMinute,
    nextAt: opensAt,
    refusals
  }
}

/** The pace after an answer that is not a refusal. */
export const answered = (pace: Pace): Pace => (pace.refusals === 0 ? pace : { ...pace, refusals: 0 })

/** Takes the next turn: its time, and the pace afterwards, which is undefined once it has reached its goal. */
export const turn = (pace: Pace, now: number): readonly [at: number, pace: Pace | undefined] => {
  const at = Math.max(now, pace.nextAt)
  const rate = rateAt(pace, at)
  return rate >= pace.goal && at === now ? [now, undefined] : [at, { ...pace, nextAt: at + minute / rate }]
}

/** Counts requests a minute: the larger number of this minute and the last one. */
export interface Count {
  readonly minute: number
  readonly requests: number
  readonly before: number
}

export const counted = (count: Count, now: number): Count => {
  const current = Math.floor(now / minute)
  if (count.minute === current) return { ...count, requests: count.requests + 1 }
  return { minute: current, requests: 1, before: count.minute === current - 1 ? count.requests : 0 }
}

export const recent = ({ before, requests }: Count): number => Math.max(before, requests)
