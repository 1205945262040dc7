/**
 * Counts requests by kind, as ACR does, and refuses those above the limit.
 *
 * ACR's documentation, "Azure Container Registry SKUs": a bucket for each kind that refills evenly over a minute, and
 * `Retry-After` in seconds.
 */
import type { RateLimits } from "@effect-acr/client/RateLimits"
import type { Limits } from "../Modes.ts"
import { type Answer, error } from "./answer.ts"

/** The limits of a tier, for the whole registry and for each identity. */
export interface TierLimits {
  readonly registry: RateLimits
  readonly identity: RateLimits
}

const standard: TierLimits = {
  registry: { read: 10_000, write: 2000, delete: 1000, referrers: 500, oauth: 10_000 },
  identity: { read: 5000, write: 1000, delete: 500, referrers: 250 }
}

/** ACR's documentation, "Azure Container Registry SKUs", of March 2026. Requests for tokens have no identity yet. */
export const tiers: { readonly [tier in NonNullable<Limits["tier"]>]: TierLimits } = {
  basic: standard,
  standard,
  premium: {
    registry: { read: 20_000, write: 4000, delete: 4000, referrers: 2000, oauth: 20_000 },
    identity: { read: 10_000, write: 2000, delete: 2000, referrers: 1000 }
  }
}

const kindsOf = (method: string, path: string): ReadonlyArray<keyof RateLimits> => {
  if (path.startsWith("/oauth2/")) return ["oauth"]
  if (method === "DELETE") return ["delete"]
  if (method !== "GET" && method !== "HEAD") return ["write"]
  return path.includes("/referrers/") ? ["read", "referrers"] : ["read"]
}

/** The answer to a request above the limit. */
export type Throttle = (method: string, path: string, nowMillis: number) => Answer | undefined

/** Separate limits for each caller. */
export const makeFor = <A extends object>(limits: RateLimits): ((caller: A) => Throttle) => {
  const throttles = new WeakMap<A, Throttle>()
  return (caller) => {
    const known = throttles.get(caller) ?? make(limits)
    throttles.set(caller, known)
    return known
  }
}

export const make = (limits: RateLimits): Throttle => {
  const buckets = new Map<keyof RateLimits, { tokens: number; atMillis: number }>()

  /** Takes a token and returns 0, or returns the seconds until there is one, at most 60. */
  const take = (kind: keyof RateLimits, nowMillis: number): number => {
    const limit = limits[kind]
    if (limit === undefined) return 0
    const perMilli = limit / 60_000
    const bucket = buckets.get(kind) ?? { tokens: limit, atMillis: nowMillis }
    // Setting the clock back removes no tokens.
    const elapsedMillis = Math.max(0, nowMillis - bucket.atMillis)
    const tokens = Math.min(limit, bucket.tokens + elapsedMillis * perMilli)
    const enough = tokens >= 1
    buckets.set(kind, { tokens: enough ? tokens - 1 : tokens, atMillis: nowMillis })
    return enough ? 0 : Math.min(60, Math.ceil((1 - tokens) / perMilli / 1000))
  }

  return (method, path, nowMillis) => {
    const seconds = Math.max(...kindsOf(method, path).map((kind) => take(kind, nowMillis)))
    if (seconds === 0) return undefined
    const answer = error(429, "TOOMANYREQUESTS", "too many requests to the registry")
    return { ...answer, headers: { ...answer.headers, "Retry-After": String(seconds) } }
  }
}
