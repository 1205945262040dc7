/**
 * Counts requests by kind, as ACR does, and turns away what is too many.
 *
 * ACR's documentation, "Azure Container Registry SKUs": a bucket for each kind that refills evenly over a minute, and
 * `Retry-After` in seconds.
 */
import type { RateLimits } from "@effect-acr/client/RateLimits"
import { type Answer, error } from "./answer.ts"

const kindsOf = (method: string, path: string): ReadonlyArray<keyof RateLimits> => {
  if (path.startsWith("/oauth2/")) return ["oauth"]
  if (method === "DELETE") return ["delete"]
  if (method !== "GET" && method !== "HEAD") return ["write"]
  return path.includes("/referrers/") ? ["read", "referrers"] : ["read"]
}

/** The answer to a request that is one too many. */
export type Throttle = (method: string, path: string, nowMillis: number) => Answer | undefined

export const make = (limits: RateLimits): Throttle => {
  const buckets = new Map<keyof RateLimits, { tokens: number; atMillis: number }>()

  /** Takes a token; the seconds until there is one if there is none, as far as a bucket looks ahead. */
  const take = (kind: keyof RateLimits, nowMillis: number): number => {
    const limit = limits[kind]
    if (limit === undefined) return 0
    const perMilli = limit / 60_000
    const bucket = buckets.get(kind) ?? { tokens: limit, atMillis: nowMillis }
    const tokens = Math.min(limit, bucket.tokens + (nowMillis - bucket.atMillis) * perMilli)
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
