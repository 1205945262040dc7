/**
 * How fast requests of one kind may go after a registry refused some of them with 429. Pure.
 *
 * Additive increase, multiplicative decrease: a refusal halves the rate, and each minute without one adds a twentieth of the
 * rate that was known before. Requests go evenly, since the registry's own bucket is empty after a refusal.
 */

/** A pace. Times are in milliseconds, rates in requests a minute. */
export interface Pace {
  /** Counts the refusals that slowed it. Requests of an earlier one that are refused later do not slow it again. */
  readonly epoch: number
  /** When requests may go again. */
  readonly opensAt: number
  /** The rate at that time. */
  readonly rate: number
  /** The rate that it returns to. */
  readonly goal: number
  /** How much it grows a minute. */
  readonly growth: number
  /** When the next request may go. */
  readonly nextAt: number
  /** Refusals in a row, without an answer between them. */
  readonly refusals: number
}

/** A refusal by the registry. */
export interface Refusal {
  readonly now: number
  /** The epoch in which the refused request was sent. */
  readonly epoch: number
  /** How long the registry asks to wait, `undefined` if it does not say. */
  readonly wait: number | undefined
  /** A number from 0 to 1 that differs from process to process, or all would return at the same moment. */
  readonly random: number
  /** Requests in a minute until now. */
  readonly recent: number
  /** Requests a minute that the program allows itself. */
  readonly limit: number | undefined
}

const minute = 60_000

/** One a second: what the registry asks to wait is what holds back below that. */
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
    // A limit that was found is no limit that was set: it may have been lifted.
    goal: limit ?? 2 * known,
    growth: known * growthPerMinute,
    nextAt: opensAt,
    refusals
  }
}

/** The pace after an answer that was no refusal. */
export const answered = (pace: Pace): Pace => (pace.refusals === 0 ? pace : { ...pace, refusals: 0 })

/** Takes the next turn: when it is, and the pace behind it. There is none any more once it has reached its goal. */
export const turn = (pace: Pace, now: number): readonly [at: number, pace: Pace | undefined] => {
  const at = Math.max(now, pace.nextAt)
  const rate = rateAt(pace, at)
  return rate >= pace.goal && at === now ? [now, undefined] : [at, { ...pace, nextAt: at + minute / rate }]
}

/** Counts requests in a minute: the more of this minute and the last one. */
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
