/**
 * How long a token is used.
 */
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Jwt from "./jwt.ts"
import type * as OAuth from "./oauth.ts"

/** Distribution's token specification: a token without a stated lifetime is valid for 1 minute. */
const unknownLifetimeMillis = 60_000

/** A token with a longer lifetime is requested again after a day. */
const longestLifetimeMillis = 24 * 3600_000

/**
 * How long a token is used: its lifetime minus 10%, but at most minus 1 minute, so that none expires in transit.
 */
const usableMillis = (lifetimeMillis: number): number => {
  const lifetime = Math.min(lifetimeMillis, longestLifetimeMillis)
  return lifetime - Math.min(60_000, lifetime / 10)
}

/** The lifetime of a token that was just received, as the token states it, or else the response. */
export const lifetimeMillis = ({ expiresInSeconds, value }: OAuth.Token, nowMillis: number): Option.Option<number> =>
  Jwt.lifetimeMillis(Redacted.value(value), nowMillis).pipe(
    Option.orElse(() => Option.map(Option.fromUndefinedOr(expiresInSeconds), (seconds) => seconds * 1000)),
    Option.map((lifetime) => Math.max(0, lifetime))
  )

/** How long to use a token, in milliseconds, by its lifetime. */
export const usableFor = (lifetime: Option.Option<number>): number =>
  usableMillis(Option.getOrElse(lifetime, () => unknownLifetimeMillis))
